// sum[i] += weight * row[i], for each way a row is stored.
#include "add_row.h"

#include <stdlib.h>  // names the C library, which target.h asks for

#include "half.h"
#include "target.h"

namespace pumice::simd {

PUMICE_CLONES void add_row_f32(float* __restrict sum, const float* __restrict row, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) sum[i] += row[i];
}

PUMICE_CLONES void add_weighted_row_f32(float* __restrict sum, const float* __restrict row, float weight,
                                        std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) sum[i] += weight * row[i];
}

PUMICE_CLONES void add_weighted_row_f16(float* __restrict sum, const std::uint16_t* __restrict row, float weight,
                                        std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) sum[i] += weight * half_to_float(row[i]);
}

PUMICE_CLONES void add_weighted_row_i8(float* __restrict sum, const std::int8_t* __restrict row, float weight,
                                       std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) sum[i] += weight * static_cast<float>(row[i]);
}

}  // namespace pumice::simd
