// Packed rows in plain loops: the oracle of the others.
#include "packed_rows.h"

namespace pumice::simd {
namespace {

template <unsigned Bits>
void add_rows(std::int32_t* __restrict sum, const std::int16_t* multipliers, const RowList& list) {
  constexpr std::int32_t kLargest = (1 << Bits) - 1;
  for (std::size_t d = 0; list.first && d < list.dim; ++d) sum[d] = 0;
  for (std::size_t i = 0; i < list.count; ++i) {
    const auto* __restrict row = static_cast<const std::uint8_t*>(list.table) + list.rows[i] * list.stride;
    const std::int32_t multiplier = multipliers[i];
    for (std::size_t d = 0; d < list.dim; ++d) {
      const std::int32_t code = row[d * Bits / 8] >> (d * Bits % 8) & kLargest;
      sum[d] += multiplier * (2 * code - kLargest);
    }
  }
}

}  // namespace

constexpr PackedKernels kPortablePacked = {add_rows<1>, add_rows<2>, add_rows<4>};

}  // namespace pumice::simd
