// Byte classes by table: the oracle of the other kernels.
#include "classify.h"

namespace pumice::simd {

void classify_portable(const ByteClasses& classes, const char* text, ByteMasks& masks) {
  masks = {0, 0, 0};
  for (std::size_t i = 0; i < 64; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::uint64_t bit = std::uint64_t{1} << i;
    if (byte >= 0x80) {
      masks.special |= bit;
      continue;
    }
    const unsigned low = byte & 15u;
    const unsigned high = byte >> 4;
    if (classes.word.low[low] >> high & 1) masks.word |= bit;
    if (classes.punctuation.low[low] >> high & 1) masks.punctuation |= bit;
    if (classes.special.low[low] >> high & 1) masks.special |= bit;
  }
}

}  // namespace pumice::simd
