// Training's kernels with AVX2 and FMA.
#include "simd/instructions.h"

#ifdef PUMICE_X86
#include <immintrin.h>

#include "kernels.h"

PUMICE_BEGIN_AVX2_FMA

#include "exponential.h"
#include "loops.h"

namespace pumice::training {
namespace {

struct Avx2 {
  using Register = __m256;
  static constexpr std::size_t kWidth = 8;
  static constexpr std::size_t kTileRows = 4;
  static Register load(const float* x) { return _mm256_loadu_ps(x); }
  static void store(float* x, Register v) { _mm256_storeu_ps(x, v); }
  static Register load_some(const float* x, std::size_t count) {
    const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(x, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), places));
  }
  static Register broadcast(float x) { return _mm256_set1_ps(x); }
  static Register zero() { return _mm256_setzero_ps(); }
  static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  static Register subtract(Register a, Register b) { return _mm256_sub_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm256_mul_ps(a, b); }
  static Register divide(Register a, Register b) { return _mm256_div_ps(a, b); }
  static Register square_root(Register a) { return _mm256_sqrt_ps(a); }
  // a * b + c
  static Register fused(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }
  static Register nearest(Register x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  // The larger; the second where one is not a number.
  static Register larger(Register a, Register b) { return _mm256_max_ps(a, b); }
  // x * 2 ** power, whose result is a normal number
  static Register times_power(Register x, Register power) {
    const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(power), _mm256_set1_epi32(127));
    return _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)));
  }
  // x, or 0 where `value` is below `limit`
  static Register zero_below(Register x, Register value, Register limit) {
    return _mm256_and_ps(x, _mm256_cmp_ps(value, limit, _CMP_NLT_UQ));
  }
};

}  // namespace

const Kernels kAvx2Kernels = kernels_of<Avx2>("avx2");

}  // namespace pumice::training

PUMICE_END
#endif
