// BERT's normalizer, one code point at a time: clean text, space Chinese, strip accents, lower-case.
#pragma once

#include <cstdint>
#include <string_view>

#include "arena.h"
#include "pumice.h"
#include "simd/classify.h"
#include "unicode.h"

namespace pumice {

enum BertFlag : std::uint32_t {
  kCleanText = 1,
  kChineseChars = 2,
  kStripAccents = 4,
  kLowercase = 8,
  kBertFlags = kCleanText | kChineseChars | kStripAccents | kLowercase,
};

// What an ASCII byte does to the words of a text, after normalisation.
enum class AsciiClass : std::uint8_t { kWord, kSpace, kPunctuation, kRemoved };

struct BertNormalizer {
  std::uint32_t flags = 0;
  AsciiClass ascii_class[128] = {};
  char ascii_lower[128] = {};

  bool has(BertFlag flag) const { return (flags & flag) != 0; }
};

BertNormalizer make_bert_normalizer(std::uint32_t flags);

// Makes `text` what a whole text becomes, in the arena. PUMICE_MEMORY_TOO_SMALL where that ends, or
// PUMICE_INVALID_UTF8.
pumice_status normalize(const BertNormalizer& normalizer, Arena& arena, std::string_view& text);

// The same classes as the kernels read them.
simd::ByteClasses byte_classes(const BertNormalizer& normalizer);

}  // namespace pumice
