// UTF-8 by what each two neighbours may not be (Keiser and Lemire 2021, "Validating UTF-8 in less than one instruction
// per byte"), with AVX2.
#include <cstdint>
#include <cstring>

#include "instructions.h"

#ifdef PUMICE_X86
#include <immintrin.h>

#include "valid_utf8.h"

namespace pumice::simd {
namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kBefore = 3;  // bytes that tell what the first of a block may be

// What is wrong with two bytes. Each table, by four bits of them, says what those bits allow to be wrong; wrong is what
// all three say.
enum Wrong : std::uint8_t {
  kTooShort = 1,     // a first byte of several before one that does not follow
  kTooLong = 2,      // ASCII before one that follows
  kOverlong3 = 4,    // E0 80 to E0 9F
  kTooLarge = 8,     // F4 90 and above, but for what kOverlong4 has
  kSurrogate = 16,   // ED A0 to ED BF
  kOverlong2 = 32,   // C0, C1
  kOverlong4 = 64,   // F0 80 to F0 8F, F5 80 to FF 8F
  kTwoFollow = 128,  // right only as the third byte or the fourth of a character
};
constexpr std::uint8_t kAnyLow = kTooShort | kTooLong | kTwoFollow;
constexpr std::uint8_t kFollows = kTooLong | kOverlong2 | kTwoFollow;

struct Table {
  std::uint8_t of[16];
};

constexpr Table kFirstHigh = [] {
  Table table{};
  for (unsigned i = 0; i < 16; ++i) table.of[i] = i < 8 ? kTooLong : i < 12 ? kTwoFollow : kTooShort;
  table.of[0xC] |= kOverlong2;
  table.of[0xE] |= kOverlong3 | kSurrogate;
  table.of[0xF] |= kTooLarge | kOverlong4;
  return table;
}();

constexpr Table kFirstLow = [] {
  Table table{};
  for (unsigned i = 0; i < 16; ++i) {
    table.of[i] = kAnyLow;
    if (i >= 4) table.of[i] |= kTooLarge;
    if (i >= 5) table.of[i] |= kOverlong4;
  }
  table.of[0] |= kOverlong2 | kOverlong3 | kOverlong4;
  table.of[1] |= kOverlong2;
  table.of[0xD] |= kSurrogate;
  return table;
}();

constexpr Table kSecondHigh = [] {
  Table table{};
  for (std::uint8_t& wrong : table.of) wrong = kTooShort;
  table.of[0x8] = kFollows | kOverlong3 | kOverlong4;
  table.of[0x9] = kFollows | kOverlong3 | kTooLarge;
  table.of[0xA] = table.of[0xB] = kFollows | kSurrogate | kTooLarge;
  return table;
}();

}  // namespace

PUMICE_BEGIN_AVX2
namespace {

__m256i bytes_at(const char* at) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)); }

__m256i look_up(const Table& table, __m256i nibbles) {
  const __m128i of = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.of));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(of), nibbles);
}

__m256i high_half(__m256i bytes) { return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15)); }

// Not 0 where something is wrong with the 32 bytes at `at`, before which kBefore can be read.
__m256i wrong_in(const char* at) {
  const __m256i bytes = bytes_at(at);
  const __m256i third = bytes_at(at - 3);
  if (_mm256_movemask_epi8(_mm256_or_si256(bytes, third)) == 0) return _mm256_setzero_si256();
  const __m256i first = bytes_at(at - 1);
  const __m256i low = _mm256_and_si256(first, _mm256_set1_epi8(15));
  const __m256i wrong =
      _mm256_and_si256(look_up(kSecondHigh, high_half(bytes)),
                       _mm256_and_si256(look_up(kFirstHigh, high_half(first)), look_up(kFirstLow, low)));
  // Two that follow are right where, and only where, a character of three bytes or four has one of them here.
  const __m256i of_three = _mm256_subs_epu8(bytes_at(at - 2), _mm256_set1_epi8(0xE0 - 0x80));
  const __m256i of_four = _mm256_subs_epu8(third, _mm256_set1_epi8(0xF0 - 0x80));
  const __m256i follows = _mm256_and_si256(_mm256_or_si256(of_three, of_four), _mm256_set1_epi8(kTwoFollow - 256));
  return _mm256_xor_si256(wrong, follows);
}

}  // namespace

bool valid_utf8_avx2(const char* text, std::size_t size) {
  char copy[kBefore + kBlock] = {};
  std::size_t at = 0;
  __m256i wrong = _mm256_setzero_si256();
  if (size >= kBlock) {
    std::memcpy(copy + kBefore, text, kBlock);
    wrong = wrong_in(copy + kBefore);
    for (at = kBlock; size - at >= kBlock; at += kBlock) wrong = _mm256_or_si256(wrong, wrong_in(text + at));
    std::memcpy(copy, text + at - kBefore, kBefore);
  }
  // After the last bytes come zeros, one at least: a character that lacks some ends there.
  std::memset(copy + kBefore, 0, kBlock);
  if (size != at) std::memcpy(copy + kBefore, text + at, size - at);
  wrong = _mm256_or_si256(wrong, wrong_in(copy + kBefore));
  return _mm256_testz_si256(wrong, wrong) != 0;
}

PUMICE_END

}  // namespace pumice::simd
#endif
