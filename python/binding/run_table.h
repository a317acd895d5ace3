// Runs of letters that were met before, and the numbers of the words in them: a run is read once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace pumice {

// The terms of texts, one text after the other: each number of a text once, in the order of its first place there.
struct TextTerms {
  std::vector<std::int64_t> offsets;  // of each text's first term, and the end
  std::vector<std::uint32_t> numbers;
  std::vector<float> times;
};

// Runs of letters and the numbers they stand for. A run is what lies between characters that belong to no word in any
// script, so a text's terms are those of its runs; what a run stands for is the caller's to say. Two kinds of text
// are cut otherwise: a run of Chinese, Japanese or Korean characters is one of pairs, which stand for their CRC-32;
// and a run with a capital sigma, which is lower-cased by its neighbours, goes on past what does not end them.
class RunTable {
 public:
  RunTable() = default;
  RunTable(const RunTable&) = delete;
  RunTable& operator=(const RunTable&) = delete;
  RunTable(RunTable&&) = default;
  RunTable& operator=(RunTable&&) = default;

  // Cuts texts into runs. Those not met before are `unknown`, until `learn` has been called for each.
  void cut(const std::vector<std::string_view>& texts);
  std::size_t unknown() const { return unknown_.size(); }
  std::string_view unknown(std::size_t i) const { return entries_[unknown_[i]].run; }
  void learn(std::size_t i, const std::uint32_t* numbers, std::size_t count) {
    learn(entries_[unknown_[i]], numbers, count);
  }

  // The terms of the texts that were cut last.
  TextTerms count();

  // Forgets every run.
  void clear();

 private:
  struct Entry {
    std::string_view run;  // in `blocks_`
    std::uint64_t hash;
    std::uint32_t begin = 0, count = 0;  // in `numbers_`
  };

  void cut_one(std::string_view text);
  void cut_with_sigmas(std::string_view text);
  // The run's entry; a new one has no numbers and is the last.
  std::uint32_t place_of(std::string_view run);
  void add(std::string_view run);
  void add_pairs(std::string_view run);
  void learn(Entry& entry, const std::uint32_t* numbers, std::size_t count);
  void grow();
  std::string_view kept(std::string_view run);

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // an entry's place + 1, by hash; 0: free
  std::vector<std::uint32_t> numbers_;
  std::vector<std::unique_ptr<char[]>> blocks_;  // bytes of runs
  std::size_t room_ = 0;
  char* free_ = nullptr;
  std::size_t bytes_ = 0;

  std::vector<std::uint32_t> runs_;     // of the last texts: places in `entries_`
  std::vector<std::size_t> ends_;       // of each of the texts in `runs_`
  std::vector<std::uint32_t> unknown_;  // places
};

}  // namespace pumice
