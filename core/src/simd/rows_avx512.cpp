// Rows added with AVX-512: 16 dimensions a register.
#include "instructions.h"

#ifdef PUMICE_X86
#include "avx512.h"
#include "row_kernels.h"

PUMICE_BEGIN_AVX512

#include "row_blocks.h"

namespace pumice::simd {
namespace {

struct Floats {
  using Register = __m512;
  static constexpr std::size_t kWidth = 16;
  static Register load(const float* x) { return _mm512_loadu_ps(x); }
  static void store(float* x, Register v) { _mm512_storeu_ps(x, v); }
  static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm512_mul_ps(a, b); }
  static Register broadcast(float x) { return _mm512_set1_ps(x); }
  static void store_past_caches(float* x, Register v) { _mm512_stream_ps(x, v); }
  static void fence() { _mm_sfence(); }
  // In the order of SumOfSquares.
  static float total(const Register (&lanes)[1]) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes[0]), _mm512_extractf32x8_ps(lanes[0], 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
  }
  static Register from_integers(const std::int32_t* x) { return _mm512_cvtepi32_ps(_mm512_loadu_si512(x)); }
  static unsigned positive(const float* x) {
    return static_cast<unsigned>(
        _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(x), _mm256_setzero_ps(), _CMP_GT_OQ)));
  }
};

struct FromF32 : Floats {
  using Value = float;
  static Register widen(const Value* row) { return _mm512_loadu_ps(row); }
};

struct FromF16 : Floats {
  using Value = std::uint16_t;
  static Register widen(const Value* row) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row)));
  }
  static void narrow(Register x, std::uint8_t* out) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
};

// 32 dimensions: in each quarter of a register the low four of eight are in `low`, the high four in `high`.
struct Pairs {
  using Sums = __m512i;
  static constexpr std::size_t kWidth = 32;
  static Sums zero() { return _mm512_setzero_si512(); }
  static __m512i multiplier(std::int16_t first, std::int16_t second) {
    return _mm512_set1_epi32(static_cast<std::uint16_t>(first) | static_cast<std::int32_t>(second) * 65536);
  }
  static __m512i widen(const std::int8_t* row) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row)));
  }
  static void add(Sums& low, Sums& high, const std::int8_t* first, const std::int8_t* second, __m512i pair) {
    const __m512i a = widen(first), b = widen(second);
    low = _mm512_add_epi32(low, _mm512_madd_epi16(_mm512_unpacklo_epi16(a, b), pair));
    high = _mm512_add_epi32(high, _mm512_madd_epi16(_mm512_unpackhi_epi16(a, b), pair));
  }
  static __m512i front(Sums low, Sums high) {
    return _mm512_permutex2var_epi64(low, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), high);
  }
  static __m512i back(Sums low, Sums high) {
    return _mm512_permutex2var_epi64(low, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), high);
  }
  static void store(std::int32_t* sum, Sums low, Sums high) {
    _mm512_storeu_si512(sum, front(low, high));
    _mm512_storeu_si512(sum + 16, back(low, high));
  }
  static void add_to(std::int32_t* sum, Sums low, Sums high) {
    _mm512_storeu_si512(sum, _mm512_add_epi32(_mm512_loadu_si512(sum), front(low, high)));
    _mm512_storeu_si512(sum + 16, _mm512_add_epi32(_mm512_loadu_si512(sum + 16), back(low, high)));
  }
};

}  // namespace

constexpr RowKernels kAvx512Rows = row_kernels<FromF32, 16, FromF16, 16>(add_integer_rows<Pairs, 8>);

}  // namespace pumice::simd

PUMICE_END
#endif
