// Merges the symbols of a piece by rank, then from the left. Most of the time goes into waiting for the merges' table,
// so what a merge will ask for is prefetched as soon as it is found.
#pragma once

#include <cstdint>
#include <cstring>

#include "arena.h"
#include "bpe_merges.h"

namespace pumice {

struct Symbol {
  std::uint32_t id;
  std::uint32_t previous;
  std::uint32_t next;
};

// A rank as a signed number: what every processor can compare in vectors.
inline constexpr std::int32_t kNever = INT32_MAX;
inline std::int32_t order_of(const Merge* merge) {
  return merge == nullptr ? kNever : static_cast<std::int32_t>(merge->rank ^ 0x80000000u);
}

// Merges in a short row of symbols: the pairs that may merge beside them, searched for the lowest rank each time.
class ShortMerges {
 public:
  static constexpr std::uint32_t kMost = 128;  // beyond, searching costs more than a tree

  ShortMerges(const BpeMerges& merges, const Symbol* symbols, std::uint32_t count) : merges_(merges), count_(count) {
    for (std::uint32_t i = 0; i < count; ++i) ids_[i] = symbols[i].id;
    for (std::uint32_t i = 0; i + 1 < count; ++i) merges_.prefetch(ids_[i], ids_[i + 1]);
    for (std::uint32_t i = 0; i + 1 < count; ++i) look_up(i);
  }

  // Writes the ids that are left, and returns how many.
  std::uint32_t run(std::uint32_t* ids) {
    while (count_ > 1) {
      const std::uint32_t at = lowest();
      if (orders_[at] == kNever) break;
      ids_[at] = merged_[at];
      --count_;
      const std::size_t moved = count_ - at - 1;
      std::memmove(ids_ + at + 1, ids_ + at + 2, moved * sizeof *ids_);
      std::memmove(orders_ + at, orders_ + at + 1, moved * sizeof *orders_);
      std::memmove(merged_ + at, merged_ + at + 1, moved * sizeof *merged_);
      if (at != 0) merges_.prefetch(ids_[at - 1], ids_[at]);  // waited for together with the next
      if (at + 1 < count_) look_up(at);
      if (at != 0) look_up(at - 1);
    }
    std::memcpy(ids, ids_, count_ * sizeof *ids);
    return count_;
  }

 private:
  // Of equal ranks the leftmost.
  std::uint32_t lowest() const {
    std::int32_t order = orders_[0];
    for (std::uint32_t i = 1; i + 1 < count_; ++i) order = orders_[i] < order ? orders_[i] : order;
    std::uint32_t at = 0;
    while (orders_[at] != order) ++at;
    return at;
  }

  void look_up(std::uint32_t at) {
    const Merge* merge = merges_.find(ids_[at], ids_[at + 1]);
    orders_[at] = order_of(merge);
    merged_[at] = merge != nullptr ? merge->id : kNone;
    if (merge == nullptr) return;
    if (at != 0) merges_.prefetch(ids_[at - 1], merge->id);  // what follows the merge, if its neighbours stay
    if (at + 2 < count_) merges_.prefetch(merge->id, ids_[at + 2]);
  }

  const BpeMerges& merges_;
  std::uint32_t count_;
  std::uint32_t ids_[kMost];
  std::int32_t orders_[kMost];   // of the pair of a symbol and its next; kNever where the two do not merge
  std::uint32_t merged_[kMost];  // what they become
};

// Merges in a row of any length: symbols stay where they are, linked, and a tree keeps the lowest order of each sixteen
// pairs, of each sixteen of those, and so on.
class MergeTree {
 public:
  // Takes room from the arena for `count` symbols, two or more; not exists() where there is too little.
  MergeTree(const BpeMerges& merges, Symbol* symbols, std::uint32_t count, Arena& arena)
      : merges_(merges), symbols_(symbols), count_(count), merged_(arena.take<std::uint32_t>(count)) {
    for (std::uint32_t size = count;; size /= kWidth) {
      size = (size + kWidth - 1) / kWidth * kWidth;
      orders_[levels_] = arena.take<std::int32_t>(size);
      exists_ = exists_ && orders_[levels_] != nullptr;
      sizes_[levels_++] = size;
      if (size <= kMostAtTop && levels_ > 1) return;
    }
  }

