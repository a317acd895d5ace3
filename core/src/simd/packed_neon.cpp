// Packed rows with NEON: 8 codes a register.
#include "instructions.h"

#ifdef PUMICE_NEON
#include <arm_neon.h>

#include <cstring>

#include "packed_blocks.h"

namespace pumice::simd {
namespace {

// The low four of eight codes are added in `low`, the high four in `high`.
struct Lanes {
  using Register = int32x4_t;
  struct Multiplier {
    std::int16_t first, second;
  };
  static constexpr std::size_t kWidth = 8;

  template <unsigned Bits>
  static int16x8_t codes(const std::uint8_t* row) {
    static constexpr auto kByte = lane_table<std::uint8_t, kWidth>([](std::size_t i) { return i * Bits / 8; });
    static constexpr auto kShift =
        lane_table<std::int8_t, kWidth>([](std::size_t i) { return -static_cast<int>(i * Bits % 8); });
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, row, Bits);
    const uint8x8_t lanes = vtbl1_u8(vcreate_u8(bytes), vld1_u8(kByte.values));
    const uint8x8_t moved = vshl_u8(lanes, vld1_s8(kShift.values));
    return vreinterpretq_s16_u16(vmovl_u8(vand_u8(moved, vdup_n_u8((1 << Bits) - 1))));
  }
  static Register zero() { return vdupq_n_s32(0); }
  static Multiplier multiplier(std::int16_t first, std::int16_t second) { return {first, second}; }
  static void add(Register& low, Register& high, int16x8_t a, int16x8_t b, Multiplier pair) {
    low = vmlal_n_s16(vmlal_n_s16(low, vget_low_s16(a), pair.first), vget_low_s16(b), pair.second);
    high = vmlal_n_s16(vmlal_n_s16(high, vget_high_s16(a), pair.first), vget_high_s16(b), pair.second);
  }
  static void add_twice_to(std::int32_t* sum, Register low, Register high, std::int32_t bias) {
    add_one(sum, low, bias);
    add_one(sum + 4, high, bias);
  }
  static void add_one(std::int32_t* sum, Register codes, std::int32_t bias) {
    const Register values = vsubq_s32(vshlq_n_s32(codes, 1), vdupq_n_s32(bias));
    vst1q_s32(sum, vaddq_s32(vld1q_s32(sum), values));
  }
};

}  // namespace

constexpr PackedKernels kNeonPacked = packed_kernels<Lanes, 8>();

}  // namespace pumice::simd
#endif
