// A batch's tokens by token and by text: counted, sorted and, where repeats count less, merged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pumice::training {

struct TokensOfTexts {
  const std::int32_t* ids;      // none negative
  const std::int64_t* offsets;  // [texts + 1]
  std::size_t texts;
};

// What a token counts by its number of occurrences before it in its text, and by its place there; the last of each
// is that of all later ones. Empty where all tokens count alike.
struct CountsOfTokens {
  std::vector<std::int64_t> repeats, places;

  bool alike() const { return repeats.empty() && places.empty(); }
};

struct TokenBags {
  std::vector<std::int32_t> rows;         // ascending: each token once
  std::vector<std::int32_t> row_offsets;  // [rows + 1]
  std::vector<std::int32_t> texts;        // of each row's occurrences, ascending
  // Only where tokens do not count alike: each token once a text, ascending, and what it counts there in both orders.
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> offsets;
  std::vector<float> by_text, by_token, totals;
};

TokenBags bags_of(const TokensOfTexts& tokens, const CountsOfTokens& counts);

}  // namespace pumice::training
