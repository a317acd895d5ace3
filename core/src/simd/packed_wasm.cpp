// Packed rows with WebAssembly's 128-bit SIMD: 8 codes a register.
#include "instructions.h"

#ifdef PUMICE_WASM_SIMD
#include <wasm_simd128.h>

#include <cstring>

#include "distinct_rows.h"
#include "packed_blocks.h"

namespace pumice::simd {
namespace {

// The low four of eight codes are added in `low`, the high four in `high`.
struct Lanes {
  using Register = v128_t;
  static constexpr std::size_t kWidth = 8;

  // A lane's byte, times what moves its code to the byte's highest bits, and down from there.
  template <unsigned Bits>
  static Register codes(const std::uint8_t* row) {
    static constexpr auto kByte =
        lane_table<std::uint8_t, 16>([](std::size_t i) { return i % 2 ? 0x80 : i / 2 * Bits / 8; });
    static constexpr auto kFactor =
        lane_table<std::int16_t, kWidth>([](std::size_t i) { return 1 << (8 - Bits - i * Bits % 8); });
    constexpr int kHighest = ((1 << Bits) - 1) << (8 - Bits);
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, row, Bits);
    const Register lanes = wasm_i8x16_swizzle(wasm_u32x4_splat(bytes), wasm_v128_load(kByte.values));
    const Register moved = wasm_i16x8_mul(lanes, wasm_v128_load(kFactor.values));
    return wasm_u16x8_shr(wasm_v128_and(moved, wasm_i16x8_splat(kHighest)), 8 - Bits);
  }
  static Register zero() { return wasm_i32x4_splat(0); }
  static Register multiplier(std::int16_t first, std::int16_t second) {
    return wasm_i32x4_splat(static_cast<std::uint16_t>(first) | static_cast<std::int32_t>(second) * 65536);
  }
  static void add(Register& low, Register& high, Register a, Register b, Register pair) {
    const Register front = wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    const Register back = wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    low = wasm_i32x4_add(low, wasm_i32x4_dot_i16x8(front, pair));
    high = wasm_i32x4_add(high, wasm_i32x4_dot_i16x8(back, pair));
  }
  static void add_twice_to(std::int32_t* sum, Register low, Register high, std::int32_t bias) {
    add_one(sum, low, bias);
    add_one(sum + 4, high, bias);
  }
  static void add_one(std::int32_t* sum, Register codes, std::int32_t bias) {
    const Register values = wasm_i32x4_sub(wasm_i32x4_shl(codes, 1), wasm_i32x4_splat(bias));
    wasm_v128_store(sum, wasm_i32x4_add(wasm_v128_load(sum), values));
  }
};

constexpr PackedKernels kEveryRow = packed_kernels<Lanes, 4>();

}  // namespace

constexpr PackedKernels kWasmPacked = {add_distinct_rows<kEveryRow.add_rows_1>, add_distinct_rows<kEveryRow.add_rows_2>,
                                       add_distinct_rows<kEveryRow.add_rows_4>};

}  // namespace pumice::simd
#endif
