// From rows to the mean's float32 values: what a vector's dimensions cost, in kernels for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice::simd {

// Rows of a table to add up, in order. Every row index is below the table's number of rows.
struct RowList {
  const void* table;
  std::size_t stride;         // values from one row to the next
  const std::uint32_t* rows;  // `count` of them, then `ahead` that a later call will ask for
  std::size_t count;
  std::size_t ahead;
  std::size_t dim;        // values of each row to add
  bool first;             // nothing is in the sum yet: whatever it holds is overwritten
  bool distinct = false;  // no row, or hardly one, comes twice
};

// The same bits from every kernel: dimension i is summed in the order of the list, from 0 where the list is the first,
// one rounding a multiplication and one an addition. `weights` has one for each row; null: every weight is 1.
// sum[i] += weight * row[i].
using AddRows = void (*)(float* sum, const float* weights, const RowList& list);

// The same of int8 rows in integers, which are exact in any order. The sums of kMostIntegerRows rows stay in range
// whatever the rows and multipliers are.
using AddIntegerRows = void (*)(std::int32_t* sum, const std::int16_t* multipliers, const RowList& list);
inline constexpr std::size_t kMostIntegerRows = 256;

// The sum of squares, in sixteen lanes: dimension i in lane i mod 16, then lane k takes in lane k + 8, k + 4, k + 2,
// k + 1.
using SumOfSquares = float (*)(const float* x, std::size_t n);
// out[i] = factor * x[i]; `out` may be `x`.
using Scale = void (*)(const float* x, float factor, std::size_t n, float* out);
// Waits until what scale_past_caches wrote can be seen by other threads.
using Fence = void (*)();
// out[i] = unit * float(x[i])
using ToFloats = void (*)(const std::int32_t* x, float unit, std::size_t n, float* out);

// x[i] rounded to the nearest float16, ties to even, into 2 n bytes; a NaN stays some NaN.
using ToHalves = void (*)(const float* x, std::size_t n, std::uint8_t* out);
// out[i] = x[i] / largest * 127 rounded to the nearest integer, ties to even, where `largest` is the largest |x[i]|;
// 0 where that is not between -127 and 127.
using ToBytes = void (*)(const float* x, std::size_t n, std::int8_t* out);
// A bit for each x[i] > 0, the first in the highest bit of its byte; the last byte ends with zeros.
using ToBits = void (*)(const float* x, std::size_t n, std::uint8_t* out);

// The largest of `n` numbers, 0 of none.
using Largest = std::uint32_t (*)(const std::uint32_t* x, std::size_t n);

// All there is of one instruction set.
struct RowKernels {
  AddRows add_rows_f32;
  AddRows add_rows_f16;
  AddIntegerRows add_rows_i8;
  SumOfSquares sum_of_squares;
  Scale scale;
  Scale
      scale_past_caches;  // the same without room for `out` in the caches, where the processor can and `out` is aligned
  Fence fence;
  ToFloats to_floats;
  ToHalves to_halves;
  ToBytes to_bytes;
  ToBits to_bits;
  Largest largest;
};

// What the vector kernels leave over, dimensions that fill no register; apart, so that a program need not hold the
// rest.
struct RowTails {
  AddRows add_rows_f32;
  AddRows add_rows_f16;
  AddIntegerRows add_rows_i8;
  ToHalves to_halves;
  ToBits to_bits;
};

extern const RowTails kRowTails;
extern const RowKernels kPortableRows;
extern const RowKernels kAvx2Rows;
extern const RowKernels kAvx512Rows;
extern const RowKernels kNeonRows;
extern const RowKernels kWasmRows;

}  // namespace pumice::simd
