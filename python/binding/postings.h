// BM25's half of mining: passages by token, and the best of them for each of many queries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ranked.h"

namespace pumice {

// Some of a column's texts, as token ids that lie one text after another.
struct TokenTexts {
  const std::int32_t* ids;
  const std::int64_t* offsets;  // of every text of the column, and the end
  const std::int64_t* which;
  std::size_t count;
};

// Each token's texts, ascending, and how often it stands in each.
struct Occurrences {
  std::vector<std::int64_t> edges;  // tokens + 1
  std::vector<std::int32_t> numbers;
  std::vector<std::int32_t> times;
};

// Texts are numbered along `texts.which`. Every id is in [0, tokens): the caller sees to that.
Occurrences occurrences(const TokenTexts& texts, std::size_t tokens);

// Which tokens of a query count: those in fewest passages first.
struct AskedFor {
  std::size_t tokens;     // of different ones, at most so many
  std::int64_t postings;  // of all of them together; the rarest is always asked for
};

struct Postings {
  const std::int64_t* edges;
  const std::int32_t* numbers;
  const float* weights;
  std::size_t passages;
  std::size_t tokens;
};

// For each query the numbers of its `depth` best passages by falling score, -1 where fewer share a token with it.
// Tokens outside [0, tokens) have no postings.
void best_passages(const Postings& postings, const TokenTexts& queries, const AskedFor& asked, std::size_t depth,
                   std::int64_t* found);

}  // namespace pumice
