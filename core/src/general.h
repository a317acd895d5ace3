// The stages of a Hugging Face tokenizer that is not BERT's: normalizer, pre-tokenizer, model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "arena.h"
#include "model_file.h"
#include "program.h"

namespace pumice {

// What a pre-tokenizer cuts a text into. Arrays and new text are the arena's.
struct Pieces {
  std::string_view* pieces = nullptr;
  std::size_t count = 0;
};

// Bytes of a piece.
struct Range {
  std::uint32_t begin;
  std::uint32_t end;
};

struct Ids {
  std::uint32_t* ids = nullptr;
  std::size_t count = 0;
  Range* ranges = nullptr;  // what each id stands for, where that was asked for
};

// Each returns PUMICE_OK, PUMICE_MEMORY_TOO_SMALL where the arena ends, PUMICE_TOO_MUCH_WORK where the text has
// cost all that Arena::begin allows, or PUMICE_INVALID_UTF8. They may return views of their input. No content of
// the file makes them read outside it.

// normalizer.json's steps over a text that holds no added token; here and in pre_tokenize, `Text` is std::string_view
// or AlignedText.
template <class Text>
pumice_status normalize(const pumice_model& model, Text& text, Arena& arena);

// The same over one word of Route::kWords: `word` becomes what the steps make of it in the text around it, if it is
// `closed` or the last. Otherwise it is not done: a longer stretch of the text is to be tried.
struct WordPlace {
  bool first;
  bool last;
};
pumice_status normalize_word(const pumice_model& model, WordPlace place, Arena& arena, std::string_view& word,
                             bool& closed);

// `first`: the text begins where the whole text began (Metaspace's prepend_scheme "first"). The pieces are views of
// what `text` becomes.
template <class Text>
pumice_status pre_tokenize(const pumice_model& model, Text& text, bool first, Arena& arena, Pieces& pieces);

// How often a model looks at a byte, for Arena::read: rather than the once of a normalizer's step.
inline constexpr std::size_t kModelReads = 8;

// Token ids of one piece, by the model that the file has. `ranged`: with their ranges, which takes longer.
pumice_status unigram(const pumice_model& model, std::string_view piece, Arena& arena, Ids& ids, bool ranged = false);
pumice_status bpe(const pumice_model& model, std::string_view piece, Arena& arena, Ids& ids, bool ranged = false);
pumice_status word_level(const pumice_model& model, std::string_view piece, Arena& arena, Ids& ids,
                         bool ranged = false);

inline pumice_status tokenize_piece(const pumice_model& model, std::string_view piece, Arena& arena, Ids& ids,
                                    bool ranged = false) {
  switch (model.parameters.tokenizer) {
    case PUMICE_TOKENIZER_UNIGRAM:
      return unigram(model, piece, arena, ids, ranged);
    case PUMICE_TOKENIZER_BPE:
      return bpe(model, piece, arena, ids, ranged);
    default:
      return word_level(model, piece, arena, ids, ranged);
  }
}

// How the steps may be run; the sections have passed the checks below.
WordRoute word_route(const pumice_model& model);

// At open: that the sections hold what the functions above rely on.
pumice_status check_normalizer(const Section& section);
pumice_status check_pre_tokenizer(const Section& section);
pumice_status check_unigram(const pumice_model& model);
pumice_status check_bpe(const pumice_model& model);

}  // namespace pumice
