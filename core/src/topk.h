// The best of many codes for a query, by exact search.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pumice.h"

namespace pumice {

// Whether `a` comes before `b`: the higher score, of equals the lower position.
inline bool is_better(const pumice_hit& a, const pumice_hit& b) {
  return a.score != b.score ? a.score > b.score : a.position < b.position;
}

// Merges the codes into `hits`, which hold the best `found` of others, best first; returns how many there are then.
std::size_t nearest(const pumice_codes& codes, const pumice_code_query& query, pumice_hit* hits, std::size_t capacity,
                    std::size_t found);

// Scores the hits that lie among the codes again, and orders all of them.
void rescore(const pumice_codes& codes, const pumice_code_query& query, pumice_hit* hits, std::size_t count);

}  // namespace pumice
