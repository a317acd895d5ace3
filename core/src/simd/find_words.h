// The words of a list in the caches, all ways of a set compared at once.
#pragma once

#include "../found_word.h"
#include "../little_words.h"
#include "list_words.h"

namespace pumice::simd {

struct FindWords {
  // Fills `found` for the words that the cache has, its ids as far as they are kept. The others' numbers go to
  // `missed`; how many there are.
  std::size_t (*in_little)(const LittleWords& words, const WordList& list, FoundWord* found, std::uint16_t* missed);
  // The same for `count` words in `missed`, those that no cache has staying in it. A word that the cache has no room
  // for is none of them: it is marked as FoundWord::kNot.
  std::size_t (*in_short)(const ShortWords& words, const WordList& list, FoundWord* found, std::uint16_t* missed,
                          std::size_t count);
};

extern const FindWords kPortableFind;
extern const FindWords kAvx2Find;
extern const FindWords kAvx512Find;
extern const FindWords kWasmFind;

}  // namespace pumice::simd
