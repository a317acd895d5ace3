// The kernels that this processor runs fastest.
#include "kernels.h"

#include "simd/instructions.h"

namespace pumice::training {

const Kernels* kernels() {
#ifdef PUMICE_X86
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return &kAvx512Kernels;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kAvx2Kernels;
#endif
  return nullptr;
}

}  // namespace pumice::training
