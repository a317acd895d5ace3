// The kernels that this processor runs fastest, chosen once when a model is opened.
#pragma once

#include "classify.h"
#include "find_words.h"
#include "list_words.h"
#include "packed_rows.h"
#include "row_kernels.h"
#include "valid_utf8.h"

namespace pumice::simd {

struct Kernels {
  const RowKernels* rows;
  const PackedKernels* packed;
  Classify classify;
  ListWords list_words;
  const FindWords* find;
  ValidUtf8 valid_utf8 = nullptr;  // null: there is none
};

const Kernels& kernels();

}  // namespace pumice::simd
