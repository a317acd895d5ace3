// The worker's word caches for tokenizers other than WordPiece: keys that hold any byte, NUL too.
#pragma once

#include <cstring>
#include <string_view>

#include "ids.h"
#include "prefetch.h"
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
using NarrowWords = WordCache<16, 3, 4>;
using WideWords = WordCache<32, 7, 4>;
static_assert(sizeof(NarrowWords::Entry) == 32 && sizeof(WideWords::Entry) == 64);

// A word's key is its bytes, zeros and, in the last byte, its size.
class CachedTokens {
 public:
  static constexpr std::size_t kLongest = WideWords::kBytes - 1;

  CachedTokens(NarrowWords& narrow_words, WideWords& wide_words)
      : narrow_words_(narrow_words), wide_words_(wide_words) {}

  // A word, and where it would be.
  struct Place {
    std::string_view word;
    NarrowWords::Key key;
    const NarrowWords::Entry* set;  // null: it is not a short one
  };

  // Asks for the memory where the word would be. Bytes up to `end` can be read.
  Place place_of(std::string_view word, const char* end) const {
    Place place = {word, {}, nullptr};
    if (!narrow_words_.exists() || word.size() > kLongest) return place;
    if (word.size() < NarrowWords::kBytes) {
      place.key = key_of<NarrowWords>(word, end);
      place.set = narrow_words_.set_of(place.key);
      prefetch(place.set);
      prefetch(place.set + NarrowWords::kWays / 2);
    } else {
      const auto* set = wide_words_.set_of(key_of<WideWords>(word, end));
      for (std::size_t way = 0; way < WideWords::kWays; ++way) prefetch(set + way);
    }
    return place;
  }

  // Puts a known word's tokens; false where it is not known or no token would be left to put after it. Bytes up to
  // `end` can be read.
  bool put(const Place& place, const char* end, TokenStream& stream) const {
    const std::string_view word = place.word;
    if (!narrow_words_.exists() || word.size() > kLongest) return false;
    if (place.set != nullptr) {
      const auto* entry = NarrowWords::find(place.set, place.key);
      if (entry != nullptr) {
        if (!stream.fits(entry->total)) return false;
        stream.put_known<NarrowWords::kTokens>(entry->ids, entry->kept, entry->total);
        return true;
      }
    }
    const auto* entry = find(wide_words_, word, end);
    if (entry == nullptr || !stream.fits(entry->total)) return false;
    stream.put_known<WideWords::kTokens>(entry->ids, entry->kept, entry->total);
    return true;
  }

  void remember(std::string_view word, const FoundTokens& found) {
    if (!narrow_words_.exists() || word.size() > kLongest || found.kept > WideWords::kTokens) return;
    if (found.total > FoundTokens::kMost) return;
    if (word.size() < NarrowWords::kBytes && found.kept <= NarrowWords::kTokens) {
      write(narrow_words_, word, found);
    } else {
      write(wide_words_, word, found);
    }
  }

 private:
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

  template <class Cache>
  static void write(Cache& cache, std::string_view word, const FoundTokens& found) {
    auto& entry = cache.insert(key_of<Cache>(word, word.data() + word.size()));
    std::memcpy(entry.ids, found.ids, sizeof entry.ids);
    entry.kept = static_cast<std::uint8_t>(found.kept);
    entry.total = static_cast<std::uint8_t>(found.total);
    entry.starts = 0;
  }

  NarrowWords& narrow_words_;
  WideWords& wide_words_;
};

}  // namespace pumice
