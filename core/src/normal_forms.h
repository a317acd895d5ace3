// What NFC, NFKC, NFKD and StripAccents know about code points beyond canonical decomposition.
#pragma once

#include <cstdint>

#include "code_point_table.h"

namespace pumice::unicode {

enum FormProperty : std::uint8_t {
  kCompatibility = 1,  // NFKD changes it, and not as NFD does
  kRecomposes = 2,     // in NFC it may change, move, or be taken in by what precedes it
  kAccent = 4,         // StripAccents deletes it
};

inline constexpr unsigned kMaxCompatible = 18;

extern const CodePointTable kForms;

// Writes the full compatibility decomposition of a code point that has kCompatibility; returns its length.
unsigned decompose_compatible(char32_t point, char32_t out[kMaxCompatible]);

// What two code points compose to, or 0.
char32_t compose(char32_t first, char32_t second);

}  // namespace pumice::unicode
