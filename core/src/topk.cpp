// The best of many codes for a query, by exact search.
#include "topk.h"

#include <algorithm>

#include "simd/code_kernels.h"

namespace pumice {
namespace {

constexpr std::size_t kBlock = 256;  // codes compared before any of them is chosen: their scores stay in the cache

// Scores of codes that follow one another, as integers; scales come after.
void compare(const pumice_codes& codes, const pumice_code_query& query, std::size_t from, std::size_t count,
             std::int32_t* out) {
  const simd::CodeKernels& kernels = simd::code_kernels();
  const std::size_t width = codes.type == PUMICE_VECTOR_I8 ? codes.dim : (codes.dim + 7) / 8;
  const simd::CodeList list = {static_cast<const std::uint8_t*>(codes.codes) + from * width, width, count};
  if (codes.type == PUMICE_VECTOR_I8) {
    kernels.dot_bytes(static_cast<const std::int8_t*>(query.bytes), list, out);
  } else if (query.type == PUMICE_VECTOR_I8) {
    kernels.add_by_sign(static_cast<const std::int8_t*>(query.bytes), codes.dim, list, out);
  } else {
    kernels.count_bits(static_cast<const std::uint8_t*>(query.bytes), list, out);
    const auto dim = static_cast<std::int32_t>(codes.dim);
    for (std::size_t i = 0; i < count; ++i) out[i] = dim - 2 * out[i];
  }
}

float scaled(const pumice_codes& codes, std::size_t i, std::int32_t score) {
  const float value = static_cast<float>(score);
  return codes.scales == nullptr ? value : value * codes.scales[i];
}

bool is_left_out(const pumice_codes& codes, std::size_t i) {
  return codes.left_out != nullptr && (codes.left_out[i / 8] >> (i % 8) & 1) != 0;
}

}  // namespace

std::size_t nearest(const pumice_codes& codes, const pumice_code_query& query, pumice_hit* hits, std::size_t capacity,
                    std::size_t found) {
  std::make_heap(hits, hits + found, is_better);  // its first is the worst
  std::int32_t scores[kBlock];
  for (std::size_t from = 0; from < codes.count; from += kBlock) {
    const std::size_t count = std::min(kBlock, codes.count - from);
    compare(codes, query, from, count, scores);
    for (std::size_t j = 0; j < count; ++j) {
      const std::size_t i = from + j;
      const float score = scaled(codes, i, scores[j]);
      if (found == capacity && !(score >= hits[0].score)) continue;
      const pumice_hit hit = {codes.first + static_cast<std::uint32_t>(i), score};
      if ((found == capacity && !is_better(hit, hits[0])) || is_left_out(codes, i)) continue;
      if (found == capacity) {
        std::pop_heap(hits, hits + found, is_better);
        hits[found - 1] = hit;
      } else {
        hits[found++] = hit;
      }
      std::push_heap(hits, hits + found, is_better);
    }
  }
  std::sort_heap(hits, hits + found, is_better);
  return found;
}

void rescore(const pumice_codes& codes, const pumice_code_query& query, pumice_hit* hits, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (hits[i].position < codes.first || hits[i].position - codes.first >= codes.count) continue;
    std::int32_t score = 0;
    const std::size_t at = hits[i].position - codes.first;
    compare(codes, query, at, 1, &score);
    hits[i].score = scaled(codes, at, score);
  }
  std::make_heap(hits, hits + count, is_better);
  std::sort_heap(hits, hits + count, is_better);
}

}  // namespace pumice
