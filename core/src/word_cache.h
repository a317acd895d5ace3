// Words met before and their tokens: a word's tokens never depend on its neighbours, so it is tokenised once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pumice {

// A set-associative table over the worker's memory, keyed by the bytes as the text has them, so that
// a hit skips the normalizer too. It never grows: a new word takes the place of another one of its set.
template <std::size_t Bytes, std::size_t Tokens, std::size_t Ways = 2>
class WordCache {
 public:
  static constexpr std::size_t kBytes = Bytes;      // longest word
  static constexpr std::size_t kTokens = Tokens;    // most tokens of a word
  static constexpr std::size_t kWays = Ways;        // entries that a word can be in
  static constexpr std::uint8_t kElsewhere = 0xFF;  // a total: the word is in another cache
  static constexpr unsigned kStarts = 16;

  struct Key {
    std::uint64_t words[Bytes / 8];  // the word's bytes, then zeros; words hold no NUL

    bool operator==(const Key& other) const {
      std::uint64_t difference = 0;
      for (std::size_t i = 0; i < Bytes / 8; ++i) difference |= words[i] ^ other.words[i];
      return difference == 0;
    }
  };

  struct Entry {
    Key key;
    std::uint32_t ids[Tokens];
    std::uint8_t kept;   // how many of `ids` enter the mean
    std::uint8_t total;  // tokens with the unknown ones that are left out
    // Bit i: a normalized token may begin at byte i, the last bit: there or behind it. Not 0 if the word is elsewhere.
    std::uint16_t starts;
  };

  static Key key_of(const char* word, std::size_t size) {
    Key key{};
    std::memcpy(key.words, word, size);
    return key;
  }

  // The same where Bytes bytes can be read from `word` on, whatever the word's size.
  static Key key_in(const char* word, std::size_t size) {
    Key key, mask;
    std::memcpy(key.words, word, Bytes);
    std::memcpy(mask.words, kKeep + Bytes - size, Bytes);
    for (std::size_t i = 0; i < Bytes / 8; ++i) key.words[i] &= mask.words[i];
    return key;
  }

  // Bytes of memory for 2^bits sets.
  static constexpr std::size_t size_of(unsigned bits) { return (Ways << bits) * sizeof(Entry); }

  // `memory` holds size_of(bits) bytes of zeros, aligned to 16.
  void adopt(void* memory, unsigned bits) {
    entries_ = static_cast<Entry*>(memory);
    shift_ = 64 - bits;
  }

  bool exists() const { return entries_ != nullptr; }

  // The entries that a word can be in.
  const Entry* set_of(const Key& key) const { return entries_ + Ways * place_of(key); }

  static const Entry* find(const Entry* set, const Key& key) {
    for (std::size_t way = 0; way < Ways; ++way) {
      if (set[way].key == key) return set + way;
    }
    return nullptr;
  }

  // The same without a branch on which of them it is, which no processor guesses.
  static const Entry* find_at_once(const Entry* set, const Key& key) {
    std::size_t found = Ways;
    for (std::size_t way = 0; way < Ways; ++way) found = set[way].key == key ? way : found;
    return found == Ways ? nullptr : set + found;
  }

  // Where to write a new word's entry; its key is set.
  Entry& insert(const Key& key) {
    Entry* set = entries_ + Ways * place_of(key);
    std::size_t place = 0;
    while (place < Ways / 2 && !(set[place].key == Key{})) ++place;
    // The older half stays, so that rare words do not drive out frequent ones; now and then all move on.
    if (place == Ways / 2 && ++inserted_ % 16 == 0) place = 0;
    if (!(set[place].key == Key{})) {
      for (std::size_t way = Ways - 1; way > place; --way) set[way] = set[way - 1];
    }
    set[place].key = key;
    return set[place];
  }

 private:
  // Odd, of no pattern; the high bits of the sum of products are the hash (Dietzfelbinger's multilinear hashing).
  static constexpr std::uint64_t kFactors[] = {0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu, 0x165667B19E3779F9u,
                                               0xD6E8FEB86659FD93u, 0xA0761D6478BD642Fu};
  static_assert(Bytes / 8 <= sizeof kFactors / sizeof *kFactors);
  // Bytes of ones, then of zeros: from Bytes - size on, the mask of a word of that size.
  static constexpr struct Keep {
    std::uint8_t bytes[2 * Bytes] = {};
    constexpr Keep() {
      for (std::size_t i = 0; i < Bytes; ++i) bytes[i] = 0xFF;
    }
  } kKeepBytes{};
  static constexpr const std::uint8_t* kKeep = kKeepBytes.bytes;

  std::size_t place_of(const Key& key) const {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < Bytes / 8; ++i) hash += (key.words[i] ^ key.words[i] >> 29) * kFactors[i];
    return static_cast<std::size_t>(hash >> shift_);
  }

  Entry* entries_ = nullptr;
  unsigned shift_ = 64;
  unsigned inserted_ = 0;
};

}  // namespace pumice
