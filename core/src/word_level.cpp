// WordLevel: a piece is a token or unknown.
#include "general.h"

namespace pumice {

pumice_status word_level(const pumice_model& model, std::string_view piece, Arena& arena, Ids& ids) {
  ids.ids = arena.take<std::uint32_t>(1);
  if (ids.ids == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  const auto match = model.vocabulary.longest_prefix(DoubleArray::kRoot, piece.data(), piece.size());
  const bool whole = match.length == piece.size() && match.length != 0;
  ids.ids[0] = whole ? match.value : model.parameters.unknown_id;
  ids.count = 1;
  return PUMICE_OK;
}

}  // namespace pumice
