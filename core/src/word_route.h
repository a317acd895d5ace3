// How much of a text its tokens may look at, proven from a tokenizer's steps when a model is opened.
#pragma once

#include <cstdint>

namespace pumice {

enum class Route : std::uint8_t {
  kWhole,    // stage by stage over the whole text
  kWords,    // word by word: what stands between white space is tokenised on its own
  kPattern,  // the normalizer over the whole text, then match by match of a split pattern
};

struct WordRoute {
  Route route = Route::kWhole;
  // The ASCII bytes, all of them white space, that may begin a word of Route::kWords: bit c is byte c.
  std::uint64_t begins = 0;
  // Spaces that a step puts at a word's end may merge with those that the next begins with: the last word differs.
  bool merges_spaces = false;
  bool prefix_space = false;  // Route::kPattern: a text that does not begin with a space is given one
  std::uint32_t pattern = 0;  // Route::kPattern: SplitPattern
};

}  // namespace pumice
