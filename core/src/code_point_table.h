// A generated two-stage table of a byte for every code point, as core/unicode/generate.py writes them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice::unicode {

// Blocks of 2^bits code points up to `trie_end`; above, runs of (first code point << 8 | byte).
struct CodePointTable {
  unsigned bits;
  char32_t trie_end;
  const std::uint8_t* block_of_point;
  const std::uint8_t* blocks;
  const std::uint32_t* runs;
  std::size_t run_count;

  constexpr std::uint8_t operator[](char32_t point) const {
    if (point < trie_end) {
      const std::size_t block = block_of_point[point >> bits];
      return blocks[(block << bits) | (point & ((1u << bits) - 1))];
    }
    std::size_t run = 0;
    while (run + 1 < run_count && runs[run + 1] >> 8 <= point) ++run;
    return static_cast<std::uint8_t>(runs[run]);
  }
};

}  // namespace pumice::unicode
