// The regular expressions of byte-level BPE tokenizers, as hand-written scanners.
#pragma once

#include <cstdint>

namespace pumice {

enum class SplitPattern : std::uint32_t {
  kGpt2,    // 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  kLlama3,  // (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|
            // \s*[\r\n]+|\s+(?!\S)|\s+
  kQwen,    // the same with \p{N} instead of \p{N}{1,3}
};
inline constexpr std::uint32_t kSplitPatterns = 3;

// A page fetches all of WebAssembly before its first text: there, what is only faster is left out.
#ifdef __wasm__
inline constexpr bool kRoomForSpeed = false;
#else
inline constexpr bool kRoomForSpeed = true;
#endif

// Where the match at `at` ends. All three match at every character: `at` is before `end`, the result after `at`.
const char* match_gpt2(const char* at, const char* end);
const char* match_llama3(const char* at, const char* end, unsigned digits);

// Where the match at `at` ends if it is letters, the first of them ASCII, after at most one space; otherwise `at`. It
// is the same for all three.
const char* match_letters(const char* at, const char* end);

inline const char* match_pattern(SplitPattern pattern, const char* at, const char* end) {
  if (pattern == SplitPattern::kGpt2) return match_gpt2(at, end);
  return match_llama3(at, end, pattern == SplitPattern::kLlama3 ? 3 : 1);
}

}  // namespace pumice
