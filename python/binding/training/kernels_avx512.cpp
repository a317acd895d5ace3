// Training's kernels with AVX-512.
#include "simd/instructions.h"

#ifdef PUMICE_X86
#include "kernels.h"
#include "simd/avx512.h"

PUMICE_BEGIN_AVX512

#include "exponential.h"
#include "loops.h"

namespace pumice::training {
namespace {

struct Avx512 {
  using Register = __m512;
  static constexpr std::size_t kWidth = 16;
  static constexpr std::size_t kTileRows = 8;
  static Register load(const float* x) { return _mm512_loadu_ps(x); }
  static void store(float* x, Register v) { _mm512_storeu_ps(x, v); }
  static Register load_some(const float* x, std::size_t count) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), x);
  }
  static Register broadcast(float x) { return _mm512_set1_ps(x); }
  static Register zero() { return _mm512_setzero_ps(); }
  static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  static Register subtract(Register a, Register b) { return _mm512_sub_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm512_mul_ps(a, b); }
  static Register divide(Register a, Register b) { return _mm512_div_ps(a, b); }
  static Register square_root(Register a) { return _mm512_sqrt_ps(a); }
  // a * b + c
  static Register fused(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
  static Register nearest(Register x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  // The larger; the second where one is not a number.
  static Register larger(Register a, Register b) { return _mm512_max_ps(a, b); }
  // x * 2 ** power
  static Register times_power(Register x, Register power) { return _mm512_scalef_ps(x, power); }
  // x, or 0 where `value` is below `limit`
  static Register zero_below(Register x, Register value, Register limit) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(value, limit, _CMP_NLT_UQ), x);
  }
};

}  // namespace

const Kernels kAvx512Kernels = kernels_of<Avx512>("avx512");

}  // namespace pumice::training

PUMICE_END
#endif
