// Cuts 64 bytes of text by a split pattern at once, by masks with a bit a byte.
//
// Runs of letters, numbers, white space and other characters are told apart first. Matches begin where runs do, but
// for what the patterns join and cut: a space or another character before letters, line ends after other characters,
// the last character of white space, digits by threes. A run and its two neighbours tell all of that, so that only what
// the 64 bytes end in is left for the next time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "simd/classify.h"
#include "split_patterns.h"
#include "unicode_classes.h"

namespace pumice {

class SplitBlocks {
 public:
  static constexpr std::size_t kBlock = 64;

  SplitBlocks(SplitPattern pattern, simd::Classify classify) : pattern_(pattern), classify_(classify) {}

  // Whether it is faster than match after match.
  bool pays() const { return classify_ != simd::classify_portable; }

  // Where matches begin after the one that begins at `text`, bit i at byte i: as many as are certain.
  std::uint64_t starts(const char* text, std::size_t left) const {
    Runs runs;
    if (!find_runs(text, left, runs)) return 0;
    const std::uint64_t begins = runs.letters_begin() | runs.numbers_begin() | runs.white_begin() | runs.others_begin();
    const std::uint64_t last = std::bit_floor(begins);
    const std::uint64_t found = pattern_ == SplitPattern::kGpt2 ? gpt2(runs) : llama3(runs);
    return found & (last | (last - 1)) & ~std::uint64_t{1};
  }

 private:
  using Mask = std::uint64_t;

  static constexpr Mask begin_of(Mask run) { return run & ~(run << 1); }

  struct Runs {
    Mask letters, numbers, white, others;
    Mask spaces, line_ends;  // of `white`: U+0020; CR and LF
    Mask characters;         // their first bytes

    Mask letters_begin() const { return begin_of(letters); }
    Mask numbers_begin() const { return begin_of(numbers); }
    Mask white_begin() const { return begin_of(white); }
    Mask others_begin() const { return begin_of(others); }
  };

  struct Classes {
    simd::ByteClasses first, second;  // letters, digits, white space; spaces, line ends, apostrophes
    // These of bytes from 0x80 on, without the highest bit. The first of two and of three that are a letter whatever
    // follows, and those that follow.
    simd::ByteClasses beyond;
    // The first of three that are a letter where the second is, or is not, one of `asian_second`: of U+4000, U+A000 and
    // U+D000; the first of kana, and of Greek.
    simd::ByteClasses asian, asian_second, more;
    simd::ByteClasses kana_second, kana_third;  // U+3040, U+3080 and U+30C0; what is no letter among them
    simd::ByteClasses greek_second;             // what is no letter: of U+0380, of U+03C0
  };
  static constexpr Classes kClasses = [] {
    Classes classes{};
    const auto add = [](simd::AsciiSet& set, unsigned from, unsigned to) {
      for (unsigned c = from & 0x7F; c <= (to & 0x7F); ++c)
        set.low[c & 15] |= static_cast<std::uint8_t>(1u << (c >> 4));
    };
    add(classes.first.word, 'A', 'Z');
    add(classes.first.word, 'a', 'z');
    add(classes.first.punctuation, '0', '9');
    add(classes.first.special, '\t', '\r');
    add(classes.first.special, ' ', ' ');
    add(classes.second.word, ' ', ' ');
    add(classes.second.punctuation, '\r', '\r');
    add(classes.second.punctuation, '\n', '\n');
    add(classes.second.special, '\'', '\'');
    add(classes.beyond.word, 0xC4, 0xC9);
    add(classes.beyond.word, 0xD0, 0xD1);
    add(classes.beyond.punctuation, 0xE5, 0xE9);
    add(classes.beyond.punctuation, 0xEB, 0xEC);
    add(classes.beyond.special, 0x80, 0xBF);
    add(classes.asian.word, 0xE4, 0xE4);
    add(classes.asian.punctuation, 0xEA, 0xEA);
    add(classes.asian.special, 0xED, 0xED);
    add(classes.asian_second.word, 0xB7, 0xB7);
    add(classes.asian_second.punctuation, 0xB0, 0xBF);
    add(classes.asian_second.special, 0x80, 0x9D);
    add(classes.more.word, 0xE3, 0xE3);
    add(classes.more.punctuation, 0xCE, 0xCE);
    add(classes.more.special, 0xCF, 0xCF);
    add(classes.kana_second.word, 0x81, 0x81);
    add(classes.kana_second.punctuation, 0x82, 0x82);
    add(classes.kana_second.special, 0x83, 0x83);
    add(classes.kana_third.word, 0x80, 0x80);
    add(classes.kana_third.punctuation, 0x97, 0x9C);
    add(classes.kana_third.punctuation, 0xA0, 0xA0);
    add(classes.kana_third.special, 0xBB, 0xBB);
    add(classes.greek_second.word, 0x80, 0x85);
    add(classes.greek_second.word, 0x87, 0x87);
    add(classes.greek_second.word, 0x8B, 0x8B);
    add(classes.greek_second.word, 0x8D, 0x8D);
    add(classes.greek_second.word, 0xA2, 0xA2);
    add(classes.greek_second.punctuation, 0xB6, 0xB6);
    return classes;
  }();

