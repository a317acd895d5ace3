// The row kernels with WebAssembly's 128-bit SIMD: 4 dimensions a register.
#include "instructions.h"

#ifdef PUMICE_WASM_SIMD
#include <wasm_simd128.h>

#include "row_blocks.h"

namespace pumice::simd {
namespace {

struct Floats {
  using Register = v128_t;
  static constexpr std::size_t kWidth = 4;
  static Register load(const float* x) { return wasm_v128_load(x); }
  static void store(float* x, Register v) { wasm_v128_store(x, v); }
  static Register add(Register a, Register b) { return wasm_f32x4_add(a, b); }
  static Register multiply(Register a, Register b) { return wasm_f32x4_mul(a, b); }
  static Register broadcast(float x) { return wasm_f32x4_splat(x); }
  static Register from_integers(const std::int32_t* x) { return wasm_f32x4_convert_i32x4(wasm_v128_load(x)); }
  static unsigned positive(const float* x) {
    const v128_t zero = wasm_f32x4_splat(0);
    const std::uint32_t low = wasm_i32x4_bitmask(wasm_f32x4_gt(wasm_v128_load(x), zero));
    return low | wasm_i32x4_bitmask(wasm_f32x4_gt(wasm_v128_load(x + 4), zero)) << 4;
  }
};

struct FromF32 : Floats {
  using Value = float;
  static Register widen(const Value* row) { return wasm_v128_load(row); }
};

// WebAssembly has no conversion from float16. All but infinity and NaN, which no table holds, is the same number
// with its exponent's bias changed: the bits in float32's places, times 2^112, exact for subnormals too.
struct FromF16 : Floats {
  using Value = std::uint16_t;
  static Register widen(const Value* row) {
    const v128_t bits = wasm_u32x4_load16x4(row);
    const v128_t magnitude = wasm_i32x4_shl(wasm_v128_and(bits, wasm_i32x4_splat(0x7FFF)), 13);
    const v128_t sign = wasm_i32x4_shl(wasm_v128_and(bits, wasm_i32x4_splat(0x8000)), 16);
    return wasm_v128_or(wasm_f32x4_mul(magnitude, wasm_f32x4_splat(0x1p112f)), sign);
  }
  static void narrow(Register x, std::uint8_t* out) {
    float values[kWidth];
    store(values, x);
    kPortableRows.to_halves(values, kWidth, out);
  }
};

// 8 dimensions: the low four in `low`, the high four in `high`.
struct Pairs {
  using Sums = v128_t;
  static constexpr std::size_t kWidth = 8;
  static Sums zero() { return wasm_i32x4_splat(0); }
  static v128_t multiplier(std::int16_t first, std::int16_t second) {
    return wasm_i32x4_splat(static_cast<std::uint16_t>(first) | static_cast<std::int32_t>(second) * 65536);
  }
  static void add(Sums& low_sums, Sums& high_sums, const std::int8_t* first, const std::int8_t* second, v128_t pair) {
    const v128_t a = wasm_i16x8_load8x8(first), b = wasm_i16x8_load8x8(second);
    const v128_t low = wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    const v128_t high = wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    low_sums = wasm_i32x4_add(low_sums, wasm_i32x4_dot_i16x8(low, pair));
    high_sums = wasm_i32x4_add(high_sums, wasm_i32x4_dot_i16x8(high, pair));
  }
  static void store(std::int32_t* sum, Sums low, Sums high) {
    wasm_v128_store(sum, low);
    wasm_v128_store(sum + 4, high);
  }
  static void add_to(std::int32_t* sum, Sums low, Sums high) {
    store(sum, wasm_i32x4_add(wasm_v128_load(sum), low), wasm_i32x4_add(wasm_v128_load(sum + 4), high));
  }
};

}  // namespace

constexpr RowKernels kWasmRows = row_kernels<FromF32, 8, FromF16, 4, Pairs, 4>();

}  // namespace pumice::simd
#endif
