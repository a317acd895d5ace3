// A list's rows without those that came before, for kernels that add a row more slowly than it is found again.
#pragma once

#include <cstdint>
#include <cstring>

#include "row_kernels.h"

namespace pumice::simd {

// Rows of integers, whose sums are exact in any order: a text says half of its tokens again.
class DistinctRows {
 public:
  DistinctRows(const std::int16_t* multipliers, const RowList& list) : list_(list) {
    const std::size_t found = merge(multipliers);
    std::size_t count = 0;
    const auto put = [&](std::uint32_t row, std::int32_t multiplier) {
      rows_[count] = row;
      multipliers_[count++] = static_cast<std::int16_t>(multiplier);
    };
    for (std::size_t i = 0; i < found; ++i) {
      std::int32_t multiplier = entries_[i].multiplier;
      // No more parts than multipliers that were added up.
      for (; multiplier > INT16_MAX; multiplier -= INT16_MAX) put(entries_[i].row, INT16_MAX);
      for (; multiplier < INT16_MIN; multiplier -= INT16_MIN) put(entries_[i].row, INT16_MIN);
      put(entries_[i].row, multiplier);
    }
    list_.rows = rows_;
    list_.count = count;
    list_.ahead = 0;
  }
  DistinctRows(const DistinctRows&) = delete;
  DistinctRows& operator=(const DistinctRows&) = delete;

  const RowList& list() const { return list_; }
  const std::int16_t* multipliers() const { return multipliers_; }

 private:
  static constexpr std::size_t kPlaces = 512;

  struct Entry {
    std::uint32_t row;
    std::int32_t multiplier;
  };

  // How many rows there are in entries_.
  std::size_t merge(const std::int16_t* multipliers) {
    std::memset(places_, 0, sizeof places_);
    entries_[0] = {0xFFFFFFFFu, 0};
    std::uint32_t found = 0;
    for (std::size_t i = 0; i < list_.count; ++i) {
      const std::uint32_t row = list_.rows[i];
      std::uint8_t& place = places_[row % kPlaces];
      const Entry& before = entries_[place];
      // Every other token came before: no branch may guess it, which a choice between two values can become.
      std::uint32_t known = 0u - static_cast<std::uint32_t>(before.row == row);
      asm("" : "+r"(known));
      const std::uint32_t sum =
          static_cast<std::uint32_t>(multipliers[i]) + (static_cast<std::uint32_t>(before.multiplier) & known);
      const std::uint32_t at = found ^ ((found ^ place) & known);
      place = static_cast<std::uint8_t>(at);
      entries_[at] = {row, static_cast<std::int32_t>(sum)};
      found += 1 + known;
    }
    return found;
  }

  RowList list_;
  Entry entries_[kMostIntegerRows];
  std::uint32_t rows_[kMostIntegerRows];
  std::int16_t multipliers_[kMostIntegerRows];
  std::uint8_t places_[kPlaces];  // in entries_, by the last bits of a row's number: the row's or another's
};

template <AddIntegerRows AddRows>
void add_distinct_rows(std::int32_t* sum, const std::int16_t* multipliers, const RowList& list) {
  if (list.distinct) return AddRows(sum, multipliers, list);
  const DistinctRows distinct(multipliers, list);
  AddRows(sum, distinct.multipliers(), distinct.list());
}

}  // namespace pumice::simd
