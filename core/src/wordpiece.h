// Greedy longest-match-first WordPiece (Schuster and Nakajima 2012, as in BERT), checked against HF tokenizers.
#pragma once

#include <cstdint>

#include "model_file.h"
#include "pre_tokenizer.h"

namespace pumice {

// Writes the ids of one word's pieces; a word that the vocabulary cannot spell is one unknown token. `pieces`
// holds at least `max_word_chars` ids: every piece covers one code point or more. `ends`, where given, gets the
// pieces' ends in the word's bytes; an unknown word has none.
inline std::uint32_t wordpiece(const pumice_model& model, const Word& word, std::uint32_t* pieces,
                               std::uint32_t* ends = nullptr) {
  const auto unknown = [&] {
    pieces[0] = model.parameters.unknown_id;
    return 1u;
  };
  if (word.too_long) return unknown();
  std::uint32_t count = 0;
  std::uint32_t node = DoubleArray::kRoot;
  for (std::size_t at = 0; at < word.size;) {
    if (node == kNone) return unknown();  // the vocabulary has no continuing pieces
    const auto match = model.vocabulary.longest_prefix(node, word.bytes + at, word.size - at);
    if (match.length == 0 || count == model.parameters.max_word_chars) return unknown();
    pieces[count] = match.value;
    at += match.length;
    if (ends != nullptr) ends[count] = static_cast<std::uint32_t>(at);
    ++count;
    node = model.parameters.continuation_node;
  }
  return count;
}

}  // namespace pumice
