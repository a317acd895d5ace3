// The loops that the vector kernels share; a block of dimensions stays in registers while all rows are added.
// Included after the instruction set has been chosen, so that they are built for it.
#pragma once

#include <utility>

#include "int8_codes.h"
#include "row_kernels.h"

namespace pumice::simd {
namespace {  // each instruction set's own: the linker may not put one's code in place of another's

// Rows ahead that are being fetched while one is added: the table is larger than the caches.
constexpr std::size_t kAhead = 24;
constexpr std::size_t kCacheLine = 64;

// Written into its callers: GCC takes a function that only prefetches for one that does nothing, and drops its calls.
template <std::size_t Bytes, class Value>
[[gnu::always_inline]] inline void prefetch_row(const Value* table, const RowList& list, std::size_t i) {
  if (i >= list.count + list.ahead) return;
  const char* next = reinterpret_cast<const char*>(table + list.rows[i] * list.stride);
  for (std::size_t at = 0; at < Bytes; at += kCacheLine) __builtin_prefetch(next + at);
}

// do_each(0), do_each(1), ... written out: of an array that a loop goes through GCC makes memory, not registers.
template <std::size_t Count, class DoEach>
inline void for_each(DoEach&& do_each) {
  [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    (do_each(Index), ...);
  }(std::make_index_sequence<Count>());
}

// Adds `Registers` vectors' worth of dimensions from `from` on. Vector: kWidth, load(sum), widen(row), store.
template <class Vector, std::size_t Registers, bool Weighted>
void add_block(float* sum, const float* weights, const RowList& list, std::size_t from) {
  using Value = typename Vector::Value;
  constexpr std::size_t kBytes = Registers * Vector::kWidth * sizeof(Value);
  const Value* table = static_cast<const Value*>(list.table) + from;
  typename Vector::Register acc[Registers];
  if (list.first) {
    for_each<Registers>([&](std::size_t r) { acc[r] = Vector::broadcast(0); });
  } else {
    for_each<Registers>([&](std::size_t r) { acc[r] = Vector::load(sum + from + r * Vector::kWidth); });
  }
  for (std::size_t i = 0; i < list.count; ++i) {
    const Value* row = table + list.rows[i] * list.stride;
    prefetch_row<kBytes>(table, list, i + kAhead);
    if constexpr (Weighted) {
      const auto weight = Vector::broadcast(weights[i]);
      for_each<Registers>([&](std::size_t r) {
        acc[r] = Vector::add(acc[r], Vector::multiply(weight, Vector::widen(row + r * Vector::kWidth)));
      });
    } else {
      for_each<Registers>(
          [&](std::size_t r) { acc[r] = Vector::add(acc[r], Vector::widen(row + r * Vector::kWidth)); });
    }
  }
  for_each<Registers>([&](std::size_t r) { Vector::store(sum + from + r * Vector::kWidth, acc[r]); });
}

// The part of a list from dimension `from` on.
template <class Value>
RowList rest_of(const RowList& list, std::size_t from) {
  RowList rest = list;
  rest.table = static_cast<const Value*>(list.table) + from;
  rest.dim = list.dim - from;
  return rest;
}

template <class Vector, std::size_t Registers, bool Weighted>
void add_blocks(float* sum, const float* weights, const RowList& list, AddRows rest) {
  std::size_t from = 0;
  for (; from + Registers * Vector::kWidth <= list.dim; from += Registers * Vector::kWidth) {
    add_block<Vector, Registers, Weighted>(sum, weights, list, from);
  }
  for (; from + 4 * Vector::kWidth <= list.dim; from += 4 * Vector::kWidth) {
    add_block<Vector, 4, Weighted>(sum, weights, list, from);
  }
  for (; from + Vector::kWidth <= list.dim; from += Vector::kWidth) {
    add_block<Vector, 1, Weighted>(sum, weights, list, from);
  }
  if (from != list.dim) rest(sum + from, weights, rest_of<typename Vector::Value>(list, from));
}

// The whole width: large blocks, then single vectors, then the portable kernel for what fills no vector.
template <class Vector, std::size_t Registers>
void add_rows(float* sum, const float* weights, const RowList& list, AddRows rest) {
  if (weights != nullptr) return add_blocks<Vector, Registers, true>(sum, weights, list, rest);
  add_blocks<Vector, Registers, false>(sum, weights, list, rest);
}

// Integers, two rows at a time: the rows' values side by side meet the rows' multipliers side by side in one
// instruction. Pairs: kWidth dimensions, their sums in a Low and a High register, multiplier(first, second),
// add(low, high, first row, second row, multipliers), store(sum, low, high), add_to(sum, low, high).
template <class Pairs, std::size_t Blocks>
void add_integer_block(std::int32_t* sum, const std::int16_t* multipliers, const RowList& list, std::size_t from) {
  constexpr std::size_t kBytes = Blocks * Pairs::kWidth;
  const auto* table = static_cast<const std::int8_t*>(list.table) + from;
  typename Pairs::Sums low[Blocks], high[Blocks];
  for_each<Blocks>([&](std::size_t b) { low[b] = high[b] = Pairs::zero(); });
  for (std::size_t i = 0; i < list.count; i += 2) {
    const bool paired = i + 1 < list.count;
    const std::int8_t* first = table + list.rows[i] * list.stride;
    const std::int8_t* second = paired ? table + list.rows[i + 1] * list.stride : first;
    prefetch_row<kBytes>(table, list, i + kAhead);
    prefetch_row<kBytes>(table, list, i + kAhead + 1);
    const auto pair = Pairs::multiplier(multipliers[i], paired ? multipliers[i + 1] : std::int16_t{0});
    for_each<Blocks>([&](std::size_t b) {
      Pairs::add(low[b], high[b], first + b * Pairs::kWidth, second + b * Pairs::kWidth, pair);
    });
  }
  std::int32_t* to = sum + from;
  if (list.first) {
    for_each<Blocks>([&](std::size_t b) { Pairs::store(to + b * Pairs::kWidth, low[b], high[b]); });
  } else {
    for_each<Blocks>([&](std::size_t b) { Pairs::add_to(to + b * Pairs::kWidth, low[b], high[b]); });
  }
}

template <class Pairs, std::size_t Blocks>
void add_integer_rows(std::int32_t* sum, const std::int16_t* multipliers, const RowList& list) {
  std::size_t from = 0;
  for (; from + Blocks * Pairs::kWidth <= list.dim; from += Blocks * Pairs::kWidth) {
    add_integer_block<Pairs, Blocks>(sum, multipliers, list, from);
  }
  for (; from + Pairs::kWidth <= list.dim; from += Pairs::kWidth) {
    add_integer_block<Pairs, 1>(sum, multipliers, list, from);
  }
  if (from != list.dim) kRowTails.add_rows_i8(sum + from, multipliers, rest_of<std::int8_t>(list, from));
}

template <class Floats>
float sum_of_squares(const float* x, std::size_t n) {
  constexpr std::size_t kLanes = 16, kRegisters = kLanes / Floats::kWidth;
  typename Floats::Register acc[kRegisters];
  for (auto& lanes : acc) lanes = Floats::broadcast(0);
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t r = 0; r < kRegisters; ++r) {
      const auto value = Floats::load(x + i + r * Floats::kWidth);
      acc[r] = Floats::add(acc[r], Floats::multiply(value, value));
    }
  }
  if constexpr (requires { Floats::total(acc); }) {
    if (i == n) return Floats::total(acc);
  }
  float lanes[kLanes];
  for (std::size_t r = 0; r < kRegisters; ++r) Floats::store(lanes + r * Floats::kWidth, acc[r]);
  for (; i < n; ++i) lanes[i % kLanes] += x[i] * x[i];
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

template <class Floats>
void scale(const float* x, float factor, std::size_t n, float* out) {
  const auto factors = Floats::broadcast(factor);
  std::size_t i = 0;
  for (; i + Floats::kWidth <= n; i += Floats::kWidth) {
    Floats::store(out + i, Floats::multiply(factors, Floats::load(x + i)));
  }
  for (; i < n; ++i) out[i] = factor * x[i];
}

// Whole vectors where `out` is aligned to them; what comes before and after, which other vectors continue, as usual.
template <class Floats>
void scale_past_caches(const float* x, float factor, std::size_t n, float* out) {
  constexpr std::size_t kBytes = Floats::kWidth * sizeof(float);
  const std::size_t before = (kBytes - reinterpret_cast<std::uintptr_t>(out) % kBytes) % kBytes / sizeof(float);
  std::size_t i = 0;
  for (; i < n && i < before; ++i) out[i] = factor * x[i];
  const auto factors = Floats::broadcast(factor);
  for (; i + Floats::kWidth <= n; i += Floats::kWidth) {
    Floats::store_past_caches(out + i, Floats::multiply(factors, Floats::load(x + i)));
  }
  for (; i < n; ++i) out[i] = factor * x[i];
}

template <class Floats>
constexpr Scale past_caches() {
  if constexpr (requires(float* out) { Floats::store_past_caches(out, Floats::load(out)); }) {
    return scale_past_caches<Floats>;
  } else {
    return scale<Floats>;
  }
}

template <class Floats>
void fence() {
  if constexpr (requires { Floats::fence(); }) Floats::fence();
}

template <class Floats>
void to_floats(const std::int32_t* x, float unit, std::size_t n, float* out) {
  const auto units = Floats::broadcast(unit);
  std::size_t i = 0;
  for (; i + Floats::kWidth <= n; i += Floats::kWidth) {
    Floats::store(out + i, Floats::multiply(units, Floats::from_integers(x + i)));
  }
  for (; i < n; ++i) out[i] = unit * static_cast<float>(x[i]);
}

template <class Vector>
void to_halves(const float* x, std::size_t n, std::uint8_t* out) {
  std::size_t i = 0;
  for (; i + Vector::kWidth <= n; i += Vector::kWidth) Vector::narrow(Vector::load(x + i), out + 2 * i);
  kRowTails.to_halves(x + i, n - i, out + 2 * i);
}

template <class Floats>
void to_bits(const float* x, std::size_t n, std::uint8_t* out) {
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const std::uint64_t bits = Floats::positive(x + i);  // of eight, the first in the lowest
    // The bits in reverse: copies of the byte side by side, of each copy the bits that fall into place.
    out[i / 8] = static_cast<std::uint8_t>((bits * 0x80200802u & 0x0884422110u) * 0x0101010101u >> 32);
  }
  if (i < n) kRowTails.to_bits(x + i, n - i, out + i / 8);
}

inline std::uint32_t largest(const std::uint32_t* x, std::size_t n) {
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < n; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

// The table of an instruction set's kernels, from its vectors of float32 and float16 values and its kernel of int8.
template <class F32, std::size_t Registers32, class F16, std::size_t Registers16>
constexpr RowKernels row_kernels(AddIntegerRows add_rows_i8) {
  return {
      [](float* sum, const float* weights, const RowList& list) {
        add_rows<F32, Registers32>(sum, weights, list, kRowTails.add_rows_f32);
      },
      [](float* sum, const float* weights, const RowList& list) {
        add_rows<F16, Registers16>(sum, weights, list, kRowTails.add_rows_f16);
      },
      add_rows_i8,
      sum_of_squares<F32>,
      scale<F32>,
      past_caches<F32>(),
      fence<F32>,
      to_floats<F32>,
      to_halves<F16>,
      to_bytes,
      to_bits<F32>,
      largest,
  };
}

}  // namespace
}  // namespace pumice::simd
