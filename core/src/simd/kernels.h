// The kernels that this processor runs fastest, chosen once when a model is opened.
#pragma once

#include "classify.h"
#include "find_words.h"
#include "list_words.h"
#include "packed_rows.h"
#include "row_kernels.h"

namespace pumice::simd {

struct Kernels {
  const RowKernels* rows;
  const PackedKernels* packed;
  Classify classify;
  ListWords list_words;
  const FindWords* find;
};

const Kernels& kernels();

}  // namespace pumice::simd
