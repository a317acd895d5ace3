// The code kernels that this processor runs fastest.
#include "code_kernels.h"

#include "instructions.h"

namespace pumice::simd {

const CodeKernels& code_kernels() {
#if defined(PUMICE_X86)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) return kAvx2Codes;
#endif
  return kPortableCodes;
}

}  // namespace pumice::simd
