// Plain loops that compilers turn into vectors, built again for each instruction set that includes them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace pumice::simd {
namespace {

void to_bytes(const float* x, std::size_t n, std::int8_t* out) {
  // As integers the magnitudes have the order of the floats. NaN, above infinity, counts as 0.
  std::int32_t most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t magnitude = std::bit_cast<std::int32_t>(x[i]) & 0x7FFFFFFF;
    const std::int32_t counted = magnitude > 0x7F800000 ? 0 : magnitude;
    most = counted > most ? counted : most;
  }
  const float largest = most == 0 ? 1.0f : std::bit_cast<float>(most);
  for (std::size_t i = 0; i < n; ++i) {
    // (x + 1.5 * 2^23) - 1.5 * 2^23 rounds to the nearest integer, ties to even.
    const float scaled = x[i] / largest * 127.0f;
    const float rounded = (scaled + 12582912.0f) - 12582912.0f;
    const bool in_range = rounded >= -127.0f && rounded <= 127.0f;  // not so for the NaN of a hostile table
    out[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(in_range ? rounded : 0.0f));
  }
}

}  // namespace
}  // namespace pumice::simd
