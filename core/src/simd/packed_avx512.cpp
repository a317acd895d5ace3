// Packed rows with AVX-512: 32 codes a register.
#include "instructions.h"

#ifdef PUMICE_X86
#include <cstring>

#include "avx512.h"
#include "packed_rows.h"

PUMICE_BEGIN_AVX512

#include "packed_blocks.h"

namespace pumice::simd {
namespace {

// In each quarter of a register the low four of eight codes are added in `low`, the high four in `high`.
struct Lanes {
  using Register = __m512i;
  static constexpr std::size_t kWidth = 32;

  template <unsigned Bits>
  static Register codes(const std::uint8_t* row) {
    static constexpr auto kWord = lane_table<std::int16_t, kWidth>([](std::size_t i) { return i * Bits / 16; });
    static constexpr auto kShift = lane_table<std::int16_t, kWidth>([](std::size_t i) { return i * Bits % 16; });
    const Register all = _mm512_castsi128_si512(load<Bits>(row));
    const Register words = _mm512_permutexvar_epi16(_mm512_load_si512(kWord.values), all);
    const Register moved = _mm512_srlv_epi16(words, _mm512_load_si512(kShift.values));
    return _mm512_and_si512(moved, _mm512_set1_epi16((1 << Bits) - 1));
  }
  template <unsigned Bits>
  static __m128i load(const std::uint8_t* row) {
    if constexpr (Bits == 4) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(row));
    if constexpr (Bits == 2) return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(row));
    std::int32_t bytes;
    std::memcpy(&bytes, row, sizeof bytes);
    return _mm_cvtsi32_si128(bytes);
  }
  static Register zero() { return _mm512_setzero_si512(); }
  static Register multiplier(std::int16_t first, std::int16_t second) {
    return _mm512_set1_epi32(static_cast<std::uint16_t>(first) | static_cast<std::int32_t>(second) * 65536);
  }
  static void add(Register& low, Register& high, Register a, Register b, Register pair) {
    low = _mm512_add_epi32(low, _mm512_madd_epi16(_mm512_unpacklo_epi16(a, b), pair));
    high = _mm512_add_epi32(high, _mm512_madd_epi16(_mm512_unpackhi_epi16(a, b), pair));
  }
  static void add_twice_to(std::int32_t* sum, Register low, Register high, std::int32_t bias) {
    const Register front = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const Register back = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    add_one(sum, _mm512_permutex2var_epi64(low, front, high), bias);
    add_one(sum + 16, _mm512_permutex2var_epi64(low, back, high), bias);
  }
  static void add_one(std::int32_t* sum, Register codes, std::int32_t bias) {
    const Register values = _mm512_sub_epi32(_mm512_slli_epi32(codes, 1), _mm512_set1_epi32(bias));
    _mm512_storeu_si512(sum, _mm512_add_epi32(_mm512_loadu_si512(sum), values));
  }
};

}  // namespace

constexpr PackedKernels kAvx512Packed = packed_kernels<Lanes, 8>();

}  // namespace pumice::simd

PUMICE_END
#endif
