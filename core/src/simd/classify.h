// What each of 64 bytes does to the words of a text: masks, a bit a byte.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice::simd {

// Membership of the 128 ASCII bytes in a class: bit h of low[l] is set if byte 16 h + l is a member.
struct AsciiSet {
  std::uint8_t low[16];
};

struct ByteClasses {
  AsciiSet word;         // part of a word
  AsciiSet punctuation;  // a word of its own
  AsciiSet special;      // deleted by the normalizer; bytes from 0x80 on are special as well
};

struct ByteMasks {
  std::uint64_t word;
  std::uint64_t punctuation;
  std::uint64_t special;
};

// Reads exactly 64 bytes; bit i is byte i.
using Classify = void (*)(const ByteClasses& classes, const char* text, ByteMasks& masks);

void classify_portable(const ByteClasses& classes, const char* text, ByteMasks& masks);
void classify_avx2(const ByteClasses& classes, const char* text, ByteMasks& masks);
void classify_avx512(const ByteClasses& classes, const char* text, ByteMasks& masks);
void classify_neon(const ByteClasses& classes, const char* text, ByteMasks& masks);
void classify_wasm(const ByteClasses& classes, const char* text, ByteMasks& masks);

// The low half of a byte picks a row of the table, its high half a bit of it: bit h for 0 to 7, none for bytes from
// 0x80 on.
inline constexpr std::uint8_t kHighBit[16] = {1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0};

}  // namespace pumice::simd
