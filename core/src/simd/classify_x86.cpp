// Byte classes by two shuffles, with AVX2 and AVX-512.
#include "instructions.h"

#ifdef PUMICE_X86
#include "avx512.h"
#include "classify.h"

namespace pumice::simd {

PUMICE_BEGIN_AVX2
namespace {

__m256i table256(const std::uint8_t* bytes) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

std::uint32_t members256(const AsciiSet& set, __m256i low, __m256i high) {
  const __m256i bits = _mm256_and_si256(_mm256_shuffle_epi8(table256(set.low), low), high);
  const __m256i absent = _mm256_cmpeq_epi8(bits, _mm256_setzero_si256());
  return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(absent));
}

}  // namespace

void classify_avx2(const ByteClasses& classes, const char* text, ByteMasks& masks) {
  masks = {0, 0, 0};
  for (unsigned half = 0; half < 64; half += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + half));
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i low = _mm256_and_si256(bytes, nibble);
    const __m256i high = _mm256_shuffle_epi8(table256(kHighBit), _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble));
    const auto beyond = static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
    masks.word |= std::uint64_t{members256(classes.word, low, high)} << half;
    masks.punctuation |= std::uint64_t{members256(classes.punctuation, low, high)} << half;
    masks.special |= std::uint64_t{members256(classes.special, low, high) | beyond} << half;
  }
}

PUMICE_END

PUMICE_BEGIN_AVX512
namespace {

__m512i table512(const std::uint8_t* bytes) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

}  // namespace

void classify_avx512(const ByteClasses& classes, const char* text, ByteMasks& masks) {
  const __m512i bytes = _mm512_loadu_si512(text);
  const __m512i nibble = _mm512_set1_epi8(15);
  const __m512i low = _mm512_and_si512(bytes, nibble);
  const __m512i high = _mm512_shuffle_epi8(table512(kHighBit), _mm512_and_si512(_mm512_srli_epi16(bytes, 4), nibble));
  masks.word = _mm512_test_epi8_mask(_mm512_shuffle_epi8(table512(classes.word.low), low), high);
  masks.punctuation = _mm512_test_epi8_mask(_mm512_shuffle_epi8(table512(classes.punctuation.low), low), high);
  masks.special =
      _mm512_test_epi8_mask(_mm512_shuffle_epi8(table512(classes.special.low), low), high) | _mm512_movepi8_mask(bytes);
}

PUMICE_END

}  // namespace pumice::simd
#endif
