// Which of the passages that two searches found for a query are hard negatives of it.
#include "negatives.h"

#include <algorithm>

namespace pumice {
namespace {

// Sixteen sums beside each other: the compiler may add them at once, and the order of additions is fixed.
float dot(const float* a, const float* b, std::size_t dim) {
  constexpr std::size_t kSums = 16;
  float sums[kSums] = {};
  std::size_t i = 0;
  for (; i + kSums <= dim; i += kSums)
    for (std::size_t j = 0; j < kSums; ++j) sums[j] += a[i + j] * b[i + j];
  for (std::size_t j = 0; i < dim; ++i, ++j) sums[j] += a[i] * b[i];
  for (std::size_t half = kSums / 2; half > 0; half /= 2)
    for (std::size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  return sums[0];
}

}  // namespace

void choose_negatives(const Found& found, const UnitVectors& vectors, const Refusals& refused, const Wanted& wanted,
                      std::size_t queries, std::int64_t* chosen) {
  std::fill(chosen, chosen + queries * wanted.count, std::int64_t{-1});
  const std::int64_t* keys_end = refused.keys + refused.key_count;
  for (std::size_t i = 0; i < queries; ++i) {
    const float* query = vectors.queries + i * vectors.dim;
    const auto cosine = [&](std::int64_t passage) {
      return dot(query, vectors.passages + static_cast<std::size_t>(passage) * vectors.dim, vectors.dim);
    };
    const float own = cosine(refused.own[i]);
    const float most = std::min(own, own * wanted.below);
    std::int64_t* row = chosen + i * wanted.count;
    std::size_t taken = 0;
    const auto consider = [&](std::int64_t passage) {
      if (passage < 0 || std::find(row, row + taken, passage) != row + taken) return;
      if (std::binary_search(refused.keys, keys_end, refused.groups[i] * refused.passages + passage)) return;
      if (cosine(passage) <= most) row[taken++] = passage;
    };
    for (std::size_t place = 0; taken < wanted.count && place < std::max(found.near_count, found.worded_count);
         ++place) {
      if (place < found.near_count) consider(found.near[i * found.near_count + place]);
      if (taken < wanted.count && place < found.worded_count) consider(found.worded[i * found.worded_count + place]);
    }
  }
}

}  // namespace pumice
