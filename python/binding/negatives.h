// Which of the passages that two searches found for a query are hard negatives of it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice {

// Numbers of passages, those of a query one after another; -1 stands for none.
struct Found {
  const std::int64_t* near;
  std::size_t near_count;  // of each query
  const std::int64_t* worded;
  std::size_t worded_count;
};

struct UnitVectors {
  const float* queries;
  const float* passages;
  std::size_t dim;
};

// Passages that are no negatives, however they score.
struct Refusals {
  const std::int64_t* own;     // of each query: the passage that is its positive
  const std::int64_t* groups;  // of each query
  const std::int64_t* keys;    // group * passages + passage, ascending
  std::size_t key_count;
  std::int64_t passages;
};

struct Wanted {
  std::size_t count;
  float below;  // a negative is no closer than this share of the positive's cosine, nor than the positive
};

// Takes what was found in turn, a near one first, until each query has as many as are wanted; -1 where fewer are left.
void choose_negatives(const Found& found, const UnitVectors& vectors, const Refusals& refused, const Wanted& wanted,
                      std::size_t queries, std::int64_t* chosen);

}  // namespace pumice
