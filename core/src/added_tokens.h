// Cuts a text at added tokens, exactly as AddedVocabulary::find_matches of Hugging Face tokenizers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "double_array.h"

namespace pumice {

// A value of an added tokens trie: the id in the low 24 bits, and how the token matches.
enum AddedTokenFlag : std::uint32_t {
  kSingleWord = 1u << 24,  // only where no word character touches it
  kLeftStrip = 1u << 25,   // takes the white space on its left along
  kRightStrip = 1u << 26,  // and on its right
};
// Longer ones are never found, which bounds the work per byte of text whatever a file says.
inline constexpr std::size_t kMaxAddedToken = 1024;
inline constexpr std::uint32_t kAddedTokenId = (1u << 24) - 1;

class AddedTokenCutter {
 public:
  struct Part {
    bool is_token;
    std::uint32_t id;       // of a token
    std::string_view text;  // between tokens, not empty; or the token with the white space it takes along
  };

  AddedTokenCutter(const DoubleArray& trie, std::string_view text)
      : trie_(trie), text_(text.data()), end_(text.data() + text.size()), search_(text_), rest_(text_) {}

  // The next part from the left; false at the end.
  bool next(Part& part);

  // The next token of whole characters that begins before `until` and not before `from`; the text around it is the
  // caller's.
  bool next_token(const char* from, const char* until, Part& part);

 private:
  bool find(const char* until);
  bool stands_alone(const char* begin, const char* end) const;
  const char* strip_left(const char* begin) const;
  const char* strip_right(const char* end);

  const DoubleArray& trie_;
  const char* text_;
  const char* end_;
  const char* search_;  // the next match begins here or later
  const char* rest_;    // what no part has covered begins here; a match may lie before it
  bool waits_ = false;  // the text before the match was given out, the match was not
  bool ended_ = false;
  std::uint32_t value_ = 0;
  const char* begin_ = nullptr;
  const char* match_end_ = nullptr;
  const char* spaces_begin_ = nullptr;  // white space that strip_right has read already
  const char* spaces_end_ = nullptr;
};

}  // namespace pumice
