// Eight words at a time with AVX-512 VBMI2: bytes are moved to where keys have them by one instruction.
#include "instructions.h"

#ifdef PUMICE_X86
#include <bit>
#include <cstring>

#include "avx512.h"
#include "list_words.h"

PUMICE_BEGIN_AVX512_VBMI2

#include "word_blocks.h"

namespace pumice::simd {
namespace {

class VectorBlock {
 public:
  explicit VectorBlock(const ByteClasses& classes)
      : word_(table(classes.word.low)),
        punctuation_(table(classes.punctuation.low)),
        special_(table(classes.special.low)),
        high_bit_(table(kHighBit)) {}

  ByteMasks masks(const char* at, std::size_t left) {
    const __mmask64 there = left < 64 ? (__mmask64{1} << left) - 1 : ~__mmask64{0};
    bytes_ = _mm512_mask_loadu_epi8(_mm512_set1_epi8(' '), there, at);
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i low = _mm512_and_si512(bytes_, nibble);
    const __m512i high = _mm512_shuffle_epi8(high_bit_, _mm512_and_si512(_mm512_srli_epi16(bytes_, 4), nibble));
    return {_mm512_test_epi8_mask(_mm512_shuffle_epi8(word_, low), high),
            _mm512_test_epi8_mask(_mm512_shuffle_epi8(punctuation_, low), high),
            _mm512_test_epi8_mask(_mm512_shuffle_epi8(special_, low), high) | _mm512_movepi8_mask(bytes_)};
  }

  void add(const BlockWords& words, const char* at, WordList& list) const {
    const auto count = static_cast<std::size_t>(std::popcount(words.starts));
    const __m512i begins = _mm512_maskz_compress_epi8(words.starts, places());
    const __m512i lasts = _mm512_maskz_compress_epi8(words.ends, places());
    const __m512i sizes = _mm512_sub_epi8(lasts, _mm512_sub_epi8(begins, _mm512_set1_epi8(1)));
    _mm512_storeu_si512(list.size + list.count, sizes);
    const __m512i in_word = _mm512_set1_epi64(0x0706050403020100);
    const __m512i after = _mm512_set1_epi8(8);
    __m512i eight = _mm512_setr_epi64(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303, 0x0404040404040404,
                                      0x0505050505050505, 0x0606060606060606, 0x0707070707070707);
    for (std::size_t done = 0; done < count; done += 8, eight = _mm512_add_epi8(eight, after)) {
      const __m512i begin = _mm512_permutexvar_epi8(eight, begins);
      const __m512i size = _mm512_permutexvar_epi8(eight, sizes);
      const __m512i low = _mm512_add_epi8(begin, in_word);
      const __m512i high = _mm512_add_epi8(low, after);
      const __mmask64 has_low = _mm512_cmplt_epu8_mask(in_word, size);
      const __mmask64 has_high = _mm512_cmplt_epu8_mask(_mm512_add_epi8(in_word, after), size);
      const std::size_t to = list.count + done;
      _mm512_storeu_si512(list.low + to, _mm512_maskz_permutexvar_epi8(has_low, low, bytes_));
      _mm512_storeu_si512(list.high + to, _mm512_maskz_permutexvar_epi8(has_high, high, bytes_));
      const __m512i offsets = _mm512_and_si512(begin, _mm512_set1_epi64(0xFF));
      if constexpr (sizeof(const char*) == sizeof(std::int64_t)) {
        const __m512i address = _mm512_set1_epi64(static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(at)));
        _mm512_storeu_si512(list.begin + to, _mm512_add_epi64(offsets, address));
      } else {
        std::uint64_t offset[8];
        _mm512_storeu_si512(offset, offsets);
        for (std::size_t i = 0; i < 8; ++i) list.begin[to + i] = at + static_cast<std::size_t>(offset[i]);
      }
    }
    list.count += count;
  }

 private:
  static __m512i table(const std::uint8_t* bytes) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
  }

  // 0 to 63.
  static __m512i places() {
    const __m512i in_eight = _mm512_set1_epi64(0x0706050403020100);
    return _mm512_add_epi8(
        in_eight, _mm512_setr_epi64(0, 0x0808080808080808, 0x1010101010101010, 0x1818181818181818, 0x2020202020202020,
                                    0x2828282828282828, 0x3030303030303030, 0x3838383838383838));
  }

  __m512i word_, punctuation_, special_, high_bit_;
  __m512i bytes_;
};

}  // namespace

const char* list_words_avx512(const ByteClasses& classes, const char* at, const char* end, WordList& list) {
  VectorBlock block(classes);
  return list_words(block, at, end, list);
}

}  // namespace pumice::simd

PUMICE_END
#endif
