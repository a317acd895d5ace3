// The weighted mean of rows in float64, the slow and obvious way, to hold core/src/pooling.cpp to.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "contract.h"

namespace pumice::fuzz {

// IEEE 754 binary16 by its definition.
inline double half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);  // no infinity here
  return bits >> 15 ? -magnitude : magnitude;
}

// A dimension of a vector, and how far float32 arithmetic may be from it.
struct Mean {
  double value;
  double bound;
};

// Reads the sections of a model as docs/format.md lays them out.
class MeanReference {
 public:
  explicit MeanReference(const pumice_model* model) : info_(pumice_describe(model)) {
    rows_ = section(model, packed_bits() == 0 ? PUMICE_SECTION_ROWS : PUMICE_SECTION_PACKED_ROWS);
    token_rows_ = section(model, PUMICE_SECTION_TOKEN_ROWS);
    weights_ = section(model, PUMICE_SECTION_TOKEN_WEIGHTS);
    std::size_t size = 0;
    multipliers_ = section(model, PUMICE_SECTION_TOKEN_MULTIPLIERS, &size);
    fine_ = size == 4 * std::size_t{info_.tokens};
    repeats_ = section(model, PUMICE_SECTION_REPEATS, &repeat_count_);
    positions_ = section(model, PUMICE_SECTION_POSITIONS, &position_count_);
  }

  std::vector<Mean> of(const std::vector<std::uint32_t>& ids, std::uint32_t dim) const {
    std::vector<Mean> means(dim, {0, 0});
    std::vector<double> sizes(dim);
    std::map<std::uint32_t, std::size_t> seen;
    std::size_t position = 0;
    for (const std::uint32_t id : ids) {
      const std::uint32_t row = token_rows_ ? read<std::uint32_t>(token_rows_, id) : id;
      const double weight = counted(weight_of(id), seen[id]++, position++);
      for (std::uint32_t i = 0; i < dim; ++i) {
        const double added = weight * value(row, i);
        means[i].value += added;
        sizes[i] += std::fabs(added);
      }
    }
    if (ids.empty()) return means;
    double squares = 0, size = 0;
    for (std::uint32_t i = 0; i < dim; ++i) {
      squares += means[i].value * means[i].value;
      size += sizes[i];
    }
    const double divisor = info_.normalizes ? std::sqrt(squares) : static_cast<double>(ids.size());
    const double error = (static_cast<double>(ids.size()) + dim + 8) * 0x1p-23;  // of a sum, for each unit of its size
    const bool cancels = divisor <= 4 * error * size;                            // a norm that rounding alone can make
    for (std::uint32_t i = 0; i < dim; ++i) {
      Mean& mean = means[i];
      mean.value /= divisor;
      mean.bound = cancels ? INFINITY : 2 * error * (sizes[i] + std::fabs(mean.value) * size) / divisor;
    }
    return means;
  }

 private:
  static const std::uint8_t* section(const pumice_model* model, pumice_section_kind kind, std::size_t* size = nullptr) {
    const void* bytes = nullptr;
    std::size_t unused = 0;
    const bool found = pumice_section(model, kind, &bytes, size != nullptr ? size : &unused);
    return found ? static_cast<const std::uint8_t*>(bytes) : nullptr;
  }

  template <class T>
  static T read(const std::uint8_t* bytes, std::size_t index) {
    T value;
    std::memcpy(&value, bytes + index * sizeof value, sizeof value);
    return value;
  }

  static double share(const std::uint8_t* counts, std::size_t size, std::size_t before) {
    return counts == nullptr || before == 0 ? 1 : counts[std::min(before, size) - 1] / 256.0;
  }

  // `before`: how often the token stood in the text already; `position`: how many tokens did.
  double counted(double weight, std::size_t before, std::size_t position) const {
    const double share =
        this->share(repeats_, repeat_count_, before) * this->share(positions_, position_count_, position);
    if (info_.row_type < PUMICE_ROW_I8) return weight * share;
    return std::floor(weight / info_.multiplier_unit * share + 0.5) * info_.multiplier_unit;
  }

  double weight_of(std::uint32_t id) const {
    if (info_.row_type < PUMICE_ROW_I8) return weights_ ? read<float>(weights_, id) : 1.0;
    if (multipliers_ == nullptr) return info_.multiplier_unit;
    const double high = read<std::int16_t>(multipliers_, id);
    const double multiplier = fine_ ? 0x1p15 * high + read<std::int16_t>(multipliers_, info_.tokens + id) : high;
    return multiplier * info_.multiplier_unit;
  }

  // 0 where rows are not packed.
  unsigned packed_bits() const {
    return info_.row_type == PUMICE_ROW_I4   ? 4
           : info_.row_type == PUMICE_ROW_I2 ? 2
           : info_.row_type == PUMICE_ROW_I1 ? 1
                                             : 0;
  }

  double value(std::size_t row, std::size_t dimension) const {
    if (const unsigned bits = packed_bits(); bits != 0) {
      const std::size_t row_size = (info_.dimensions * bits + 7) / 8;
      const unsigned byte = rows_[row * row_size + dimension * bits / 8];
      const unsigned code = byte >> dimension * bits % 8 & ((1u << bits) - 1);
      return 2.0 * code - ((1 << bits) - 1);
    }
    const std::size_t index = row * info_.dimensions + dimension;
    switch (info_.row_type) {
      case PUMICE_ROW_F32:
        return read<float>(rows_, index);
      case PUMICE_ROW_F16:
        return half(read<std::uint16_t>(rows_, index));
      default:
        return read<std::int8_t>(rows_, index);
    }
  }

  pumice_info info_;
  const std::uint8_t* rows_;
  const std::uint8_t* token_rows_;
  const std::uint8_t* weights_;
  const std::uint8_t* multipliers_;  // of rows of integers
  bool fine_;                        // two numbers a multiplier
  const std::uint8_t* repeats_;
  std::size_t repeat_count_ = 0;
  const std::uint8_t* positions_;
  std::size_t position_count_ = 0;
};

}  // namespace pumice::fuzz
