// Codes compared with AVX2's registers and the bit count that every processor with AVX2 has.
#include "instructions.h"

#ifdef PUMICE_X86
#include <bit>
#include <cstring>

#include "code_kernels.h"

PUMICE_BEGIN_AVX2

#include "code_loops.h"

namespace pumice::simd {

constexpr CodeKernels kAvx2Codes = kLoops;

}  // namespace pumice::simd

PUMICE_END
#endif
