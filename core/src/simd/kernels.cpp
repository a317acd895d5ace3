// The kernels that this processor runs fastest, chosen once when a model is opened.
#include "kernels.h"

#include "instructions.h"

namespace pumice::simd {
namespace {

constexpr Kernels kPortable = {add_rows_f32_portable, add_rows_f16_portable, add_rows_i8_portable, classify_portable};
#ifdef PUMICE_X86
constexpr Kernels kAvx2 = {add_rows_f32_avx2, add_rows_f16_avx2, add_rows_i8_avx2, classify_avx2};
constexpr Kernels kAvx512 = {add_rows_f32_avx512, add_rows_f16_avx512, add_rows_i8_avx512, classify_avx512};
#endif

}  // namespace

const Kernels& kernels() {
#ifdef PUMICE_X86
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx512) return kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) return kAvx2;
#endif
  return kPortable;
}

}  // namespace pumice::simd
