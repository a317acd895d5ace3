// Rows of codes of 1, 2 or 4 bits, added up in integers: kernels for each instruction set.
#pragma once

#include "row_kernels.h"

namespace pumice::simd {

// A code c of b bits counts 2 c - (2^b - 1): the odd numbers from -1 to 1, -3 to 3, -15 to 15. The first code of a byte
// is in its lowest bits; a row begins a byte, so that a list's stride is in bytes. Otherwise as AddIntegerRows.
struct PackedKernels {
  AddIntegerRows add_rows_1;
  AddIntegerRows add_rows_2;
  AddIntegerRows add_rows_4;
};

extern const PackedKernels kPortablePacked;
extern const PackedKernels kAvx2Packed;
extern const PackedKernels kAvx512Packed;
extern const PackedKernels kNeonPacked;
extern const PackedKernels kWasmPacked;

}  // namespace pumice::simd
