// The row kernels with NEON, which every 64-bit ARM processor has: 4 dimensions a register.
#include "instructions.h"

#ifdef PUMICE_NEON
#include <arm_neon.h>

#include "row_blocks.h"

namespace pumice::simd {
namespace {

struct Floats {
  using Register = float32x4_t;
  static constexpr std::size_t kWidth = 4;
  static Register load(const float* x) { return vld1q_f32(x); }
  static void store(float* x, Register v) { vst1q_f32(x, v); }
  static Register add(Register a, Register b) { return vaddq_f32(a, b); }
  static Register multiply(Register a, Register b) { return vmulq_f32(a, b); }
  static Register broadcast(float x) { return vdupq_n_f32(x); }
  static Register from_integers(const std::int32_t* x) { return vcvtq_f32_s32(vld1q_s32(x)); }
  static unsigned positive(const float* x) {
    constexpr std::uint32_t kBit[4] = {1, 2, 4, 8};
    const uint32x4_t bit = vld1q_u32(kBit);
    const std::uint32_t low = vaddvq_u32(vandq_u32(vcgtzq_f32(vld1q_f32(x)), bit));
    const std::uint32_t high = vaddvq_u32(vandq_u32(vcgtzq_f32(vld1q_f32(x + 4)), bit));
    return low | high << 4;
  }
};

struct FromF32 : Floats {
  using Value = float;
  static Register widen(const Value* row) { return vld1q_f32(row); }
};

struct FromF16 : Floats {
  using Value = std::uint16_t;
  static Register widen(const Value* row) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(row))); }
  static void narrow(Register x, std::uint8_t* out) { vst1_u8(out, vreinterpret_u8_f16(vcvt_f16_f32(x))); }
};

// 8 dimensions; the two rows are multiplied one after the other, which is as fast here as side by side.
struct Pairs {
  using Sums = int32x4_t;
  struct Multiplier {
    std::int16_t first, second;
  };
  static constexpr std::size_t kWidth = 8;
  static Sums zero() { return vdupq_n_s32(0); }
  static Multiplier multiplier(std::int16_t first, std::int16_t second) { return {first, second}; }
  static void add(Sums& low, Sums& high, const std::int8_t* first, const std::int8_t* second, Multiplier pair) {
    const int16x8_t a = vmovl_s8(vld1_s8(first)), b = vmovl_s8(vld1_s8(second));
    low = vmlal_n_s16(vmlal_n_s16(low, vget_low_s16(a), pair.first), vget_low_s16(b), pair.second);
    high = vmlal_n_s16(vmlal_n_s16(high, vget_high_s16(a), pair.first), vget_high_s16(b), pair.second);
  }
  static void store(std::int32_t* sum, Sums low, Sums high) {
    vst1q_s32(sum, low);
    vst1q_s32(sum + 4, high);
  }
  static void add_to(std::int32_t* sum, Sums low, Sums high) {
    store(sum, vaddq_s32(vld1q_s32(sum), low), vaddq_s32(vld1q_s32(sum + 4), high));
  }
};

}  // namespace

constexpr RowKernels kNeonRows = row_kernels<FromF32, 16, FromF16, 16>(add_integer_rows<Pairs, 8>);

}  // namespace pumice::simd
#endif
