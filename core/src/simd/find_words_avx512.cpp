// A set's ways compared with AVX-512, whose masks pick the ids of the one that has the word.
#include "instructions.h"

#ifdef PUMICE_X86
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined registers of its own intrinsics for mistakes.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include <bit>
#include <cstring>

#include "find_words.h"

PUMICE_BEGIN_AVX512

#include "find_blocks.h"

namespace pumice::simd {
namespace {

struct Masked {
  static bool little(const LittleWords::Set& set, std::uint64_t key, FoundWord& found) {
    const __m256i wanted = _mm256_set1_epi64x(static_cast<std::int64_t>(key));
    const __mmask8 ways = _mm256_cmpeq_epi64_mask(load(set.keys), wanted);
    // A word may be twice in a set, with the same ids.
    const __m128i ids = _mm_move_epi64(_mm256_castsi256_si128(_mm256_maskz_compress_epi64(ways, load(set.ids))));
    // One token where the second id is kNoToken, two where it is not.
    const __m128i none = _mm_shuffle_epi32(_mm_cmpeq_epi32(ids, _mm_set1_epi32(-1)), _MM_SHUFFLE(1, 1, 1, 1));
    const __m128i counts =
        _mm_xor_si128(_mm_setr_epi32(0, 0, 0, 0x0202), _mm_and_si128(none, _mm_setr_epi32(0, 0, 0, 0x0303)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(&found), _mm_or_si128(ids, counts));
    return ways != 0;
  }

  static std::size_t way_of(const ShortWords::Entry* set, const ShortWords::Key& key) {
    const __m512i wanted = _mm512_broadcast_i64x2(_mm_loadu_si128(reinterpret_cast<const __m128i*>(key.words)));
    const unsigned low = _mm512_cmpeq_epi64_mask(wanted, _mm512_loadu_si512(set));
    const unsigned high = _mm512_cmpeq_epi64_mask(wanted, _mm512_loadu_si512(set + 2));
    // Of an entry's four words of 8 bytes, the first two are its key.
    const unsigned words = low | high << 8 | 1u << 16 | 1u << 17;
    return static_cast<std::size_t>(std::countr_zero(words & words >> 1 & 0x11111u)) / 4;
  }

 private:
  static __m256i load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
};

}  // namespace

constexpr FindWords kAvx512Find = {find_little<Masked>, find_short<Masked>};

}  // namespace pumice::simd

PUMICE_END
#endif
