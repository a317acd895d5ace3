// sum[i] += weight * row[i] in plain loops: the oracle of the other kernels, and what NEON and WebAssembly get.
#include "add_rows.h"
#include "half.h"

namespace pumice::simd {
namespace {

template <class Value, class Widen>
void add_rows(float* __restrict sum, const RowList& list, Widen widen) {
  for (std::size_t i = 0; i < list.count; ++i) {
    const Value* __restrict row = static_cast<const Value*>(list.table) + list.rows[i] * list.stride;
    const float weight = list.weights[i];
    for (std::size_t d = 0; d < list.dim; ++d) sum[d] += weight * widen(row[d]);
  }
}

}  // namespace

void add_rows_f32_portable(float* sum, const RowList& list) {
  if (list.weights != nullptr) return add_rows<float>(sum, list, [](float x) { return x; });
  for (std::size_t i = 0; i < list.count; ++i) {
    const float* __restrict row = static_cast<const float*>(list.table) + list.rows[i] * list.stride;
    for (std::size_t d = 0; d < list.dim; ++d) sum[d] += row[d];
  }
}

void add_rows_f16_portable(float* sum, const RowList& list) { add_rows<std::uint16_t>(sum, list, half_to_float); }

void add_rows_i8_portable(float* sum, const RowList& list) {
  add_rows<std::int8_t>(sum, list, [](std::int8_t x) { return static_cast<float>(x); });
}

}  // namespace pumice::simd
