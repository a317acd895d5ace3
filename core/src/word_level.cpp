// WordLevel: a piece is a token or unknown.
#include "general.h"

namespace pumice {

pumice_status word_level(const pumice_model& model, std::string_view piece, Arena& arena, Ids& ids, bool ranged) {
  ids.ids = arena.take<std::uint32_t>(1);
  if (ids.ids == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  ids.ids[0] = model.parameters.unknown_id;
  model.vocabulary.find(piece.data(), piece.size(), ids.ids[0]);
  ids.count = 1;
  if (!ranged) return PUMICE_OK;
  ids.ranges = arena.take<Range>(1);
  if (ids.ranges == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  ids.ranges[0] = {0, static_cast<std::uint32_t>(piece.size())};
  return PUMICE_OK;
}

}  // namespace pumice
