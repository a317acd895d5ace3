// Vectors in panels for the kernels.
#include "prefixes.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pumice::training {
namespace {

constexpr float kSmallestNorm = 1e-12f;

float sum_of_squares(const float* x, std::size_t count) {
  float sums[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::size_t j = 0; j < kLanes; ++j) sums[j] += x[i + j] * x[i + j];
  for (std::size_t j = 0; i < count; ++i, ++j) sums[j] += x[i] * x[i];
  for (std::size_t half = kLanes / 2; half > 0; half /= 2)
    for (std::size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  return sums[0];
}

}  // namespace

Prefixes::Prefixes(std::vector<std::size_t> dims) : dims_(std::move(dims)) {
  std::size_t begin = 0;
  first_panel_.push_back(0);
  for (std::size_t level = 0; level < dims_.size(); ++level) {
    for (; begin < dims_[level]; begin += parts_.back().count)
      parts_.push_back({level, begin, std::min(kWide, dims_[level] - begin)});
    panels_.push_back(parts_.size() - first_panel_.back());
    first_panel_.push_back(parts_.size());
  }
}

void Prefixes::pack(const float* vectors, std::size_t count, float* panels, std::size_t stride) const {
  for (std::size_t i = 0; i < count; ++i) {
    const float* const vector = vectors + i * dim();
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      float* const out = panels + (p * stride + i) * kWide;
      std::copy_n(vector + parts_[p].begin, parts_[p].count, out);
      std::fill(out + parts_[p].count, out + kWide, 0.0f);
    }
  }
}

void Prefixes::turn(const float* panels, std::size_t stride, float* turned) const {
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const float* const from = panels + p * stride * kWide;
    float* const to = turned + p * kWide * kWide;
    for (std::size_t k = 0; k < kWide; ++k)
      for (std::size_t i = 0; i < kWide; ++i) to[k * kWide + i] = from[i * kWide + k];
  }
}

void Prefixes::inverses(const float* vector, float* out, std::size_t stride) const {
  float sum = 0;
  for (std::size_t level = 0, begin = 0; level < dims_.size(); begin = dims_[level++]) {
    sum += sum_of_squares(vector + begin, dims_[level] - begin);
    const float length = std::sqrt(sum);
    out[level * stride] = 1 / (length < kSmallestNorm ? kSmallestNorm : length);
  }
}

void Prefixes::subtract_radial(const float* vector, const float* along, const float* inverses, std::size_t stride,
                               float* gradient) const {
  float later = 0;
  std::size_t level = levels();
  for (std::size_t p = parts_.size(); p-- > 0;) {
    for (; level > parts_[p].level; --level) {
      const float inverse = inverses[(level - 1) * stride];
      later += along[level - 1] * inverse * inverse;
    }
    const std::size_t begin = parts_[p].begin;
    for (std::size_t i = begin; i < begin + parts_[p].count; ++i) gradient[i] -= vector[i] * later;
  }
}

}  // namespace pumice::training
