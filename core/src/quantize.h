// Writes a float32 vector as float32, float16, int8 or sign bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pumice.h"
#include "simd/row_kernels.h"

namespace pumice {

// `out` takes pumice_vector_size(dim, type) bytes and needs no alignment.
void write_vector(const simd::RowKernels& kernels, const float* vector, std::uint32_t dim, std::uint32_t type,
                  void* out);

}  // namespace pumice
