// Words of ASCII text that are looked up together, so that the memory they are in comes all at once.
#pragma once

#include <bit>
#include <cstring>

#include "little_words.h"
#include "prefetch.h"
#include "simd/list_words.h"
#include "word_cache.h"

namespace pumice {

using ShortWords = WordCache<16, 3, 4>;
using LongWords = WordCache<40, 5>;
static_assert(sizeof(ShortWords::Entry) == 32 && sizeof(LongWords::Entry) == 64);

// A worker's. Words wait in `list`, those of several texts; look_up() says what is known of them, a step at a time for
// all of them: a step has neither to wait for the one before it nor to guess what it will say.
class WordBatch {
 public:
  static constexpr std::size_t kMostTexts = 64;
  static constexpr std::size_t kMostIds = 4;  // of a word
  static constexpr std::uint8_t kNot = 0xFF;  // `kept` of a word whose tokens are not here

  // The end of a cache's entry. No normalized token begins in a word of the batch, so that there is room for the 24
  // bits of a fourth id.
  struct Found {
    std::uint32_t ids[ShortWords::kTokens];
    std::uint8_t kept;
    std::uint8_t total;
    std::uint16_t starts;

    std::uint32_t tokens() const { return kept == kMostIds ? kept : total; }
    std::uint32_t last_id() const { return total | std::uint32_t{starts} << 8; }
  };

  simd::WordList list;
  Found found[simd::WordList::kFull + simd::WordList::kBlock];
  std::size_t ends[kMostTexts];  // of texts whose words wait: the first word that is not theirs
  std::size_t texts = 0;

  // Fills `found`. `learn(i, found)` is called for a word of ShortWords::kBytes or less that no cache has.
  template <class Learn>
  void look_up(const LittleWords& little_words, const ShortWords& short_words, Learn&& learn) {
    const std::size_t count = find_little(little_words);
    const std::size_t unknown = find_short(short_words, count);
    for (std::size_t i = 0; i < unknown; ++i) learn(missed_[i], found[missed_[i]]);
  }

 private:
  static constexpr std::size_t kRoom = simd::WordList::kFull + simd::WordList::kBlock;

  // How many words are in missed_: those that the cache does not have.
  std::size_t find_little(const LittleWords& words) {
    const LittleWords::Set* sets[kRoom];
    for (std::size_t i = 0; i < list.count; ++i) {
      sets[i] = &words.set_of(list.low[i]);
      prefetch(sets[i]);
    }
    std::size_t missed = 0;
    for (std::size_t i = 0; i < list.count; ++i) {
      const unsigned ways =
          LittleWords::ways_of(*sets[i], list.low[i]) & (0u - static_cast<unsigned>(list.high[i] == 0));
      const auto way = static_cast<std::size_t>(std::countr_zero(ways | 1u << (LittleWords::kWays - 1)));
      std::memcpy(found[i].ids, sets[i]->ids[way], sizeof sets[i]->ids[way]);
      found[i].kept = found[i].total = found[i].ids[1] == kNone ? 1 : 2;
      missed_[missed] = static_cast<std::uint16_t>(i);
      missed += ways == 0;
    }
    return missed;
  }

  // The same for the words in missed_.
  std::size_t find_short(const ShortWords& words, std::size_t count) {
    ShortWords::Key keys[kRoom];
    const ShortWords::Entry* sets[kRoom];
    for (std::size_t i = 0; i < count; ++i) {
      keys[i] = {{list.low[missed_[i]], list.high[missed_[i]]}};
      sets[i] = words.set_of(keys[i]);
      prefetch(sets[i]);
      prefetch(sets[i] + 2);
    }
    std::size_t missed = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint16_t word = missed_[i];
      Found& to = found[word];
      if (list.size[word] > ShortWords::kBytes) {
        to.kept = kNot;
        continue;
      }
      const ShortWords::Entry* entry = ShortWords::find(sets[i], keys[i]);
      if (entry == nullptr) {
        missed_[missed++] = word;
        continue;
      }
      std::memcpy(&to, entry->ids, sizeof to);
      if (entry->kept == 0 && entry->total == ShortWords::kElsewhere) to.kept = kNot;
    }
    return missed;
  }

  std::uint16_t missed_[kRoom];
};

}  // namespace pumice
