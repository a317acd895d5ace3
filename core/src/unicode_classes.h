// The character classes that pre-tokenizers split by, and a reader of them over UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>

#include "utf8.h"

namespace pumice::unicode {

// As the engines inside Hugging Face tokenizers know them; \p{N} and is_numeric are of different ages.
enum Class : std::uint8_t {
  kLetter = 1,            // Oniguruma's \p{L}
  kNumber = 2,            // Oniguruma's \p{N}
  kSpace = 4,             // \s of both engines and char::is_whitespace
  kWordCharacter = 8,     // \w of Rust's regex
  kNumeric = 16,          // Rust's char::is_numeric
  kPunctuationMark = 32,  // as BertPreTokenizer and Punctuation
};

#include "../unicode/classes.inc"

// The Class bits of a code point; 0 above U+10FFFF.
inline std::uint8_t classes(char32_t point) {
  if (point < 0x20000) {
    const std::size_t block = kClassBlockOfPoint[point >> kClassBlockBits];
    return kClassBlocks[(block << kClassBlockBits) | (point & ((1u << kClassBlockBits) - 1))];
  }
  std::size_t run = 0;
  while (run + 1 < sizeof kClassesAbove / sizeof *kClassesAbove && kClassesAbove[run + 1] >> 8 <= point) ++run;
  return static_cast<std::uint8_t>(kClassesAbove[run]);
}

// The classes of the character at `cursor`, which is moved past it. A byte that is not UTF-8 (a normalizer's
// replacement in a hostile file can leave some) is a character without classes.
inline std::uint8_t next_class(const char*& cursor, const char* end) {
  const auto byte = static_cast<unsigned char>(*cursor);
  if (byte < 0x80) {
    ++cursor;
    return classes(byte);
  }
  const char32_t point = utf8::decode(cursor, end);
  if (point == utf8::kInvalid) {
    ++cursor;
    return 0;
  }
  return classes(point);
}

// The classes of the character that ends at `end`, and in `begin` where it begins. `end` is not `text`.
inline std::uint8_t last_class(const char* text, const char* end, const char*& begin) {
  begin = end - 1;
  while (begin > text && end - begin < 4 && (static_cast<unsigned char>(*begin) & 0xC0) == 0x80) --begin;
  const char* cursor = begin;
  const std::uint8_t found = next_class(cursor, end);
  if (cursor == end) return found;
  begin = end - 1;
  return 0;
}

}  // namespace pumice::unicode
