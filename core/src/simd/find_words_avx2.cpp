// A set's ways compared with AVX2: four keys of 8 bytes a register.
#include "instructions.h"

#ifdef PUMICE_X86
#include <immintrin.h>

#include <bit>
#include <cstring>

#include "find_words.h"

PUMICE_BEGIN_AVX2

#include "find_blocks.h"
#include "find_x86.h"

namespace pumice::simd {
namespace {

struct Four {
  static bool little(const LittleWords::Set& set, std::uint64_t key, FoundWord& found) {
    const __m256i same = _mm256_cmpeq_epi64(load(set.keys), _mm256_set1_epi64x(static_cast<std::int64_t>(key)));
    const __m256i ids = _mm256_and_si256(load(set.ids), same);
    // A word may be twice in a set, with the same ids.
    __m128i both = _mm_or_si128(_mm256_castsi256_si128(ids), _mm256_extracti128_si256(ids, 1));
    both = _mm_move_epi64(_mm_or_si128(both, _mm_unpackhi_epi64(both, both)));
    store(found, both);
    return _mm256_testz_si256(same, same) == 0;
  }

  static std::size_t way_of(const ShortWords::Entry* set, const ShortWords::Key& key) {
    const __m128i wanted = load(key);
    unsigned ways = 1u << ShortWords::kWays;
    for (unsigned way = 0; way < ShortWords::kWays; ++way) {
      const __m128i other = _mm_xor_si128(wanted, load(set[way].key));
      ways |= static_cast<unsigned>(_mm_testz_si128(other, other)) << way;
    }
    return static_cast<std::size_t>(std::countr_zero(ways));
  }
};

}  // namespace

constexpr FindWords kAvx2Find = {find_little<Four>, find_short<Four>};

}  // namespace pumice::simd

PUMICE_END
#endif
