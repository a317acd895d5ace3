// The best few of many scored numbers, in a small buffer instead of a heap.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace pumice {

struct Scored {
  float score;
  std::int32_t number;
};

// Higher scores come first, and of equal ones lower numbers: the order in which they are met decides nothing.
inline bool before(const Scored& a, const Scored& b) {
  return a.score != b.score ? a.score > b.score : a.number < b.number;
}

// The `depth` best of what was offered. Whatever is below `least` cannot be among them any more.
class Ranked {
 public:
  explicit Ranked(std::size_t depth) : depth_(depth) { kept_.reserve(2 * depth); }

  float least() const { return least_; }

  void offer(float score, std::int32_t number) {
    if (score < least_) return;
    kept_.push_back({score, number});
    if (kept_.size() == 2 * depth_) cut();
  }

  // The best, in order; what comes next begins anew.
  template <class Take>
  void finish(Take take) {
    if (kept_.size() > depth_) cut();
    std::sort(kept_.begin(), kept_.end(), before);
    for (std::size_t i = 0; i < kept_.size(); ++i) take(i, kept_[i]);
    kept_.clear();
    least_ = kNone;
  }

 private:
  static constexpr float kNone = -std::numeric_limits<float>::infinity();

  void cut() {
    const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(depth_) - 1;
    std::nth_element(kept_.begin(), last, kept_.end(), before);
    least_ = last->score;
    kept_.resize(depth_);
  }

  std::size_t depth_;
  std::vector<Scored> kept_;
  float least_ = kNone;
};

}  // namespace pumice
