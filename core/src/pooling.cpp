// The weighted mean of token rows and its L2 norm.
#include "pooling.h"

#include <cmath>
#include <cstring>

#include "simd/add_row.h"

namespace pumice {
namespace {

// Rows ahead that are being fetched while one is added; rows are read from a table larger than the caches.
constexpr std::size_t kAhead = 4;
constexpr std::size_t kCacheLine = 64;

inline void prefetch(const std::uint8_t* bytes, std::size_t size) {
#if defined(__GNUC__) || defined(__clang__)
  for (std::size_t at = 0; at < size; at += kCacheLine) __builtin_prefetch(bytes + at);
#else
  (void)bytes;
  (void)size;
#endif
}

std::size_t element_size(std::uint8_t row_type) {
  return row_type == PUMICE_ROW_F32 ? 4 : row_type == PUMICE_ROW_F16 ? 2 : 1;
}

// In double, over eight lanes in a fixed order: the same bits whatever the width of the processor's vectors.
double sum_of_squares(const float* x, std::size_t n) {
  double lanes[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) {
      const double value = x[i + lane];
      lanes[lane] += value * value;
    }
  }
  for (; i < n; ++i) lanes[i % 8] += static_cast<double>(x[i]) * x[i];
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

}  // namespace

Pool::Pool(const pumice_model& model, float* sum, std::uint32_t dim) : model_(model), sum_(sum), dim_(dim) {
  std::memset(sum, 0, dim * sizeof(float));
}

void Pool::flush() {
  const Parameters& parameters = model_.parameters;
  const std::size_t width = element_size(parameters.row_type);
  const std::size_t stride = parameters.dimensions * width;
  const auto* table = static_cast<const std::uint8_t*>(model_.rows);
  std::uint32_t row_of[kPending];
  for (std::size_t i = 0; i < pending_count_; ++i) {
    const std::uint32_t id = pending_[i];
    const bool known = id < parameters.tokens;
    row_of[i] = !known ? kNone : model_.token_rows ? model_.token_rows[id] : id;
    if (row_of[i] >= parameters.rows) {
      valid_ = false;
      pending_count_ = 0;
      return;
    }
  }
  for (std::size_t i = 0; i < pending_count_ && i < kAhead; ++i) prefetch(table + row_of[i] * stride, dim_ * width);
  for (std::size_t i = 0; i < pending_count_; ++i) {
    if (i + kAhead < pending_count_) prefetch(table + row_of[i + kAhead] * stride, dim_ * width);
    const std::uint8_t* row = table + row_of[i] * stride;
    const float scale = model_.row_scales ? model_.row_scales[row_of[i]] : 1.0f;
    const float weight = model_.token_weights ? scale * model_.token_weights[pending_[i]] : scale;
    switch (parameters.row_type) {
      case PUMICE_ROW_F32:
        if (model_.token_weights) {
          simd::add_weighted_row_f32(sum_, reinterpret_cast<const float*>(row), weight, dim_);
        } else {
          simd::add_row_f32(sum_, reinterpret_cast<const float*>(row), dim_);
        }
        break;
      case PUMICE_ROW_F16:
        simd::add_weighted_row_f16(sum_, reinterpret_cast<const std::uint16_t*>(row), weight, dim_);
        break;
      default:
        simd::add_weighted_row_i8(sum_, reinterpret_cast<const std::int8_t*>(row), weight, dim_);
        break;
    }
  }
  count_ += pending_count_;
  pending_count_ = 0;
}

bool Pool::finish() {
  flush();
  if (!valid_ || count_ == 0) return valid_;
  const auto count = static_cast<float>(count_);
  for (std::uint32_t i = 0; i < dim_; ++i) sum_[i] /= count;
  if (!model_.parameters.normalize) return true;
  const double norm = std::sqrt(sum_of_squares(sum_, dim_));
  if (norm == 0) return true;
  const auto divisor = static_cast<float>(norm);
  for (std::uint32_t i = 0; i < dim_; ++i) sum_[i] /= divisor;
  return true;
}

}  // namespace pumice
