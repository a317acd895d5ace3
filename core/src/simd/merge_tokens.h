// Texts' tokens, each once with what all of its occurrences count, for kernels that add a row more slowly than it is
// found again.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../counting.h"
#include "instructions.h"

namespace pumice::simd {

// Whether tokens are merged: what does not gain by it, or is built small, need not hold the code.
#if defined(PUMICE_WASM_SIMD) && !defined(PUMICE_SMALL)
inline constexpr bool kMergesTokens = true;
#else
inline constexpr bool kMergesTokens = false;
#endif

// What a token counts (docs/format.md, step 7). `seen` has a byte for each token, all of them 0.
struct TokenCounts {
  const std::int16_t* multipliers;
  CountingRule rule;
  std::uint8_t* seen;
};

// Texts' tokens one after the other, and `texts` places where one ends.
struct TokenTexts {
  std::uint32_t* tokens;
  const std::size_t* ends;
  std::size_t texts;
};

// Makes the tokens of each text those that differ, from where it begins, each with the sum of what its occurrences are
// multiplied by: rows of integers have the same sum in any order. `kept` is how many there are now; of a text of more
// than kMostMerged nothing is changed, and none are kept.
void merge_tokens(const TokenCounts& counts, const TokenTexts& texts, std::int16_t* multipliers, std::size_t* kept);
inline constexpr std::size_t kMostMerged = 255;

}  // namespace pumice::simd
