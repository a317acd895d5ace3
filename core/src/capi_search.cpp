// The C interface of search: checks arguments, calls the core once.
#include "topk.h"

namespace {

// What a model may have; dot products of so many int8 values fit 32 bits.
constexpr std::uint32_t kMostDimensions = 65536;

bool is_searchable(const pumice_codes* codes, const pumice_code_query* query, const pumice_hit* hits,
                   std::size_t capacity) {
  if (codes == nullptr || query == nullptr || (hits == nullptr && capacity != 0)) return false;
  const bool binary = codes->type == PUMICE_VECTOR_BINARY;
  if (!binary && codes->type != PUMICE_VECTOR_I8) return false;
  if (query->type != codes->type && !(binary && query->type == PUMICE_VECTOR_I8)) return false;
  const bool given = query->bytes != nullptr && (codes->codes != nullptr || codes->count == 0);
  return given && codes->dim >= 1 && codes->dim <= kMostDimensions && codes->count <= ~codes->first;
}

}  // namespace

extern "C" {

pumice_status pumice_nearest(const pumice_codes* codes, const pumice_code_query* query, pumice_hit* hits,
                             size_t capacity, size_t* found) {
  if (!is_searchable(codes, query, hits, capacity) || found == nullptr || *found > capacity) {
    return PUMICE_BAD_ARGUMENT;
  }
  if (capacity != 0) *found = pumice::nearest(*codes, *query, hits, capacity, *found);
  return PUMICE_OK;
}

pumice_status pumice_rescore(const pumice_codes* codes, const pumice_code_query* query, pumice_hit* hits,
                             size_t count) {
  if (!is_searchable(codes, query, hits, count)) return PUMICE_BAD_ARGUMENT;
  pumice::rescore(*codes, *query, hits, count);
  return PUMICE_OK;
}

}  // extern "C"
