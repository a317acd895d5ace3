// What a token counts in the mean by where it stands in the text, and how often it stood there before
// (docs/format.md).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pumice {

inline constexpr unsigned kWholeBits = 8;  // a first occurrence, or the first token, counts 2^8; others whole numbers
inline constexpr unsigned kWholeCount = 1u << kWholeBits;
inline constexpr std::size_t kMostCounts = 1024;

// A section of numbers: of the second, third, ... ; the last is that of all later ones.
struct Counts {
  const std::uint8_t* numbers = nullptr;
  std::size_t size = 0;  // 0: all count alike

  // Whether a token stood in the text before is as good as chance: no branch may guess it.
  unsigned of(std::size_t before) const {
    if (size == 0) return kWholeCount;
    const std::size_t at = std::min(before, size);
    const unsigned number = numbers[at - (at != 0)];
    return at == 0 ? kWholeCount : number;
  }
};

struct CountingRule {
  Counts repeats;    // by how often the token stood in the text before; at most 255 numbers
  Counts positions;  // by how many tokens stood before

  bool any() const { return repeats.size + positions.size != 0; }
};

// The text so far. `seen` has a byte for each token where there are repeats, all of them 0 between texts.
class TextCounter {
 public:
  TextCounter(const CountingRule& rule, std::uint8_t* seen, std::size_t tokens)
      : rule_(rule), seen_(seen), tokens_(tokens) {}

  // What the next token of the text counts, of kWholeCount squared.
  unsigned next(std::uint32_t token) {
    const unsigned place = rule_.positions.of(position_++);
    if (rule_.repeats.size == 0) return kWholeCount * place;
    const unsigned before = seen_[token];
    if (before < rule_.repeats.size) seen_[token] = static_cast<std::uint8_t>(before + 1);
    return rule_.repeats.of(before) * place;
  }

  // The text ends; its tokens are these, if not some went before them.
  void end(const std::uint32_t* tokens, std::size_t count) {
    if (rule_.repeats.size != 0) {
      for (std::size_t i = 0; i < count; ++i) seen_[tokens[i]] = 0;
      if (position_ > count) std::memset(seen_, 0, tokens_);
    }
    position_ = 0;
  }

 private:
  CountingRule rule_;
  std::uint8_t* seen_;
  std::size_t tokens_;
  std::size_t position_ = 0;
};

}  // namespace pumice
