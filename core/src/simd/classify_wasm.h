// Byte classes with WebAssembly's SIMD, inline: a call for each 64 bytes costs as much as they do.
#pragma once

#include <wasm_simd128.h>

#include "classify.h"

namespace pumice::simd {

inline ByteMasks masks_of(const ByteClasses& classes, const char* text) {
  // Of what is not there first: WebAssembly compares with zero in fewer instructions than it compares otherwise.
  ByteMasks no = {0, 0, 0};
  for (unsigned from = 0; from < 64; from += 16) {
    const v128_t bytes = wasm_v128_load(text + from);
    const v128_t low = wasm_v128_and(bytes, wasm_i8x16_splat(15));
    const v128_t high = wasm_i8x16_swizzle(wasm_v128_load(kHighBit), wasm_u8x16_shr(bytes, 4));
    const auto strangers = [&](const AsciiSet& set) {
      const v128_t members = wasm_v128_and(wasm_i8x16_swizzle(wasm_v128_load(set.low), low), high);
      return wasm_i8x16_eq(members, wasm_i8x16_splat(0));
    };
    const auto bits = [from](v128_t these) { return std::uint64_t{wasm_i8x16_bitmask(these)} << from; };
    no.word |= bits(strangers(classes.word));
    no.punctuation |= bits(strangers(classes.punctuation));
    no.special |= bits(wasm_v128_andnot(strangers(classes.special), bytes));
  }
  return {~no.word, ~no.punctuation, ~no.special};
}

}  // namespace pumice::simd
