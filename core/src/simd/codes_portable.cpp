// Codes compared without any instruction set of its own, WebAssembly's and NEON's as the compiler finds them.
#include <bit>
#include <cstring>

#include "code_loops.h"

namespace pumice::simd {

constexpr CodeKernels kPortableCodes = kLoops;

}  // namespace pumice::simd
