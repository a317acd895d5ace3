// BERT's pre-tokenizer over normalised text: words end at white space, punctuation stands alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "normalizer.h"
#include "pumice.h"
#include "utf8.h"

namespace pumice {

struct Word {
  const char* bytes;
  std::size_t size;
  bool too_long;  // more code points than the vocabulary's longest word: unknown, `bytes` is a part of it
};

// The word under construction. Memory is the worker's; a word never holds more than `max_chars` code points,
// because a longer one is unknown whatever it says.
struct WordBuffer {
  char* bytes = nullptr;                // 4 * max_chars
  std::uint8_t* run_classes = nullptr;  // max_chars: combining classes of the marks at the word's end
  std::uint8_t* run_sizes = nullptr;    // max_chars: their sizes in bytes
  std::uint32_t max_chars = 0;

  std::uint32_t size = 0;
  std::uint32_t chars = 0;
  std::uint32_t run = 0;  // marks in canonical order since the last starter
  bool too_long = false;

  bool started() const { return chars != 0 || too_long; }
  Word word() const { return {bytes, size, too_long}; }
  void clear() {
    size = chars = run = 0;
    too_long = false;
  }

  void append_ascii(char c) {
    run = 0;
    if (chars == max_chars) {
      too_long = true;
      return;
    }
    bytes[size++] = c;
    ++chars;
  }

  void append(char32_t c) {
    run = 0;
    if (chars == max_chars) {
      too_long = true;
      return;
    }
    size += utf8::encode(c, bytes + size);
    ++chars;
  }

  // Appends a mark that outlived strip_accents: marks of a run stand in canonical order, by rising class.
  void append_mark(char32_t c, std::uint8_t combining_class) {
    if (chars == max_chars) {
      too_long = true;
      return;
    }
    char encoded[4];
    const unsigned length = utf8::encode(c, encoded);
    std::uint32_t place = run;
    std::uint32_t tail = 0;
    while (place > 0 && run_classes[place - 1] > combining_class) tail += run_sizes[--place];
    std::memmove(bytes + size - tail + length, bytes + size - tail, tail);
    std::memcpy(bytes + size - tail, encoded, length);
    std::memmove(run_classes + place + 1, run_classes + place, run - place);
    std::memmove(run_sizes + place + 1, run_sizes + place, run - place);
    run_classes[place] = combining_class;
    run_sizes[place] = static_cast<std::uint8_t>(length);
    ++run;
    size += length;
    ++chars;
  }
};

// Cuts text into words and hands each to `on_word(Word) -> bool`, which says whether to go on.
template <class OnWord>
class BertWords {
 public:
  BertWords(const BertNormalizer& normalizer, WordBuffer& buffer, OnWord& on_word)
      : normalizer_(normalizer), buffer_(buffer), on_word_(on_word) {}

  pumice_status read(const char* cursor, const char* end) {
    buffer_.clear();
    while (cursor < end && going_) {
      const auto byte = static_cast<unsigned char>(*cursor);
      if (byte < 0x80) {
        ++cursor;
        switch (normalizer_.ascii_class[byte]) {
          case AsciiClass::kWord:
            buffer_.append_ascii(normalizer_.ascii_lower[byte]);
            break;
          case AsciiClass::kSpace:
            end_word();
            break;
          case AsciiClass::kPunctuation:
            stand_alone(byte);
            break;
          case AsciiClass::kRemoved:
            break;
        }
      } else {
        const char32_t c = utf8::decode(cursor, end);
        if (c == utf8::kInvalid) return PUMICE_INVALID_UTF8;
        normalize(c);
      }
    }
    if (going_) end_word();
    return PUMICE_OK;
  }

  bool going() const { return going_; }

 private:
  void end_word() {
    if (!buffer_.started()) return;
    going_ = on_word_(buffer_.word());
    buffer_.clear();
  }

  void stand_alone(char32_t c) {
    end_word();
    if (!going_) return;
    buffer_.append(c);
    end_word();
  }

  void normalize(char32_t c) {
    const std::uint8_t properties = unicode::properties(c);
    if (normalizer_.has(kCleanText)) {
      if (properties & unicode::kRemoved) return;  // leaves no trace: a run of marks goes on across it
      if (properties & unicode::kWhitespace) return end_word();
    }
    const bool spaced = normalizer_.has(kChineseChars) && (properties & unicode::kChinese);
    if (spaced) end_word();
    if (!going_) return;
    if (normalizer_.has(kStripAccents)) {
      char32_t parts[unicode::kMaxDecomposition];
      const unsigned count = unicode::decompose(c, parts);
      for (unsigned i = 0; i < count && going_; ++i) strip(parts[i]);
    } else {
      lowercase(c, 0);
    }
    if (spaced && going_) end_word();
  }

  void strip(char32_t c) {
    const std::uint8_t combining_class = unicode::combining_class(c);
    if (unicode::properties(c) & unicode::kNonspacingMark) {
      if (combining_class == 0) buffer_.run = 0;  // a starter ends the run even though it is dropped
      return;
    }
    lowercase(c, combining_class);
  }

  void lowercase(char32_t c, std::uint8_t combining_class) {
    if (!normalizer_.has(kLowercase)) return put(c, combining_class);
    char32_t lower[unicode::kMaxLowercase];
    const unsigned count = unicode::lowercase(c, lower);
    for (unsigned i = 0; i < count && going_; ++i) put(lower[i], combining_class);
  }

  void put(char32_t c, std::uint8_t combining_class) {
    const std::uint8_t properties = unicode::properties(c);
    if (properties & unicode::kWhitespace) {
      end_word();
    } else if (properties & unicode::kPunctuation) {
      stand_alone(c);
    } else if (combining_class != 0) {
      buffer_.append_mark(c, combining_class);
    } else {
      buffer_.append(c);
    }
  }

  const BertNormalizer& normalizer_;
  WordBuffer& buffer_;
  OnWord& on_word_;
  bool going_ = true;
};

}  // namespace pumice
