// The regular expressions of byte-level BPE tokenizers, as hand-written scanners.
#pragma once

#include <cstdint>

#include "simd/classify.h"

namespace pumice {

enum class SplitPattern : std::uint32_t {
  kGpt2,    // 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  kLlama3,  // (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|
            // \s*[\r\n]+|\s+(?!\S)|\s+
  kQwen,    // the same with \p{N} instead of \p{N}{1,3}
};
inline constexpr std::uint32_t kSplitPatterns = 3;

// Spaces are what `punctuation` says.
inline constexpr simd::ByteClasses kLettersAndSpace = [] {
  simd::ByteClasses classes{};
  for (unsigned c = 'A'; c <= 'z'; ++c) {
    if (c <= 'Z' || c >= 'a') classes.word.low[c & 15] |= static_cast<std::uint8_t>(1u << (c >> 4));
  }
  classes.punctuation.low[0] = 1u << 2;
  return classes;
}();

// Where the match at `at` ends. All three match at every character: `at` is before `end`, the result after `at`.
const char* match_gpt2(const char* at, const char* end);
const char* match_llama3(const char* at, const char* end, unsigned digits);

// Where the match at `at` ends if it is letters, the first of them ASCII, after at most one space; otherwise `at`. It
// is the same for all three.
const char* match_letters(const char* at, const char* end);

// Where 64 bytes are cut if a match begins with the first of them, as far as words of ASCII letters follow each other
// with one space between: bit i is set where a word's space is byte i. What follows the last of them is to be matched.
// It is the same for all three patterns.
inline std::uint64_t cut_words(simd::Classify classify, const char* text) {
  simd::ByteMasks masks;
  classify(kLettersAndSpace, text, masks);
  const std::uint64_t letters = masks.word;
  const std::uint64_t spaces = masks.punctuation & letters >> 1 & (letters << 1 | 1);
  const std::uint64_t others = ~(letters | spaces);
  return spaces & ~std::uint64_t{1} & ((others & (~others + 1)) - 1);
}

// Whether cut_words may find anything: at least two bytes can be read.
inline bool begins_words(const char* at) {
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  return is_letter(*at) || (*at == ' ' && is_letter(at[1]));
}

inline const char* match_pattern(SplitPattern pattern, const char* at, const char* end) {
  if (pattern == SplitPattern::kGpt2) return match_gpt2(at, end);
  return match_llama3(at, end, pattern == SplitPattern::kLlama3 ? 3 : 1);
}

}  // namespace pumice
