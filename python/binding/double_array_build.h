// Lays a sorted set of keys out as the double array that core/src/double_array.h reads.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "double_array.h"

namespace pumice {

struct TrieKey {
  std::string_view bytes;  // not empty, no NUL
  std::uint32_t value;
};

// `keys` are sorted by bytes and differ. The same keys give the same units. `near_parents`: a node's last child lies in
// its own cache line, where there is room. Throws std::invalid_argument.
std::vector<DoubleArray::Unit> build_double_array(const std::vector<TrieKey>& keys, bool near_parents);

}  // namespace pumice
