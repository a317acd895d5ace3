// The loops that the kernels of find_words share: all sets are asked for before the first is looked at.
// Included after the instruction set has been chosen, so that they are built for it.
#pragma once

#include <cstring>

#include "../prefetch.h"
#include "find_words.h"

namespace pumice::simd {
namespace {  // each instruction set's own: the linker may not put one's code in place of another's

// Match: little(set, key, found), which fills `found` where the set has the key and says whether it has;
// way_of(set, key), ShortWords::kWays where no way has it.
template <class Match>
std::size_t find_little(const LittleWords& words, const WordList& list, FoundWord* found, std::uint16_t* missed) {
  std::size_t places[WordList::kRoom];
  const std::size_t count = list.count;
  for (std::size_t i = 0; i < count; ++i) places[i] = words.place_of(list.low[i]);
  for (std::size_t i = 0; i < count; ++i) prefetch(&words.set_at(places[i]));
  std::size_t misses = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool hit = Match::little(words.set_at(places[i]), list.low[i], found[i]);
    missed[misses] = static_cast<std::uint16_t>(i);
    misses += static_cast<std::size_t>(!hit | (list.high[i] != 0));
  }
  return misses;
}

template <class Match>
std::size_t find_short(const ShortWords& words, const WordList& list, FoundWord* found, std::uint16_t* missed,
                       std::size_t count) {
  ShortWords::Key keys[WordList::kRoom];
  const ShortWords::Entry* sets[WordList::kRoom];
  for (std::size_t i = 0; i < count; ++i) {
    keys[i] = {{list.low[missed[i]], list.high[missed[i]]}};
    sets[i] = words.set_of(keys[i]);
    prefetch(sets[i]);
    prefetch(sets[i] + 2);
  }
  std::size_t misses = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t word = missed[i];
    FoundWord& to = found[word];
    if (list.size[word] > ShortWords::kBytes) {
      to.kept = FoundWord::kNot;
      continue;
    }
    const std::size_t way = Match::way_of(sets[i], keys[i]);
    if (way == ShortWords::kWays) {
      missed[misses++] = word;
      continue;
    }
    std::memcpy(&to, sets[i][way].ids, sizeof to);
    if (to.kept == 0 && to.total == ShortWords::kElsewhere) to.kept = FoundWord::kNot;
  }
  return misses;
}

}  // namespace
}  // namespace pumice::simd
