// The worker's word caches for tokenizers other than WordPiece: keys that hold any byte, NUL too.
#pragma once

#include <cstring>
#include <string_view>

#include "ids.h"
#include "prefetch.h"
#include "split_patterns.h"
#include "word_cache.h"

namespace pumice {

// The tokens of a word that is being tokenised.
struct FoundTokens {
  static constexpr std::size_t kMost = 64;
  std::uint32_t ids[kMost];
  std::uint16_t kept = 0;   // in `ids`: without those that the mean leaves out
  std::uint16_t total = 0;  // more than kMost: `ids` lacks some

  void put(std::uint32_t id, bool keeps) {
    if (total > kMost) return;
    ++total;
    if (keeps && kept < kMost) ids[kept++] = id;
  }
};

// For short words of few tokens, and for all others.
using NarrowWords = WordCache<16, 3, 6>;
using WideWords = WordCache<32, 7, 4>;
static_assert(sizeof(NarrowWords::Entry) == 32 && sizeof(WideWords::Entry) == 64);

// A word's key is its bytes, zeros and, in the last byte, its size.
class CachedTokens {
 public:
  static constexpr std::size_t kLongest = WideWords::kBytes - 1;

  CachedTokens(NarrowWords& narrow_words, WideWords& wide_words)
      : narrow_words_(narrow_words), wide_words_(wide_words) {}

  // A word, and where it would be. An array of them is not cleared first.
  struct Place {
    const char* begin;
    std::size_t size;
    NarrowWords::Key key;
    const NarrowWords::Entry* set;  // null: it is not a short one

    std::string_view word() const { return {begin, size}; }
  };

  // Asks for the memory where the word would be. Bytes up to `end` can be read.
  Place place_of(std::string_view word, const char* end) const {
    Place place = {word.data(), word.size(), {}, nullptr};
    if (!narrow_words_.exists() || word.size() > kLongest) return place;
    if (word.size() < NarrowWords::kBytes) {
      place.key = key_of<NarrowWords>(word, end);
      place.set = narrow_words_.set_of(place.key);
      for (std::size_t way = 0; way < NarrowWords::kWays; way += 2) prefetch(place.set + way);
    } else {
      const auto* set = wide_words_.set_of(key_of<WideWords>(word, end));
      for (std::size_t way = 0; way < WideWords::kWays; ++way) prefetch(set + way);
    }
    return place;
  }

  // Puts a known word's tokens; false where it is not known or no token would be left to put after it. Bytes up to
  // `end` can be read.
  bool put(const Place& place, const char* end, TokenStream& stream) const {
    const std::string_view word = place.word();
    if (!narrow_words_.exists() || word.size() > kLongest) return false;
    if (place.set != nullptr) {
      const auto* entry =
          kRoomForSpeed ? NarrowWords::find_at_once(place.set, place.key) : NarrowWords::find(place.set, place.key);
      if (entry != nullptr) return put_entry(*entry, stream);
    }
    const auto* entry = find(wide_words_, word, end);
    return entry != nullptr && put_entry(*entry, stream);
  }

  void remember(std::string_view word, const FoundTokens& found) {
    if (!narrow_words_.exists() || word.size() > kLongest || found.total > FoundTokens::kMost) return;
    if (word.size() < NarrowWords::kBytes && write(narrow_words_, word, found)) return;
    write(wide_words_, word, found);
  }

 private:
  // How an entry holds its tokens, in what other caches keep for `starts`.
  enum Form : std::uint16_t {
    kPlain,
    kHalves,    // ids below 2^16, twice as many: those of rare words are low, as their tokens were merged early
    kRepeated,  // one id, `kept` times: spaces that a vocabulary spells one by one
  };

  template <class Cache>
  static typename Cache::Key key_of(std::string_view word, const char* end) {
    const bool roomy = static_cast<std::size_t>(end - word.data()) >= Cache::kBytes;
    auto key = roomy ? Cache::key_in(word.data(), word.size()) : Cache::key_of(word.data(), word.size());
    key.words[Cache::kBytes / 8 - 1] |= std::uint64_t{word.size()} << 56;
    return key;
  }

  template <class Cache>
  static const typename Cache::Entry* find(const Cache& cache, std::string_view word, const char* end) {
    const auto key = key_of<Cache>(word, end);
    return Cache::find(cache.set_of(key), key);
  }

  template <class Entry>
  static bool put_entry(const Entry& entry, TokenStream& stream) {
    constexpr std::size_t kTokens = sizeof entry.ids / sizeof *entry.ids;
    if (!stream.fits(entry.total)) return false;
    if (entry.starts == kPlain) {
      stream.put_known<kTokens>(entry.ids, entry.kept, entry.total);
    } else if (entry.starts == kHalves) {
      std::uint16_t halves[2 * kTokens];
      std::uint32_t ids[2 * kTokens];
      std::memcpy(halves, entry.ids, sizeof halves);
      for (std::size_t i = 0; i < 2 * kTokens; ++i) ids[i] = halves[i];
      stream.put_known<2 * kTokens>(ids, entry.kept, entry.total);
    } else {
      stream.put_repeated(entry.ids[0], entry.kept, entry.total);
    }
    return true;
  }

  static bool are_halves(const FoundTokens& found) {
    std::uint32_t all = 0;
    for (std::size_t i = 0; i < found.kept; ++i) all |= found.ids[i];
    return all >> 16 == 0;
  }

  static bool are_repeated(const FoundTokens& found) {
    for (std::size_t i = 1; i < found.kept; ++i) {
      if (found.ids[i] != found.ids[0]) return false;
    }
    return true;
  }

  // False if an entry has no room for the word's tokens.
  template <class Cache>
  static bool write(Cache& cache, std::string_view word, const FoundTokens& found) {
    Form form = kPlain;
    if (found.kept > Cache::kTokens) {
      form = found.kept <= 2 * Cache::kTokens && are_halves(found) ? kHalves : kRepeated;
      if (form == kRepeated && !are_repeated(found)) return false;
    }
    auto& entry = cache.insert(key_of<Cache>(word, word.data() + word.size()));
    std::memcpy(entry.ids, found.ids, sizeof entry.ids);
    if (form == kHalves) {
      std::uint16_t halves[2 * Cache::kTokens];
      for (std::size_t i = 0; i < 2 * Cache::kTokens; ++i) halves[i] = static_cast<std::uint16_t>(found.ids[i]);
      std::memcpy(entry.ids, halves, sizeof halves);
    }
    entry.kept = static_cast<std::uint8_t>(found.kept);
    entry.total = static_cast<std::uint8_t>(found.total);
    entry.starts = form;
    return true;
  }

  NarrowWords& narrow_words_;
  WideWords& wide_words_;
};

}  // namespace pumice
