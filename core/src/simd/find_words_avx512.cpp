// A set's ways compared with AVX-512, whose masks pick the ids of the one that has the word.
#include "instructions.h"

#ifdef PUMICE_X86
#include <bit>
#include <cstring>

#include "avx512.h"
#include "find_words.h"

PUMICE_BEGIN_AVX512

#include "find_blocks.h"
#include "find_x86.h"

namespace pumice::simd {
namespace {

struct Masked {
  static bool little(const LittleWords::Set& set, std::uint64_t key, FoundWord& found) {
    const __m256i wanted = _mm256_set1_epi64x(static_cast<std::int64_t>(key));
    const __mmask8 ways = _mm256_cmpeq_epi64_mask(load(set.keys), wanted);
    // A word may be twice in a set, with the same ids.
    const __m128i ids = _mm_move_epi64(_mm256_castsi256_si128(_mm256_maskz_compress_epi64(ways, load(set.ids))));
    store(found, ids);
    return ways != 0;
  }

  static std::size_t way_of(const ShortWords::Entry* set, const ShortWords::Key& key) {
    const __m512i wanted = _mm512_broadcast_i64x2(load(key));
    const unsigned low = _mm512_cmpeq_epi64_mask(wanted, _mm512_loadu_si512(set));
    const unsigned high = _mm512_cmpeq_epi64_mask(wanted, _mm512_loadu_si512(set + 2));
    // Of an entry's four words of 8 bytes, the first two are its key.
    const unsigned words = low | high << 8 | 1u << 16 | 1u << 17;
    return static_cast<std::size_t>(std::countr_zero(words & words >> 1 & 0x11111u)) / 4;
  }
};

}  // namespace

constexpr FindWords kAvx512Find = {find_little<Masked>, find_short<Masked>};

}  // namespace pumice::simd

PUMICE_END
#endif
