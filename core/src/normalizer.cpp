// The ASCII half of BERT's normalizer, tabulated once when a model is opened.
#include "normalizer.h"

namespace pumice {

BertNormalizer make_bert_normalizer(std::uint32_t flags) {
  BertNormalizer normalizer;
  normalizer.flags = flags;
  for (char32_t c = 0; c < 128; ++c) {
    const std::uint8_t properties = unicode::properties(c);
    AsciiClass kind = AsciiClass::kWord;
    if (normalizer.has(kCleanText) && (properties & unicode::kRemoved)) {
      kind = AsciiClass::kRemoved;
    } else if (properties & unicode::kWhitespace) {
      kind = AsciiClass::kSpace;
    } else if (properties & unicode::kPunctuation) {
      kind = AsciiClass::kPunctuation;
    }
    normalizer.ascii_class[c] = kind;
    const bool lowers = normalizer.has(kLowercase) && c >= 'A' && c <= 'Z';
    normalizer.ascii_lower[c] = static_cast<char>(lowers ? c + ('a' - 'A') : c);
  }
  return normalizer;
}

simd::ByteClasses byte_classes(const BertNormalizer& normalizer) {
  simd::ByteClasses classes{};
  for (unsigned c = 0; c < 128; ++c) {
    const AsciiClass kind = normalizer.ascii_class[c];
    const auto bit = static_cast<std::uint8_t>(1u << (c >> 4));
    const bool is_nul = c == 0;  // ends a key of the word cache, so it may not be part of one
    if (kind == AsciiClass::kRemoved || is_nul) {
      classes.special.low[c & 15] |= bit;
    } else if (kind == AsciiClass::kWord) {
      classes.word.low[c & 15] |= bit;
    } else if (kind == AsciiClass::kPunctuation) {
      classes.punctuation.low[c & 15] |= bit;
    }
  }
  return classes;
}

}  // namespace pumice
