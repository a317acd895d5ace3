// Writes a float32 vector as float32, float16, int8 or sign bits.
#include "quantize.h"

#include <cstring>

namespace pumice {

void write_vector(const simd::RowKernels& kernels, const float* vector, std::uint32_t dim, std::uint32_t type,
                  void* out) {
  switch (type) {
    case PUMICE_VECTOR_F32:
      std::memcpy(out, vector, dim * sizeof(float));
      break;
    case PUMICE_VECTOR_F16:
      kernels.to_halves(vector, dim, static_cast<std::uint8_t*>(out));
      break;
    case PUMICE_VECTOR_I8:
      // A scale per vector, 127 / max|x|, uses all of int8 and leaves every cosine as it was but for the rounding.
      kernels.to_bytes(vector, dim, static_cast<std::int8_t*>(out));
      break;
    case PUMICE_VECTOR_BINARY:
      kernels.to_bits(vector, dim, static_cast<std::uint8_t*>(out));
      break;
  }
}

}  // namespace pumice
