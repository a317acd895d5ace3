// Packed rows with AVX2: 16 codes a register.
#include "instructions.h"

#ifdef PUMICE_X86
#include <immintrin.h>

#include <cstring>

#include "packed_rows.h"

PUMICE_BEGIN_AVX2

#include "packed_blocks.h"

namespace pumice::simd {
namespace {

// In each half of a register the low four of eight codes are added in `low`, the high four in `high`.
struct Lanes {
  using Register = __m256i;
  static constexpr std::size_t kWidth = 16;

  // A lane's byte, times what moves its code to the byte's highest bits, and down from there.
  template <unsigned Bits>
  static Register codes(const std::uint8_t* row) {
    static constexpr auto kByte =
        lane_table<std::uint8_t, 32>([](std::size_t i) { return i % 2 ? 0x80 : i / 2 * Bits / 8; });
    static constexpr auto kFactor =
        lane_table<std::int16_t, kWidth>([](std::size_t i) { return 1 << (8 - Bits - i * Bits % 8); });
    constexpr int kHighest = ((1 << Bits) - 1) << (8 - Bits);
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, row, kWidth * Bits / 8);
    const Register all = _mm256_set1_epi64x(static_cast<long long>(bytes));
    const Register lanes = _mm256_shuffle_epi8(all, _mm256_load_si256(reinterpret_cast<const __m256i*>(kByte.values)));
    const Register moved =
        _mm256_mullo_epi16(lanes, _mm256_load_si256(reinterpret_cast<const __m256i*>(kFactor.values)));
    return _mm256_srli_epi16(_mm256_and_si256(moved, _mm256_set1_epi16(kHighest)), 8 - Bits);
  }
  static Register zero() { return _mm256_setzero_si256(); }
  static Register multiplier(std::int16_t first, std::int16_t second) {
    return _mm256_set1_epi32(static_cast<std::uint16_t>(first) | static_cast<std::int32_t>(second) * 65536);
  }
  static void add(Register& low, Register& high, Register a, Register b, Register pair) {
    low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), pair));
    high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), pair));
  }
  static void add_twice_to(std::int32_t* sum, Register low, Register high, std::int32_t bias) {
    add_one(sum, _mm256_permute2x128_si256(low, high, 0x20), bias);
    add_one(sum + 8, _mm256_permute2x128_si256(low, high, 0x31), bias);
  }
  static void add_one(std::int32_t* sum, Register codes, std::int32_t bias) {
    auto* out = reinterpret_cast<__m256i*>(sum);
    const Register values = _mm256_sub_epi32(_mm256_slli_epi32(codes, 1), _mm256_set1_epi32(bias));
    _mm256_storeu_si256(out, _mm256_add_epi32(_mm256_loadu_si256(out), values));
  }
};

}  // namespace

constexpr PackedKernels kAvx2Packed = packed_kernels<Lanes, 4>();

}  // namespace pumice::simd

PUMICE_END
#endif
