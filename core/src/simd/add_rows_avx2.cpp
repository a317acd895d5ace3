// sum[i] += weight * row[i] with AVX2: 8 dimensions a register.
#include "instructions.h"

#ifdef PUMICE_X86
#include <immintrin.h>

#include "add_rows.h"

PUMICE_BEGIN_AVX2

#include "add_rows_blocks.h"

namespace pumice::simd {
namespace {

struct Floats {
  using Register = __m256;
  static constexpr std::size_t kWidth = 8;
  static Register load(const float* x) { return _mm256_loadu_ps(x); }
  static void store(float* x, Register v) { _mm256_storeu_ps(x, v); }
  static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm256_mul_ps(a, b); }
  static Register broadcast(float x) { return _mm256_set1_ps(x); }
};

struct FromF32 : Floats {
  using Value = float;
  static Register widen(const Value* row) { return _mm256_loadu_ps(row); }
};

struct FromF16 : Floats {
  using Value = std::uint16_t;
  static Register widen(const Value* row) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)));
  }
};

struct FromI8 : Floats {
  using Value = std::int8_t;
  static Register widen(const Value* row) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(row))));
  }
};

}  // namespace

void add_rows_f32_avx2(float* sum, const RowList& list) {
  if (list.weights != nullptr) return add_blocks<FromF32, 8, true>(sum, list, add_rows_f32_portable);
  add_blocks<FromF32, 8, false>(sum, list, add_rows_f32_portable);
}

void add_rows_f16_avx2(float* sum, const RowList& list) {
  add_blocks<FromF16, 8, true>(sum, list, add_rows_f16_portable);
}

void add_rows_i8_avx2(float* sum, const RowList& list) { add_blocks<FromI8, 8, true>(sum, list, add_rows_i8_portable); }

}  // namespace pumice::simd

PUMICE_END
#endif