  // False where they end before a second character is seen.
  bool find_runs(const char* text, std::size_t left, Runs& runs) const {
    char copy[kBlock];
    const char* bytes = text;
    std::size_t size = kBlock;
    if (left < kBlock) {
      std::memset(copy, 0, sizeof copy);
      std::memcpy(copy, text, left);
      bytes = copy;
      size = left;
    }
    simd::ByteMasks first, second;
    classify_(kClasses.first, bytes, first);
    classify_(kClasses.second, bytes, second);
    const Mask high = first.special & second.special;
    runs.letters = first.word;
    runs.numbers = first.punctuation;
    runs.white = first.special & ~high;
    runs.spaces = second.word;
    runs.line_ends = second.punctuation;
    runs.others = ~(first.word | first.punctuation | first.special);
    runs.characters = ~high;
    if (high != 0) size = std::min(size, read_characters(text, left, high & ~read_letters(bytes, high, runs), runs));
    // A contraction may begin at an apostrophe: the block ends with it.
    const Mask apostrophes = second.special & ~high & runs.letters >> 1 & runs.others_begin() & ~(runs.spaces << 1);
    if (apostrophes != 0) size = std::min(size, static_cast<std::size_t>(std::countr_zero(apostrophes)) + 1);
    if (size < 2) return false;
    const Mask valid = ~Mask{0} >> (kBlock - size);
    for (Mask* mask : {&runs.letters, &runs.numbers, &runs.white, &runs.others, &runs.spaces, &runs.line_ends})
      *mask &= valid;
    return true;
  }

  static constexpr bool are_long(Mask run) {
    run &= run >> 1;
    run &= run >> 2;
    return (run & run >> 2) != 0;
  }

  // Adds the letters beyond ASCII that are told by their first bytes, and returns their bytes. `high`: bytes that are
  // not ASCII. Only where some follow each other; others are read one by one.
  Mask read_letters(const char* bytes, Mask high, Runs& runs) const {
    if (!kRoomForSpeed || !are_long(high)) return 0;
    char low[kBlock];
    for (std::size_t i = 0; i < kBlock; ++i) low[i] = static_cast<char>(bytes[i] ^ 0x80);
    simd::ByteMasks beyond;
    classify_(kClasses.beyond, low, beyond);
    const Mask one_follows = (beyond.special & high) >> 1;
    const Mask two_follow = one_follows & one_follows >> 1;
    Mask two = beyond.word & one_follows;
    Mask three = beyond.punctuation & two_follow;
    if (are_long(high & ~(two | two << 1 | three | three << 1 | three << 2))) {
      three |= asian(low, high) & two_follow;
      simd::ByteMasks more;
      classify_(kClasses.more, low, more);
      if (more.word != 0) three |= more.word & kana(low, high) & two_follow;
      const Mask greek = more.punctuation | (more.special & high);
      if (greek != 0) {
        simd::ByteMasks no_letters;
        classify_(kClasses.greek_second, low, no_letters);
        const Mask neither =
            (more.punctuation & no_letters.word >> 1) | (~more.punctuation & no_letters.punctuation >> 1);
        two |= greek & ~neither & one_follows;
      }
    }
    const Mask found = two | two << 1 | three | three << 1 | three << 2;
    runs.letters |= found;
    runs.characters |= two | three;
    return found;
  }

