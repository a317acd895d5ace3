// The words of ASCII text as keys of the word caches, many at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "classify.h"

namespace pumice::simd {

// Words in the order of the text. The first 16 bytes of each are its key, zeros where it is shorter.
struct WordList {
  static constexpr std::size_t kBlock = 64;  // bytes that are read at a time, and so the most words of them
  static constexpr std::size_t kFull = 192;
  static constexpr std::size_t kRoom = kFull + kBlock;

  std::uint64_t low[kRoom];   // bytes 0 to 7
  std::uint64_t high[kRoom];  // bytes 8 to 15
  const char* begin[kRoom];   // in the text
  std::uint8_t size[kRoom];
  std::size_t count = 0;
};

// Adds the words from `at` on, each less than 64 bytes long, until the text ends, the list has kFull words or more, or
// a word comes that may hold special bytes or more than 63. Where it stopped: at the end, before a word, or before
// white space. No byte from `end` on is read. The classes are disjoint, and a space is in none.
using ListWords = const char* (*)(const ByteClasses& classes, const char* at, const char* end, WordList& list);

const char* list_words_portable(const ByteClasses& classes, const char* at, const char* end, WordList& list);
const char* list_words_avx2(const ByteClasses& classes, const char* at, const char* end, WordList& list);
const char* list_words_avx512(const ByteClasses& classes, const char* at, const char* end, WordList& list);  // VBMI2
const char* list_words_neon(const ByteClasses& classes, const char* at, const char* end, WordList& list);
const char* list_words_wasm(const ByteClasses& classes, const char* at, const char* end, WordList& list);

}  // namespace pumice::simd
