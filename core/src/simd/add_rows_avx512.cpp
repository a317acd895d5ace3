// sum[i] += weight * row[i] with AVX-512: 16 dimensions a register.
#include "instructions.h"

#ifdef PUMICE_X86
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined registers of its own intrinsics for mistakes.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include "add_rows.h"

PUMICE_BEGIN_AVX512

#include "add_rows_blocks.h"

namespace pumice::simd {
namespace {

struct Floats {
  using Register = __m512;
  static constexpr std::size_t kWidth = 16;
  static Register load(const float* x) { return _mm512_loadu_ps(x); }
  static void store(float* x, Register v) { _mm512_storeu_ps(x, v); }
  static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm512_mul_ps(a, b); }
  static Register broadcast(float x) { return _mm512_set1_ps(x); }
};

struct FromF32 : Floats {
  using Value = float;
  static Register widen(const Value* row) { return _mm512_loadu_ps(row); }
};

struct FromF16 : Floats {
  using Value = std::uint16_t;
  static Register widen(const Value* row) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row)));
  }
};

struct FromI8 : Floats {
  using Value = std::int8_t;
  static Register widen(const Value* row) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row))));
  }
};

}  // namespace

void add_rows_f32_avx512(float* sum, const RowList& list) {
  if (list.weights != nullptr) return add_blocks<FromF32, 16, true>(sum, list, add_rows_f32_portable);
  add_blocks<FromF32, 16, false>(sum, list, add_rows_f32_portable);
}

void add_rows_f16_avx512(float* sum, const RowList& list) {
  add_blocks<FromF16, 16, true>(sum, list, add_rows_f16_portable);
}

void add_rows_i8_avx512(float* sum, const RowList& list) {
  add_blocks<FromI8, 16, true>(sum, list, add_rows_i8_portable);
}

}  // namespace pumice::simd

PUMICE_END
#endif
