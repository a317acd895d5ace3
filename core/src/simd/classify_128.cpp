// Byte classes by two shuffles of 16 bytes, with NEON or WebAssembly's SIMD.
#include "classify.h"
#include "instructions.h"

#if defined(PUMICE_NEON)
#include <arm_neon.h>

namespace pumice::simd {
namespace {

// Bit i is set where byte i is not zero.
std::uint64_t bits_of(uint8x16_t bytes) {
  constexpr std::uint8_t kBit[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t bits = vandq_u8(vtstq_u8(bytes, bytes), vld1q_u8(kBit));
  return std::uint64_t{vaddv_u8(vget_low_u8(bits))} | std::uint64_t{vaddv_u8(vget_high_u8(bits))} << 8;
}

}  // namespace

void classify_neon(const ByteClasses& classes, const char* text, ByteMasks& masks) {
  masks = {0, 0, 0};
  for (unsigned from = 0; from < 64; from += 16) {
    const uint8x16_t bytes = vld1q_u8(reinterpret_cast<const std::uint8_t*>(text) + from);
    const uint8x16_t low = vandq_u8(bytes, vdupq_n_u8(15));
    const uint8x16_t high = vqtbl1q_u8(vld1q_u8(kHighBit), vshrq_n_u8(bytes, 4));
    const auto members = [&](const AsciiSet& set) { return vandq_u8(vqtbl1q_u8(vld1q_u8(set.low), low), high); };
    const uint8x16_t special = vorrq_u8(members(classes.special), vandq_u8(bytes, vdupq_n_u8(0x80)));
    masks.word |= bits_of(members(classes.word)) << from;
    masks.punctuation |= bits_of(members(classes.punctuation)) << from;
    masks.special |= bits_of(special) << from;
  }
}

}  // namespace pumice::simd

#elif defined(PUMICE_WASM_SIMD)
#include "classify_wasm.h"

namespace pumice::simd {

void classify_wasm(const ByteClasses& classes, const char* text, ByteMasks& masks) { masks = masks_of(classes, text); }

}  // namespace pumice::simd
#endif
