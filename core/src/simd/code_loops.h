// The loops over codes, plain enough for compilers to make them vectors.
// Included after the instruction set has been chosen, so that they are built for it.
#pragma once

#include "code_kernels.h"

namespace pumice::simd {
namespace {  // each instruction set's own: the linker may not put one's code in place of another's

// Widths that models have are constants here: their loops unroll, and eight bytes a time count in a register.
template <std::size_t Width>
void count_bits_of(const std::uint8_t* query, const CodeList& list, std::int32_t* out) {
  const std::size_t width = Width == 0 ? list.width : Width;
  const std::uint8_t* code = list.codes;
  for (std::size_t i = 0; i < list.count; ++i, code += width) {
    int bits = 0;
    std::size_t at = 0;
    for (; at + 8 <= width; at += 8) {
      std::uint64_t a, b;
      std::memcpy(&a, query + at, 8);
      std::memcpy(&b, code + at, 8);
      bits += std::popcount(a ^ b);
    }
    for (; at < width; ++at) bits += std::popcount(static_cast<unsigned>(query[at] ^ code[at]));
    out[i] = bits;
  }
}

void count_bits(const std::uint8_t* query, const CodeList& list, std::int32_t* out) {
  switch (list.width) {
    case 8:
      return count_bits_of<8>(query, list, out);
    case 16:
      return count_bits_of<16>(query, list, out);
    case 32:
      return count_bits_of<32>(query, list, out);
    case 64:
      return count_bits_of<64>(query, list, out);
    default:
      return count_bits_of<0>(query, list, out);
  }
}

void dot_bytes(const std::int8_t* query, const CodeList& list, std::int32_t* out) {
  const auto* code = reinterpret_cast<const std::int8_t*>(list.codes);
  for (std::size_t i = 0; i < list.count; ++i, code += list.width) {
    std::int32_t sum = 0;
    for (std::size_t at = 0; at < list.width; ++at) {
      sum += static_cast<std::int16_t>(query[at]) * static_cast<std::int16_t>(code[at]);
    }
    out[i] = sum;
  }
}

void add_by_sign(const std::int8_t* query, std::size_t dim, const CodeList& list, std::int32_t* out) {
  const std::uint8_t* code = list.codes;
  for (std::size_t i = 0; i < list.count; ++i, code += list.width) {
    std::int32_t sum = 0;
    for (std::size_t at = 0; at < dim; ++at) {
      const std::int32_t sign = ((code[at / 8] >> (7 - at % 8) & 1) << 1) - 1;
      sum += sign * query[at];
    }
    out[i] = sum;
  }
}

constexpr CodeKernels kLoops = {count_bits, dot_bytes, add_by_sign};

}  // namespace
}  // namespace pumice::simd
