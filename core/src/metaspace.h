// The pre-tokenizer of SentencePiece models, Metaspace: spaces become a visible character.
#pragma once

#include "general.h"

namespace pumice {

// Numbers of these operations in the pre-tokenizer section; all others are pre_tokenize.cpp's.
enum MetaspaceOperation : std::uint32_t {
  kFirstMetaspaceOperation = 100,
  kMetaspace = 100,
};

// Cuts every piece further; `text` becomes what they are views of. `first`: it begins where the whole text began.
template <class Text>
pumice_status apply_metaspace(const Step& step, bool first, Arena& arena, Text& text, Pieces& pieces);

bool is_metaspace(const Step& step);

// Of a step that is_metaspace: whether it cuts pieces, whether it treats the first piece as no other, its mark.
bool metaspace_cuts(const Step& step);
bool metaspace_is_first_only(const Step& step);
std::string_view metaspace_mark(const Step& step);

}  // namespace pumice
