// pre_tokenizer.json's steps over a text.
#include "general.h"

namespace pumice {

pumice_status pre_tokenize(const pumice_model&, std::string_view text, bool, Arena& arena, Pieces& pieces) {
  pieces.pieces = arena.take<std::string_view>(1);
  if (pieces.pieces == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  pieces.pieces[0] = text;
  pieces.count = 1;
  return PUMICE_OK;
}

pumice_status check_pre_tokenizer(const Section& section) { return section.size == 0 ? PUMICE_OK : PUMICE_BAD_SECTION; }

}  // namespace pumice
