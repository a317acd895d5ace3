// How near a query is to each of many codes, in integers: exact, and so the same from every instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice::simd {

// Codes that lie one after the other, `width` bytes each.
struct CodeList {
  const std::uint8_t* codes;
  std::size_t width;
  std::size_t count;
};

// out[i] = how many bits of code i differ from the query's.
using CountBits = void (*)(const std::uint8_t* query, const CodeList& list, std::int32_t* out);
// out[i] = the dot product of the query and code i, `width` int8 each; at most 65,536 of them, so that it fits.
using DotBytes = void (*)(const std::int8_t* query, const CodeList& list, std::int32_t* out);
// out[i] = the sum of the query's values, `dim` of them, each taken as it is where code i has its bit, else negated.
using AddBySign = void (*)(const std::int8_t* query, std::size_t dim, const CodeList& list, std::int32_t* out);

struct CodeKernels {
  CountBits count_bits;
  DotBytes dot_bytes;
  AddBySign add_by_sign;
};

extern const CodeKernels kPortableCodes;
extern const CodeKernels kAvx2Codes;

// Those that this processor runs fastest.
const CodeKernels& code_kernels();

}  // namespace pumice::simd
