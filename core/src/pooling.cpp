// The weighted mean of token rows and its L2 norm.
#include "pooling.h"

#include <cmath>
#include <cstring>

namespace pumice {
namespace {

// Lane i holds the squares of dimensions i, i + 16, …; a fixed order, the same bits whatever the width of the
// processor's vectors. In float64 where float32 would overflow or lose the small.
template <class Real>
Real sum_of_squares(const float* x, std::size_t n) {
  Real lanes[16] = {};
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (std::size_t lane = 0; lane < 16; ++lane) {
      const Real value = x[i + lane];
      lanes[lane] += value * value;
    }
  }
  for (; i < n; ++i) lanes[i % 16] += static_cast<Real>(x[i]) * static_cast<Real>(x[i]);
  for (std::size_t width = 8; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

float norm_of(const float* x, std::size_t n) {
  const float squares = sum_of_squares<float>(x, n);
  if (squares > 1e-30f && squares < 1e30f) return std::sqrt(squares);
  return static_cast<float>(std::sqrt(sum_of_squares<double>(x, n)));
}

}  // namespace

Pool::Pool(const pumice_model& model, float* sum, std::uint32_t dim) : model_(model), sum_(sum), dim_(dim) {
  std::memset(sum, 0, dim * sizeof(float));
}

void Pool::flush() {
  const Parameters& parameters = model_.parameters;
  std::uint32_t rows[kPending + kRoom];
  float weights[kPending + kRoom];
  const std::size_t count = pending_count_;
  pending_count_ = 0;
  count_ += count;
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) largest = pending_[i] > largest ? pending_[i] : largest;
  if (count == 0 || largest >= parameters.tokens) {
    valid_ = valid_ && count == 0;
    return;
  }
  const bool plain = model_.token_rows == nullptr;
  if (!plain) {
    for (std::size_t i = 0; i < count; ++i) {
      rows[i] = model_.token_rows[pending_[i]];
      if (rows[i] >= parameters.rows) {
        valid_ = false;
        return;
      }
    }
  }
  const simd::RowList list = {model_.rows,
                              parameters.dimensions,
                              plain ? pending_ : rows,
                              weigh(plain ? pending_ : rows, count, weights),
                              count,
                              dim_};
  const simd::Kernels& kernels = *model_.kernels;
  (parameters.row_type == PUMICE_ROW_F32   ? kernels.add_rows_f32
   : parameters.row_type == PUMICE_ROW_F16 ? kernels.add_rows_f16
                                           : kernels.add_rows_i8)(sum_, list);
}

// What each pending token's row is multiplied by; null for float32 rows that are added as they are.
const float* Pool::weigh(const std::uint32_t* rows, std::size_t count, float* weights) const {
  const float* of_token = model_.token_weights;
  const float* of_row = model_.row_scales;
  if (of_token == nullptr && of_row == nullptr && model_.parameters.row_type == PUMICE_ROW_F32) return nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const float scale = of_row != nullptr ? of_row[rows[i]] : 1.0f;
    weights[i] = of_token != nullptr ? scale * of_token[pending_[i]] : scale;
  }
  return weights;
}

bool Pool::finish() {
  flush();
  if (!valid_ || count_ == 0) return valid_;
  if (!model_.parameters.normalize) {
    const auto count = static_cast<float>(count_);
    for (std::uint32_t i = 0; i < dim_; ++i) sum_[i] /= count;
    return true;
  }
  const float norm = norm_of(sum_, dim_);
  if (norm == 0) return true;
  const float factor = 1.0f / norm;
  for (std::uint32_t i = 0; i < dim_; ++i) sum_[i] *= factor;
  return true;
}

}  // namespace pumice
