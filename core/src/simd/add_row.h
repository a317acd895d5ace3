// sum[i] += weight * row[i], for each way a row is stored.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice::simd {

void add_row_f32(float* sum, const float* row, std::size_t n);
void add_weighted_row_f32(float* sum, const float* row, float weight, std::size_t n);
void add_weighted_row_f16(float* sum, const std::uint16_t* row, float weight, std::size_t n);
void add_weighted_row_i8(float* sum, const std::int8_t* row, float weight, std::size_t n);

}  // namespace pumice::simd
