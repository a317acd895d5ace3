// Short words of one or two tokens, which most words are: four to a cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pumice {

// Like WordCache, for words of 8 bytes at most whose tokens all enter the mean and where no normalized token begins.
class LittleWords {
 public:
  static constexpr std::size_t kBytes = 8;
  static constexpr std::size_t kTokens = 2;
  static constexpr std::size_t kWays = 4;
  static constexpr std::uint32_t kNoToken = 0xFFFFFFFFu;

  struct Set {
    std::uint64_t keys[kWays];          // a word's bytes, then zeros; 0: no word
    std::uint32_t ids[kWays][kTokens];  // the second is kNoToken where there is one
  };
  static_assert(sizeof(Set) == 64);

  // Bytes of memory for 2^bits sets.
  static constexpr std::size_t size_of(unsigned bits) { return sizeof(Set) << bits; }

  // `memory` holds size_of(bits) bytes of zeros.
  void adopt(void* memory, unsigned bits) {
    sets_ = static_cast<Set*>(memory);
    shift_ = kHashBits - bits;
  }

  bool exists() const { return sets_ != nullptr; }

  std::size_t place_of(std::uint64_t key) const { return static_cast<std::size_t>(hash_of(key) >> shift_); }

  const Set& set_at(std::size_t place) const { return sets_[place]; }

  // What a kernel needs that finds the places of several words at a time.
  const Set* sets() const { return sets_; }
  unsigned shift() const { return shift_; }

#ifdef __wasm_simd128__
  // WebAssembly has no products of 64 bits two at a time, but sums of two products of 16 bits four at a time.
  static constexpr unsigned kHashBits = 32;
  static constexpr std::int16_t kFactors[4] = {0x79B9, 0x4F2D, 0x653B, 0x2C1B};
  static constexpr std::uint32_t kSpread = 0x9E3779B1u;
  static std::uint32_t hash_of(std::uint64_t key) {
    std::uint32_t sum = 0;
    for (unsigned i = 0; i < 4; ++i) {
      sum += static_cast<std::uint32_t>(static_cast<std::int16_t>(key >> (16 * i)) * kFactors[i]);
    }
    return sum * kSpread;
  }
#else
  static constexpr unsigned kHashBits = 64;
  static std::uint64_t hash_of(std::uint64_t key) { return (key ^ key >> 29) * 0x9E3779B97F4A7C15u; }
#endif

  // A new word, of one token or of two that are not kNoToken.
  void insert(std::uint64_t key, const std::uint32_t* ids, std::size_t count) {
    Set& set = sets_[place_of(key)];
    std::size_t place = 0;
    while (place < kWays / 2 && set.keys[place] != 0) ++place;
    // The older half stays, so that rare words do not drive out frequent ones; now and then all move on.
    if (place == kWays / 2 && ++inserted_ % 16 == 0) place = 0;
    if (set.keys[place] != 0) {
      for (std::size_t way = kWays - 1; way > place; --way) {
        set.keys[way] = set.keys[way - 1];
        std::memcpy(set.ids[way], set.ids[way - 1], sizeof set.ids[way]);
      }
    }
    set.keys[place] = key;
    set.ids[place][0] = ids[0];
    set.ids[place][1] = count > 1 ? ids[1] : kNoToken;
  }

 private:
  Set* sets_ = nullptr;
  unsigned shift_ = kHashBits;
  unsigned inserted_ = 0;
};

}  // namespace pumice
