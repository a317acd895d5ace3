// Writes a float32 vector as float32, float16, int8 or sign bits.
#include "quantize.h"

#include <cmath>
#include <cstring>

#include "simd/half.h"

namespace pumice {
namespace {

void write_f16(const float* vector, std::uint32_t dim, std::uint8_t* out) {
  for (std::uint32_t i = 0; i < dim; ++i) {
    const std::uint16_t half = simd::float_to_half(vector[i]);
    std::memcpy(out + 2 * i, &half, 2);
  }
}

// A scale per vector, 127 / max|x|, uses all of int8 and leaves every cosine as it was but for the rounding.
void write_i8(const float* vector, std::uint32_t dim, std::uint8_t* out) {
  float largest = 0;
  for (std::uint32_t i = 0; i < dim; ++i) {
    const float magnitude = std::fabs(vector[i]);
    largest = magnitude > largest ? magnitude : largest;
  }
  for (std::uint32_t i = 0; i < dim; ++i) {
    // (x + 1.5 * 2^23) - 1.5 * 2^23 rounds to the nearest integer, ties to even.
    const float scaled = largest > 0 ? vector[i] / largest * 127.0f : 0.0f;
    const float rounded = (scaled + 12582912.0f) - 12582912.0f;
    const bool in_range = rounded >= -127.0f && rounded <= 127.0f;  // not so for the NaN of a hostile table
    out[i] = static_cast<std::uint8_t>(in_range ? static_cast<std::int8_t>(rounded) : 0);
  }
}

void write_binary(const float* vector, std::uint32_t dim, std::uint8_t* out) {
  std::memset(out, 0, (dim + 7) / 8);
  for (std::uint32_t i = 0; i < dim; ++i) {
    if (vector[i] > 0) out[i / 8] = static_cast<std::uint8_t>(out[i / 8] | 0x80u >> (i % 8));
  }
}

}  // namespace

void write_vector(const float* vector, std::uint32_t dim, std::uint32_t type, void* out) {
  auto* bytes = static_cast<std::uint8_t*>(out);
  switch (type) {
    case PUMICE_VECTOR_F32:
      std::memcpy(bytes, vector, dim * sizeof(float));
      break;
    case PUMICE_VECTOR_F16:
      write_f16(vector, dim, bytes);
      break;
    case PUMICE_VECTOR_I8:
      write_i8(vector, dim, bytes);
      break;
    case PUMICE_VECTOR_BINARY:
      write_binary(vector, dim, bytes);
      break;
  }
}

}  // namespace pumice
