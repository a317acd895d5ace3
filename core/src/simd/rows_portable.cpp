// The row kernels in plain loops: the oracle of the others.
#include <cstring>

#include "half.h"
#include "int8_codes.h"
#include "row_kernels.h"

namespace pumice::simd {
namespace {

template <class Value, class Widen>
void add_rows(float* __restrict sum, const float* weights, const RowList& list, Widen widen) {
  if (list.first) std::memset(sum, 0, list.dim * sizeof *sum);
  for (std::size_t i = 0; i < list.count; ++i) {
    const Value* __restrict row = static_cast<const Value*>(list.table) + list.rows[i] * list.stride;
    if (weights == nullptr) {
      for (std::size_t d = 0; d < list.dim; ++d) sum[d] += widen(row[d]);
    } else {
      const float weight = weights[i];
      for (std::size_t d = 0; d < list.dim; ++d) sum[d] += weight * widen(row[d]);
    }
  }
}

void add_f32(float* sum, const float* weights, const RowList& list) {
  add_rows<float>(sum, weights, list, [](float x) { return x; });
}

void add_f16(float* sum, const float* weights, const RowList& list) {
  add_rows<std::uint16_t>(sum, weights, list, half_to_float);
}

void add_i8(std::int32_t* __restrict sum, const std::int16_t* multipliers, const RowList& list) {
  if (list.first) std::memset(sum, 0, list.dim * sizeof *sum);
  for (std::size_t i = 0; i < list.count; ++i) {
    const auto* __restrict row = static_cast<const std::int8_t*>(list.table) + list.rows[i] * list.stride;
    const std::int32_t multiplier = multipliers[i];
    for (std::size_t d = 0; d < list.dim; ++d) sum[d] += multiplier * row[d];
  }
}

float squares(const float* x, std::size_t n) {
  float lanes[16] = {};
  for (std::size_t i = 0; i < n; ++i) lanes[i % 16] += x[i] * x[i];
  for (std::size_t width = 8; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

void scale(const float* x, float factor, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = factor * x[i];
}

void to_floats(const std::int32_t* x, float unit, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = unit * static_cast<float>(x[i]);
}

void to_halves(const float* x, std::size_t n, std::uint8_t* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint16_t half = float_to_half(x[i]);
    std::memcpy(out + 2 * i, &half, sizeof half);
  }
}

void to_bits(const float* x, std::size_t n, std::uint8_t* out) {
  for (std::size_t i = 0; i < n; i += 8) {
    unsigned bits = 0;
    for (std::size_t j = i; j < i + 8; ++j) bits = bits << 1 | static_cast<unsigned>(j < n && x[j] > 0);
    out[i / 8] = static_cast<std::uint8_t>(bits);
  }
}

std::uint32_t largest(const std::uint32_t* x, std::size_t n) {
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < n; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

}  // namespace

constexpr RowTails kRowTails = {add_f32, add_f16, add_i8, to_halves, to_bits};
constexpr RowKernels kPortableRows = {add_f32, add_f16,   add_i8,    squares,  scale,   scale,
                                      [] {},   to_floats, to_halves, to_bytes, to_bits, largest};

}  // namespace pumice::simd
