// What Hugging Face tokenizers knows about a code point: properties, classes, case, decomposition.
//
// The BERT normalizer runs clean_text, handle_chinese_chars, strip_accents and lowercase as passes over
// the whole text. One pass over code points gives the same result (tests/parity holds it to that):
//  - clean_text: kRemoved is tested before kWhitespace (U+000B, U+000C and U+0085 are white space, yet
//    deleted); what is white space and stays becomes U+0020. A deleted code point is gone before
//    strip_accents sorts, so it does not end a run of combining marks. Without clean_text it does.
//  - handle_chinese_chars tests the code point as written, before it decomposes; the spaces end a run.
//  - strip_accents decomposes, sorts each run of kCombines by class (stably), drops kNonspacingMark. As the
//    sort is stable, the dropped ones may stay out of it, but those of class 0 (U+034F, U+0941) end the
//    run. What survives with a class is of another category (U+302E, U+1D165) or newer than the library's
//    category table (U+08D4, U+1DFB). The drop looks at what comes out of decomposing, not at what went in.
//  - The pre-tokenizer's white space and punctuation are read from what comes out: U+2000 decomposes to
//    white space, U+2260 to '=' and U+1FEF to '`', which are punctuation.
//  - lowercase sees one code point, never its neighbours (no final sigma), and its result is not stripped
//    again: U+0130 alone becomes "i" U+0307; with strip_accents it is "I" by then.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice::unicode {

enum Property : std::uint8_t {
  kWhitespace = 1,      // Rust's char::is_whitespace: the pre-tokenizer drops it
  kRemoved = 2,         // clean_text deletes it: NUL, U+FFFD, controls, formats, private use
  kNonspacingMark = 4,  // strip_accents drops it
  kPunctuation = 8,     // the pre-tokenizer makes it a word of its own
  kChinese = 16,        // handle_chinese_chars puts a space on both sides
  kLowercases = 32,     // lowercase() changes it
  kDecomposes = 64,     // decompose() changes it
  kCombines = 128,      // its combining_class() is not 0
};

inline constexpr unsigned kMaxLowercase = 2;
inline constexpr unsigned kMaxDecomposition = 4;

#include "../unicode/tables.inc"

// The Property bits of a code point; 0 above U+10FFFF, and 0 for surrogates, which no text may hold.
inline std::uint8_t properties(char32_t point) {
  if (point < kTrieEnd) {
    const std::size_t block = kBlockOfPoint[point >> kBlockBits];
    return kBlocks[(block << kBlockBits) | (point & ((1u << kBlockBits) - 1))];
  }
  std::size_t run = 0;
  while (run + 1 < sizeof kRunsAbove / sizeof *kRunsAbove && kRunsAbove[run + 1] >> 8 <= point) {
    ++run;
  }
  return static_cast<std::uint8_t>(kRunsAbove[run]);
}

// The canonical combining class, 0..240.
std::uint8_t combining_class(char32_t point);

// Writes the lowercase of a code point (itself when it has none) and returns its length, 1 or 2.
unsigned lowercase(char32_t point, char32_t out[kMaxLowercase]);

// Writes the full canonical decomposition, in canonical order, and returns its length, 1 to 4.
unsigned decompose(char32_t point, char32_t out[kMaxDecomposition]);

}  // namespace pumice::unicode