  bool exists() const { return exists_ && merged_ != nullptr; }

  void run() {
    fill();
    const unsigned top = levels_ - 1;
    const std::int32_t* const highest = orders_[top];
    const std::uint32_t size = sizes_[top];
    for (;;) {
      std::int32_t order = kNever;
      for (std::uint32_t i = 0; i < size; ++i) order = highest[i] < order ? highest[i] : order;
      if (order == kNever) return;
      std::uint32_t at = 0;
      for (; highest[at] != order; ++at) {
      }
      for (unsigned level = top; level-- > 0;) {
        const std::int32_t* const orders = orders_[level];
        for (at *= kWidth; orders[at] != order; ++at) {  // of equal ones the leftmost
        }
      }
      merge(at);
    }
  }

 private:
  static constexpr std::uint32_t kWidth = 16;
  static constexpr std::uint32_t kMostAtTop = 64;
  static constexpr unsigned kMostLevels = 8;  // two at least; 16^8 symbols

  static std::int32_t lowest(const std::int32_t* orders) {
    std::int32_t found = orders[0];
    for (std::uint32_t i = 1; i < kWidth; ++i) found = orders[i] < found ? orders[i] : found;
    return found;
  }

  void fill() {
    constexpr std::uint32_t kAhead = 16;
    for (std::uint32_t i = 0; i + 1 < count_; ++i) {
      if (i + kAhead + 1 < count_) merges_.prefetch(symbols_[i + kAhead].id, symbols_[i + kAhead + 1].id);
      look_up(i, i + 1);
    }
    for (std::uint32_t i = count_ - 1; i < sizes_[0]; ++i) orders_[0][i] = kNever;
    for (unsigned level = 1; level < levels_; ++level) {
      const std::uint32_t below = sizes_[level - 1] / kWidth;
      for (std::uint32_t i = 0; i < below; ++i) orders_[level][i] = lowest(orders_[level - 1] + i * kWidth);
      for (std::uint32_t i = below; i < sizes_[level]; ++i) orders_[level][i] = kNever;
    }
  }

  // Merges the symbol at `at`, which has a next one, with it. The first is never merged into another.
  void merge(std::uint32_t at) {
    Symbol& left = symbols_[at];
    const std::uint32_t gone = left.next;
    left.id = merged_[at];
    left.next = symbols_[gone].next;
    orders_[0][gone] = kNever;
    if (at != 0) merges_.prefetch(symbols_[left.previous].id, left.id);  // waited for together with the next
    if (left.next < count_) {
      symbols_[left.next].previous = at;
      look_up(at, left.next);
    } else {
      orders_[0][at] = kNever;
    }
    if (at != 0) look_up(left.previous, at);
    if (at != 0 && left.previous / kWidth != at / kWidth) update(left.previous);
    if (gone / kWidth != at / kWidth) update(gone);
    update(at);
  }

  void look_up(std::uint32_t at, std::uint32_t next) {
    const Merge* merge = merges_.find(symbols_[at].id, symbols_[next].id);
    orders_[0][at] = order_of(merge);
    if (merge == nullptr) return;
    merged_[at] = merge->id;
    const std::uint32_t after = symbols_[next].next;
    if (after < count_) merges_.prefetch(merge->id, symbols_[after].id);
    if (at != 0) merges_.prefetch(symbols_[symbols_[at].previous].id, merge->id);
  }

  // Tells the levels above of an order that has changed.
  void update(std::uint32_t at) {
    at /= kWidth;
    orders_[1][at] = lowest(orders_[0] + std::size_t{at} * kWidth);
    for (unsigned level = 2; level < levels_; ++level) {
      at /= kWidth;
      orders_[level][at] = lowest(orders_[level - 1] + std::size_t{at} * kWidth);
    }
  }

  const BpeMerges& merges_;
  Symbol* symbols_;
  std::uint32_t count_;
  std::uint32_t* merged_;                   // what a symbol and its next become
  std::int32_t* orders_[kMostLevels] = {};  // the first of the pair of a symbol and its next
  std::uint32_t sizes_[kMostLevels] = {};   // of each level, a multiple of sixteen
  unsigned levels_ = 0;
  bool exists_ = true;
};

}  // namespace pumice
