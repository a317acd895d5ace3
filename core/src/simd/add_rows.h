// sum[i] += weight * row[i] over a list of rows, for each way a row is stored.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice::simd {

// Rows of a table to add up, in order. Every row index is below the table's number of rows.
struct RowList {
  const void* table;
  std::size_t stride;         // values from one row to the next
  const std::uint32_t* rows;  // `count` of them
  const float* weights;       // `count` of them; null, for float32 rows only: every weight is 1
  std::size_t count;
  std::size_t dim;  // values of each row to add
};

// The same bits from every kernel: dimension i is summed in the order of the list, one rounding a multiplication
// and one an addition.
using AddRows = void (*)(float* sum, const RowList& list);

void add_rows_f32_portable(float* sum, const RowList& list);
void add_rows_f16_portable(float* sum, const RowList& list);
void add_rows_i8_portable(float* sum, const RowList& list);

void add_rows_f32_avx2(float* sum, const RowList& list);
void add_rows_f16_avx2(float* sum, const RowList& list);
void add_rows_i8_avx2(float* sum, const RowList& list);

void add_rows_f32_avx512(float* sum, const RowList& list);
void add_rows_f16_avx512(float* sum, const RowList& list);
void add_rows_i8_avx512(float* sum, const RowList& list);

}  // namespace pumice::simd
