// Words of ASCII text that are looked up together, so that the memory they are in comes all at once.
#pragma once

#include "found_word.h"
#include "little_words.h"
#include "simd/find_words.h"
#include "simd/list_words.h"

namespace pumice {

using LongWords = WordCache<40, 5>;
static_assert(sizeof(LongWords::Entry) == 64);

// A worker's. Words wait in `list`, those of several texts; look_up() says what is known of them, a step at a time for
// all of them: a step has neither to wait for the one before it nor to guess what it will say.
struct WordBatch {
  static constexpr std::size_t kMostTexts = 64;

  simd::WordList list;
  FoundWord found[simd::WordList::kRoom];
  std::size_t ends[kMostTexts];  // of texts whose words wait: the first word that is not theirs
  std::size_t texts = 0;

  // Fills `found`. `learn(i, found)` is called for a word of ShortWords::kBytes or less that no cache has.
  template <class Learn>
  void look_up(const simd::FindWords& find, const LittleWords& little_words, const ShortWords& short_words,
               Learn&& learn) {
    std::uint16_t missed[simd::WordList::kRoom];
    const std::size_t unknown = find.in_little(little_words, list, found, missed);
    const std::size_t new_words = find.in_short(short_words, list, found, missed, unknown);
    for (std::size_t i = 0; i < new_words; ++i) learn(missed[i], found[missed[i]]);
  }
};

}  // namespace pumice
