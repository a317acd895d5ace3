// A generated table of what code points decompose to, without their numbers: a code point's place is counted.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pumice::unicode {

// Blocks of 2^6 code points in which any decomposes, and for each the number of its first entry and of that one's
// first unit. The entries stand in the order of their code points, and have a UTF-16 unit or more each.
struct Decompositions {
  static constexpr unsigned kBlockBits = 6;
  static constexpr std::size_t kPadding = 8;  // of `units`, so that eight can be read at once

  const std::uint16_t* blocks;
  const std::uint16_t* entries;
  const std::uint16_t* places;
  std::size_t block_count;
  const std::uint8_t* units;
  const std::uint8_t* low;  // bytes of the units; apart they compress better
  const std::uint8_t* high;
};

// How many of the first `count`, fewer than 64, of a block's 64 bytes have `bit`.
inline unsigned count_with(const std::uint8_t* block, unsigned count, std::uint8_t bit) {
  unsigned found = 0;
  for (unsigned at = 0; at < count; at += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, block + at, 8);
    if (count - at < 8) eight &= (std::uint64_t{1} << 8 * (count - at)) - 1;
    found += static_cast<unsigned>(std::popcount(eight & 0x0101010101010101u * bit));
  }
  return found;
}

// The sum of `count` bytes below 32; kPadding more can be read.
inline unsigned sum_of(const std::uint8_t* bytes, unsigned count) {
  unsigned sum = 0;
  for (unsigned at = 0; at < count; at += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes + at, 8);
    if (count - at < 8) eight &= (std::uint64_t{1} << 8 * (count - at)) - 1;
    sum += static_cast<unsigned>(eight * 0x0101010101010101u >> 56);
  }
  return sum;
}

// Writes what a code point that has an entry decomposes to and returns its length. `before`: how many entries its
// block has before it.
inline unsigned decompose(const Decompositions& table, char32_t point, unsigned before, char32_t* out) {
  const auto block = static_cast<std::uint16_t>(point >> Decompositions::kBlockBits);
  const auto index = std::lower_bound(table.blocks, table.blocks + table.block_count, block) - table.blocks;
  const std::uint8_t* units = table.units + table.entries[index];
  const unsigned begin = table.places[index] + sum_of(units, before);
  const unsigned end = begin + units[before];
  const auto unit = [&table](unsigned at) -> char32_t { return table.low[at] | char32_t{table.high[at]} << 8; };
  unsigned length = 0;
  for (unsigned at = begin; at < end;) {
    char32_t next = unit(at++);
    if (next - 0xD800 < 0x400) next = 0x10000 + ((next - 0xD800) << 10) + (unit(at++) - 0xDC00);
    out[length++] = next;
  }
  return length;
}

}  // namespace pumice::unicode
