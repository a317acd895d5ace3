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

}  // namespace pumice
