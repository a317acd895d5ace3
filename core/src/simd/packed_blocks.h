// The loops that the vector kernels of packed rows share; a block of dimensions stays in registers while all rows are
// added. Included after the instruction set has been chosen, so that they are built for it.
#pragma once

#include <utility>

#include "packed_rows.h"

namespace pumice::simd {
namespace {  // each instruction set's own: the linker may not put one's code in place of another's

constexpr std::size_t kPackedAhead = 16;  // rows that are being fetched while one is added
constexpr std::size_t kLine = 64;

// What a lane is made of: codes lie within a byte.
template <class Value, std::size_t Count>
struct alignas(64) LaneTable {
  Value values[Count];
};

template <class Value, std::size_t Count, class Make>
constexpr LaneTable<Value, Count> lane_table(Make make) {
  LaneTable<Value, Count> table = {};
  for (std::size_t i = 0; i < Count; ++i) table.values[i] = static_cast<Value>(make(i));
  return table;
}

// Written into its callers: GCC takes a function that only prefetches for one that does nothing, and drops its calls.
template <std::size_t Bytes>
[[gnu::always_inline]] inline void prefetch_packed(const std::uint8_t* table, const RowList& list, std::size_t i) {
  if (i >= list.count + list.ahead) return;
  const auto* next = reinterpret_cast<const char*>(table + list.rows[i] * list.stride);
  for (std::size_t at = 0; at < Bytes; at += kLine) __builtin_prefetch(next + at);
}

// Codes are added up as they are; what they count follows from their sum: `bias` is that of the largest code.
// Lanes: kWidth codes, codes<Bits>(bytes), and their sums in a Low and a High register: zero(),
// multiplier(first, second), add(low, high, first codes, second codes, multipliers), add_twice_to(sum, low, high,
// bias).
template <class Lanes, unsigned Bits, std::size_t... Block>
void add_packed_block(std::int32_t* sum, const std::int16_t* multipliers, const RowList& list, std::int32_t bias,
                      std::size_t from, std::index_sequence<Block...>) {
  constexpr std::size_t kBytes = Lanes::kWidth * Bits / 8;
  const auto* table = static_cast<const std::uint8_t*>(list.table) + from * Bits / 8;
  typename Lanes::Register low[] = {(static_cast<void>(Block), Lanes::zero())...};
  typename Lanes::Register high[] = {(static_cast<void>(Block), Lanes::zero())...};
  for (std::size_t i = 0; i < list.count; i += 2) {
    const bool paired = i + 1 < list.count;
    const std::uint8_t* first = table + list.rows[i] * list.stride;
    const std::uint8_t* second = paired ? table + list.rows[i + 1] * list.stride : first;
    prefetch_packed<sizeof...(Block) * kBytes>(table, list, i + kPackedAhead);
    prefetch_packed<sizeof...(Block) * kBytes>(table, list, i + kPackedAhead + 1);
    const auto pair = Lanes::multiplier(multipliers[i], paired ? multipliers[i + 1] : std::int16_t{0});
    (Lanes::add(low[Block], high[Block], Lanes::template codes<Bits>(first + Block * kBytes),
                Lanes::template codes<Bits>(second + Block * kBytes), pair),
     ...);
  }
  (Lanes::add_twice_to(sum + from + Block * Lanes::kWidth, low[Block], high[Block], bias), ...);
}

template <class Lanes, unsigned Bits, std::size_t Blocks>
void add_packed_rows(std::int32_t* sum, const std::int16_t* multipliers, const RowList& list, AddIntegerRows rest) {
  for (std::size_t i = 0; list.first && i < list.dim; ++i) sum[i] = 0;
  std::int32_t bias = 0;
  for (std::size_t i = 0; i < list.count; ++i) bias += multipliers[i];
  bias *= (1 << Bits) - 1;
  std::size_t from = 0;
  for (; from + Blocks * Lanes::kWidth <= list.dim; from += Blocks * Lanes::kWidth) {
    add_packed_block<Lanes, Bits>(sum, multipliers, list, bias, from, std::make_index_sequence<Blocks>());
  }
  for (; from + Lanes::kWidth <= list.dim; from += Lanes::kWidth) {
    add_packed_block<Lanes, Bits>(sum, multipliers, list, bias, from, std::make_index_sequence<1>());
  }
  if (from == list.dim) return;
  RowList tail = list;
  tail.table = static_cast<const std::uint8_t*>(list.table) + from * Bits / 8;
  tail.dim = list.dim - from;
  tail.first = false;
  rest(sum + from, multipliers, tail);
}

// The table of an instruction set's kernels.
template <class Lanes, std::size_t Blocks>
constexpr PackedKernels packed_kernels() {
  return {
      [](std::int32_t* sum, const std::int16_t* multipliers, const RowList& list) {
        add_packed_rows<Lanes, 1, Blocks>(sum, multipliers, list, kPortablePacked.add_rows_1);
      },
      [](std::int32_t* sum, const std::int16_t* multipliers, const RowList& list) {
        add_packed_rows<Lanes, 2, Blocks>(sum, multipliers, list, kPortablePacked.add_rows_2);
      },
      [](std::int32_t* sum, const std::int16_t* multipliers, const RowList& list) {
        add_packed_rows<Lanes, 4, Blocks>(sum, multipliers, list, kPortablePacked.add_rows_4);
      },
  };
}

}  // namespace
}  // namespace pumice::simd
