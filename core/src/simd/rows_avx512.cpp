// Rows added with AVX-512: 16 dimensions a register.
#include "instructions.h"

#ifdef PUMICE_X86
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined registers of its own intrinsics for mistakes.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

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
  struct Sums {
    __m512i low, high;
  };
  static constexpr std::size_t kWidth = 32;
  static __m512i multiplier(std::int16_t first, std::int16_t second) {
    return _mm512_set1_epi32(static_cast<std::uint16_t>(first) | static_cast<std::int32_t>(second) * 65536);
  }
  static __m512i widen(const std::int8_t* row) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row)));
  }
  static void add(Sums& sums, const std::int8_t* first, const std::int8_t* second, __m512i pair) {
    const __m512i a = widen(first), b = widen(second);
    sums.low = _mm512_add_epi32(sums.low, _mm512_madd_epi16(_mm512_unpacklo_epi16(a, b), pair));
    sums.high = _mm512_add_epi32(sums.high, _mm512_madd_epi16(_mm512_unpackhi_epi16(a, b), pair));
  }
  static void add_to(std::int32_t* sum, const Sums& sums) {
    const __m512i front = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i back = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    const __m512i first = _mm512_permutex2var_epi64(sums.low, front, sums.high);
    const __m512i second = _mm512_permutex2var_epi64(sums.low, back, sums.high);
    _mm512_storeu_si512(sum, _mm512_add_epi32(_mm512_loadu_si512(sum), first));
    _mm512_storeu_si512(sum + 16, _mm512_add_epi32(_mm512_loadu_si512(sum + 16), second));
  }
};

}  // namespace

constexpr RowKernels kAvx512Rows = row_kernels<FromF32, 16, FromF16, 16, Pairs, 8>();

}  // namespace pumice::simd

PUMICE_END
#endif
