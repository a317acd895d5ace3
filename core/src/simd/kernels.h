// The kernels that this processor runs fastest, chosen once when a model is opened.
#pragma once

#include "add_rows.h"
#include "classify.h"

namespace pumice::simd {

struct Kernels {
  AddRows add_rows_f32;
  AddRows add_rows_f16;
  AddRows add_rows_i8;
  Classify classify;
};

const Kernels& kernels();

}  // namespace pumice::simd
