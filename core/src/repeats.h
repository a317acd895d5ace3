// What a token counts that stands in a text again: repeats say less than first occurrences (docs/format.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pumice {

inline constexpr unsigned kWholeCount = 256;  // what a first occurrence counts; the others count whole numbers of it

// The repeats section.
struct RepeatWeights {
  const std::uint8_t* weights = nullptr;  // of a second, third, ... occurrence; the last is that of all later ones
  unsigned count = 0;                     // 0: every occurrence counts alike
};

// How often each token stands in the text so far. `seen` has a byte for each token, all of them 0 between texts.
class RepeatCounter {
 public:
  RepeatCounter(RepeatWeights weights, std::uint8_t* seen, std::size_t tokens)
      : weights_(weights), seen_(seen), tokens_(tokens) {}

  // What the next occurrence counts.
  unsigned next(std::uint32_t token) {
    const unsigned before = seen_[token];
    if (before < weights_.count) seen_[token] = static_cast<std::uint8_t>(before + 1);
    return before == 0 ? kWholeCount : weights_.weights[before - 1];
  }

  void forget(const std::uint32_t* tokens, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) seen_[tokens[i]] = 0;
  }

  void forget_all() { std::memset(seen_, 0, tokens_); }

 private:
  RepeatWeights weights_;
  std::uint8_t* seen_;
  std::size_t tokens_;
};

}  // namespace pumice
