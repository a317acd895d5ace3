// The row kernels with WebAssembly's 128-bit SIMD: 4 dimensions a register.
#include "instructions.h"

#ifdef PUMICE_WASM_SIMD
#include <wasm_simd128.h>

#include "../prefetch.h"
#include "distinct_rows.h"
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
    kRowTails.to_halves(values, kWidth, out);
  }
};

// Two rows side by side, found once for all blocks of their dimensions.
struct RowPair {
  const std::int8_t* row;
  const std::int8_t* other;
  std::int32_t multipliers;
};

constexpr std::size_t kDims = 8;  // of a block: the low four in one sum, the high four in the other

template <std::size_t Blocks>
void add_pairs(std::int32_t* sum, const RowPair* pairs, std::size_t count, std::size_t from, bool first) {
  v128_t low[Blocks], high[Blocks];
  for_each<Blocks>([&](std::size_t b) {
    low[b] = first ? wasm_i32x4_splat(0) : wasm_v128_load(sum + from + b * kDims);
    high[b] = first ? wasm_i32x4_splat(0) : wasm_v128_load(sum + from + b * kDims + 4);
  });
  for (std::size_t i = 0; i < count; ++i) {
    const std::int8_t* const row = pairs[i].row + from;
    const std::int8_t* const other = pairs[i].other + from;
    const v128_t multipliers = wasm_v128_load32_splat(&pairs[i].multipliers);
    for_each<Blocks>([&](std::size_t b) {
      const v128_t x = wasm_i16x8_load8x8(row + b * kDims), y = wasm_i16x8_load8x8(other + b * kDims);
      const v128_t front = wasm_i16x8_shuffle(x, y, 0, 8, 1, 9, 2, 10, 3, 11);
      const v128_t back = wasm_i16x8_shuffle(x, y, 4, 12, 5, 13, 6, 14, 7, 15);
      low[b] = wasm_i32x4_add(low[b], wasm_i32x4_dot_i16x8(front, multipliers));
      high[b] = wasm_i32x4_add(high[b], wasm_i32x4_dot_i16x8(back, multipliers));
      asm volatile("" ::: "memory");  // the next block's loads come after it: there are not that many registers
    });
  }
  for_each<Blocks>([&](std::size_t b) {
    wasm_v128_store(sum + from + b * kDims, low[b]);
    wasm_v128_store(sum + from + b * kDims + 4, high[b]);
  });
}

void add_rows_once(std::int32_t* sum, const std::int16_t* multipliers, const RowList& list) {
  const auto* table = static_cast<const std::int8_t*>(list.table);
  RowPair pairs[kMostIntegerRows / 2];
  for (std::size_t i = 0; i < list.count; i += 2) {
    const bool paired = i + 1 < list.count;
    const std::int8_t* const row = table + list.rows[i] * list.stride;
    const std::int32_t other = paired ? multipliers[i + 1] : 0;
    pairs[i / 2] = {row, paired ? table + list.rows[i + 1] * list.stride : row,
                    static_cast<std::uint16_t>(multipliers[i]) | other * 65536};
  }
  const std::size_t count = (list.count + 1) / 2;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t at = 0; at < list.dim; at += kCacheLine) {
      prefetch(pairs[i].row + at);
      prefetch(pairs[i].other + at);
    }
  }
  constexpr std::size_t kBlocks = 4;
  std::size_t from = 0;
  for (; from + kBlocks * kDims <= list.dim; from += kBlocks * kDims)
    add_pairs<kBlocks>(sum, pairs, count, from, list.first);
  for (; from + kDims <= list.dim; from += kDims) add_pairs<1>(sum, pairs, count, from, list.first);
  if (from != list.dim) kRowTails.add_rows_i8(sum + from, multipliers, rest_of<std::int8_t>(list, from));
}

}  // namespace

constexpr RowKernels kWasmRows = row_kernels<FromF32, 8, FromF16, 4>(add_distinct_rows<add_rows_once>);

}  // namespace pumice::simd
#endif
