// The loop that the x86 kernels share: a block of dimensions stays in registers while all rows are added.
// Included between PUMICE_BEGIN_… and PUMICE_END, so that it is built for the instruction set.
#pragma once

#include "add_rows.h"

namespace pumice::simd {

// Rows ahead that are being fetched while one is added: the table is larger than the caches.
inline constexpr std::size_t kAhead = 6;
inline constexpr std::size_t kCacheLine = 64;

// Adds `Registers` vectors' worth of dimensions from `from` on. Vector: kWidth, load(sum), widen(row), store.
template <class Vector, std::size_t Registers, bool Weighted>
void add_block(float* sum, const RowList& list, std::size_t from) {
  using Value = typename Vector::Value;
  const Value* table = static_cast<const Value*>(list.table) + from;
  typename Vector::Register acc[Registers];
  for (std::size_t r = 0; r < Registers; ++r) acc[r] = Vector::load(sum + from + r * Vector::kWidth);
  for (std::size_t i = 0; i < list.count; ++i) {
    const Value* row = table + list.rows[i] * list.stride;
    if (i + kAhead < list.count) {
      const char* next = reinterpret_cast<const char*>(table + list.rows[i + kAhead] * list.stride);
      for (std::size_t at = 0; at < Registers * Vector::kWidth * sizeof(Value); at += kCacheLine) {
        __builtin_prefetch(next + at);
      }
    }
    if constexpr (Weighted) {
      const auto weight = Vector::broadcast(list.weights[i]);
      for (std::size_t r = 0; r < Registers; ++r) {
        acc[r] = Vector::add(acc[r], Vector::multiply(weight, Vector::widen(row + r * Vector::kWidth)));
      }
    } else {
      for (std::size_t r = 0; r < Registers; ++r) {
        acc[r] = Vector::add(acc[r], Vector::widen(row + r * Vector::kWidth));
      }
    }
  }
  for (std::size_t r = 0; r < Registers; ++r) Vector::store(sum + from + r * Vector::kWidth, acc[r]);
}

// The whole width: large blocks, then single vectors, then the portable kernel for what fills no vector.
template <class Vector, std::size_t Registers, bool Weighted>
void add_blocks(float* sum, const RowList& list, AddRows portable) {
  std::size_t from = 0;
  for (; from + Registers * Vector::kWidth <= list.dim; from += Registers * Vector::kWidth) {
    add_block<Vector, Registers, Weighted>(sum, list, from);
  }
  for (; from + 4 * Vector::kWidth <= list.dim; from += 4 * Vector::kWidth) {
    add_block<Vector, 4, Weighted>(sum, list, from);
  }
  for (; from + Vector::kWidth <= list.dim; from += Vector::kWidth) add_block<Vector, 1, Weighted>(sum, list, from);
  if (from == list.dim) return;
  RowList rest = list;
  rest.table = static_cast<const typename Vector::Value*>(list.table) + from;
  rest.dim = list.dim - from;
  portable(sum + from, rest);
}

}  // namespace pumice::simd
