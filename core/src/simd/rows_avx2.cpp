// Rows added with AVX2: 8 dimensions a register.
#include "instructions.h"

#ifdef PUMICE_X86
#include <immintrin.h>

#include "row_kernels.h"

PUMICE_BEGIN_AVX2

#include "row_blocks.h"

namespace pumice::simd {
namespace {

struct Floats {
  using Register = __m256;
  static constexpr std::size_t kWidth = 8;
  static Register load(const float* x) { return _mm256_loadu_ps(x); }
  static void store(float* x, Register v) { _mm256_storeu_ps(x, v); }
  static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm256_mul_ps(a, b); }
  static Register broadcast(float x) { return _mm256_set1_ps(x); }
  static void store_past_caches(float* x, Register v) { _mm256_stream_ps(x, v); }
  static void fence() { _mm_sfence(); }
  // In the order of SumOfSquares.
  static float total(const Register (&lanes)[2]) {
    const __m256 eight = _mm256_add_ps(lanes[0], lanes[1]);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
  }
  static Register from_integers(const std::int32_t* x) {
    return _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
  }
  static unsigned positive(const float* x) {
    return static_cast<unsigned>(
        _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(x), _mm256_setzero_ps(), _CMP_GT_OQ)));
  }
};

struct FromF32 : Floats {
  using Value = float;
  static Register widen(const Value* row) { return _mm256_loadu_ps(row); }
};

struct FromF16 : Floats {
  using Value = std::uint16_t;
  static Register widen(const Value* row) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)));
  }
  static void narrow(Register x, std::uint8_t* out) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
};

// 16 dimensions: in each half of a register the low four of eight are in `low`, the high four in `high`.
struct Pairs {
  using Sums = __m256i;
  static constexpr std::size_t kWidth = 16;
  static Sums zero() { return _mm256_setzero_si256(); }
  static __m256i multiplier(std::int16_t first, std::int16_t second) {
    return _mm256_set1_epi32(static_cast<std::uint16_t>(first) | static_cast<std::int32_t>(second) * 65536);
  }
  static __m256i widen(const std::int8_t* row) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)));
  }
  static void add(Sums& low, Sums& high, const std::int8_t* first, const std::int8_t* second, __m256i pair) {
    const __m256i a = widen(first), b = widen(second);
    low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), pair));
    high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), pair));
  }
  static __m256i front(Sums low, Sums high) { return _mm256_permute2x128_si256(low, high, 0x20); }
  static __m256i back(Sums low, Sums high) { return _mm256_permute2x128_si256(low, high, 0x31); }
  static void store(std::int32_t* sum, Sums low, Sums high) {
    auto* out = reinterpret_cast<__m256i*>(sum);
    _mm256_storeu_si256(out, front(low, high));
    _mm256_storeu_si256(out + 1, back(low, high));
  }
  static void add_to(std::int32_t* sum, Sums low, Sums high) {
    auto* out = reinterpret_cast<__m256i*>(sum);
    _mm256_storeu_si256(out, _mm256_add_epi32(_mm256_loadu_si256(out), front(low, high)));
    _mm256_storeu_si256(out + 1, _mm256_add_epi32(_mm256_loadu_si256(out + 1), back(low, high)));
  }
};

}  // namespace

constexpr RowKernels kAvx2Rows = row_kernels<FromF32, 8, FromF16, 8>(add_integer_rows<Pairs, 4>);

}  // namespace pumice::simd

PUMICE_END
#endif
