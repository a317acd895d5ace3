// All dot products of some vectors with others.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace pumice::training {

struct Vectors {
  const float* data;  // [count][dim]
  std::size_t count;
};

// out[i][j] = left[i] . right[j]; a row of `out` has `stride` numbers, those past the last vector stay as they are.
void dot_products(const Kernels& kernels, Vectors left, Vectors right, std::size_t dim, float* out, std::size_t stride);

}  // namespace pumice::training
