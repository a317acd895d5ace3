// What AVX2's and AVX-512's kernels of find_words share.
// Included after the instruction set has been chosen, so that it is built for it.
#pragma once

#include <immintrin.h>

#include "find_words.h"

namespace pumice::simd {
namespace {  // each instruction set's own: the linker may not put one's code in place of another's

inline __m256i load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

inline __m128i load(const ShortWords::Key& key) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(key.words)); }

// The ids in the low half, zeros in the high one: one token where the second is kNoToken, two where it is not.
inline void store(FoundWord& found, __m128i ids) {
  const __m128i none = _mm_shuffle_epi32(_mm_cmpeq_epi32(ids, _mm_set1_epi32(-1)), _MM_SHUFFLE(1, 1, 1, 1));
  const __m128i counts =
      _mm_xor_si128(_mm_setr_epi32(0, 0, 0, 0x0202), _mm_and_si128(none, _mm_setr_epi32(0, 0, 0, 0x0303)));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&found), _mm_or_si128(ids, counts));
}

}  // namespace
}  // namespace pumice::simd
