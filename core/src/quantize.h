// Writes a float32 vector as float32, float16, int8 or sign bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pumice.h"

namespace pumice {

// `out` takes pumice_vector_size(dim, type) bytes and needs no alignment.
void write_vector(const float* vector, std::uint32_t dim, std::uint32_t type, void* out);

}  // namespace pumice