  // Where letters begin whose first byte is 0xE4, 0xEA or 0xED; here and below, `low` is without the highest bits.
  Mask asian(const char* low, Mask high) const {
    simd::ByteMasks first, second;
    classify_(kClasses.asian, low, first);
    const Mask last = first.special & high;
    if ((first.word | first.punctuation | last) == 0) return 0;
    classify_(kClasses.asian_second, low, second);
    return (first.word & ~(second.word >> 1)) | (first.punctuation & second.punctuation >> 1) |
           (last & (second.special & high) >> 1);
  }

  // Where kana begin, if 0xE3 stands there.
  Mask kana(const char* low, Mask high) const {
    simd::ByteMasks second, third;
    classify_(kClasses.kana_second, low, second);
    classify_(kClasses.kana_third, low, third);
    const Mask hiragana = second.word & ~(third.word >> 1);
    const Mask both = second.punctuation & ~(third.punctuation >> 1);
    const Mask katakana = second.special & high & ~(third.special >> 1);
    return (hiragana | both | katakana) >> 1;
  }

  // Adds other characters beyond ASCII, whose bytes are `high`. Where the first is that is neither a letter nor one of
  // the others, or does not end in the block; or kBlock.
  static std::size_t read_characters(const char* text, std::size_t left, Mask high, Runs& runs) {
    const char* const end = text + left;
    while (high != 0) {
      const auto at = static_cast<std::size_t>(std::countr_zero(high));
      if (at >= left) break;
      const char* next = text + at;
      const std::uint8_t found =
          unicode::next_class(next, end) & (unicode::kLetter | unicode::kNumber | unicode::kSpace);
      const auto size = static_cast<std::size_t>(next - text) - at;
      if (at + size > kBlock || (found != unicode::kLetter && found != 0)) return at;
      const Mask bytes = ((Mask{1} << size) - 1) << at;
      (found != 0 ? runs.letters : runs.others) |= bytes;
      runs.characters |= Mask{1} << at;
      high &= ~bytes;
    }
    return kBlock;
  }

  static Mask gpt2(const Runs& runs) {
    const Mask after_space = runs.spaces << 1;
    const Mask others = runs.letters_begin() | runs.numbers_begin() | runs.others_begin();
    return (others & ~after_space) | (others & after_space) >> 1 | runs.white_begin() |
           (runs.white & ~(runs.white >> 1));
  }

  Mask llama3(const Runs& runs) const {
    const Mask letters = runs.letters_begin(), others = runs.others_begin();
    const Mask after_space = runs.spaces << 1;
    // One other character, but no more of them, goes with the letters after it unless it goes with a space.
    Mask alone = others & ~after_space;
    for (int i = 0; i < 3; ++i) alone |= alone << 1 & ~runs.characters;
    const Mask joined = letters & (alone & runs.others) << 1;
    const Mask after_white = letters & (runs.white & ~runs.line_ends) << 1;
    const Mask words = (letters & ~joined & ~after_white) | (others & ~after_space);
    // Line ends that follow other characters are theirs: the sum carries through them.
    const Mask taken = runs.line_ends & ~(runs.line_ends + (runs.others << 1 & runs.line_ends));
    const Mask white = runs.white & ~taken;
    const Mask last = white & ~(white >> 1) & ~runs.line_ends;
    return words | numbers(runs) | begin_of(white) | last | after_line_ends(runs, white, last);
  }

  Mask numbers(const Runs& runs) const {
    if (pattern_ == SplitPattern::kQwen) return runs.numbers;
    const Mask n = runs.numbers;
    Mask found = runs.numbers_begin();
    const Mask four = n & n << 1 & n << 2 & n << 3;
    for (Mask third = found << 3 & four; third != 0; third = third << 3 & four) found |= third;
    return found;
  }

  // White space up to its last line end is one match: where the rest begins, if it has two characters or more.
  static Mask after_line_ends(const Runs& runs, Mask white, Mask last) {
    Mask found = 0;
    if ((runs.line_ends & white) == 0) return 0;
    for (Mask ends = last & white << 1; ends != 0; ends &= ends - 1) {
      const Mask before = (ends & (~ends + 1)) - 1;
      const Mask begin = std::bit_floor(runs.line_ends & before) << 1;
      // Of this run: everything from there to its end is white space.
      if (begin != 0 && (before & ~(begin - 1) & ~white) == 0) found |= begin;
    }
    return found;
  }

  SplitPattern pattern_;
  simd::Classify classify_;
};

}  // namespace pumice
