// What the caches say of a word: its tokens.
#pragma once

#include <cstdint>

#include "word_cache.h"

namespace pumice {

using ShortWords = WordCache<16, 3, 4>;

// The end of an entry of ShortWords. No normalized token begins in a word that is looked up with others, so that there
// is room for the 24 bits of a fourth id.
struct FoundWord {
  static constexpr std::size_t kMostIds = ShortWords::kTokens + 1;
  static constexpr std::uint8_t kNot = 0xFF;  // `kept` of a word whose tokens are not here

  std::uint32_t ids[ShortWords::kTokens];
  std::uint8_t kept;
  std::uint8_t total;
  std::uint16_t starts;

  std::uint32_t tokens() const { return kept == kMostIds ? kept : total; }
  std::uint32_t last_id() const { return total | std::uint32_t{starts} << 8; }
};
static_assert(sizeof(FoundWord) == 16 && sizeof(ShortWords::Entry) == sizeof(ShortWords::Key) + sizeof(FoundWord));

}  // namespace pumice
