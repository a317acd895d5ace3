// pre_tokenizer.json's steps over a text.
#include "general.h"
#include "metaspace.h"

namespace pumice {

pumice_status pre_tokenize(const pumice_model& model, std::string_view text, bool first, Arena& arena, Pieces& pieces) {
  pieces.pieces = arena.take<std::string_view>(1);
  if (pieces.pieces == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  pieces.pieces[0] = text;
  pieces.count = 1;
  const Section& section = model.sections[PUMICE_SECTION_PRE_TOKENIZER];
  Program program(section.bytes, section.size);
  pumice_status status = PUMICE_OK;
  for (Step step{}; status == PUMICE_OK && program.next(step);) {
    if (step.operation >= kFirstMetaspaceOperation) status = apply_metaspace(step, first, arena, pieces);
  }
  return status;
}

pumice_status check_pre_tokenizer(const Section& section) {
  if (!is_program(section.bytes, section.size)) return PUMICE_BAD_SECTION;
  Program program(section.bytes, section.size);
  for (Step step{}; program.next(step);) {
    if (step.operation < kFirstMetaspaceOperation || !is_metaspace(step)) return PUMICE_BAD_SECTION;
  }
  return PUMICE_OK;
}

}  // namespace pumice
