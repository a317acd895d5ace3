// The loops of training's kernels, for a register V of any width; built once for each instruction set. All give the
// same bits: they add in the same order, and where a product and a sum have one rounding in one, they have it in all.
#pragma once

namespace pumice::training {
namespace {

// A tile of products: V::kTileRows rows, two registers wide. That is enough sums to hide the latency of each.
template <class V>
struct Tile {
  static constexpr std::size_t kRows = V::kTileRows;
  static constexpr std::size_t kColumns = 2 * V::kWidth;
  typename V::Register sums[kRows][2];

  void load(const float* x, std::size_t stride) {
#pragma GCC unroll 8
    for (std::size_t m = 0; m < kRows; ++m) {
      sums[m][0] = V::load(x + m * stride);
      sums[m][1] = V::load(x + m * stride + V::kWidth);
    }
  }

  void store(float* x) const {
#pragma GCC unroll 8
    for (std::size_t m = 0; m < kRows; ++m) {
      V::store(x + m * kWide, sums[m][0]);
      V::store(x + m * kWide + V::kWidth, sums[m][1]);
    }
  }

  // Adds left[m * stride] * right, a row.
  void add(const float* left, std::size_t stride, const float* right) {
    const auto first = V::load(right), second = V::load(right + V::kWidth);
#pragma GCC unroll 8
    for (std::size_t m = 0; m < kRows; ++m) {
      const auto one = V::broadcast(left[m * stride]);
      sums[m][0] = V::fused(one, first, sums[m][0]);
      sums[m][1] = V::fused(one, second, sums[m][1]);
    }
  }

  // Adds a panel of the depth.
  void add_panel(const float* left, const float* right) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kWide; ++k) add(left + k, kWide, right + k * kWide);
  }
};

template <class V>
void dots(const Dots& x) {
  using T = Tile<V>;
  for (std::size_t row = 0; row < x.rows; row += T::kRows) {
    for (std::size_t column = 0; column < kWide; column += T::kColumns) {
      T tile;
      tile.load(x.begin + column, 0);
      const float* left = x.anchors + row * kWide;
      const float* right = x.candidates + column;
      for (std::size_t level = 0; level < x.levels; ++level) {
        for (std::size_t panel = 0; panel < x.panels[level]; ++panel) {
          tile.add_panel(left, right);
          left += x.rows * kWide;
          right += kWide * kWide;
        }
        tile.store(x.dots + (level * x.rows + row) * kWide + column);
      }
    }
  }
}

template <class V>
void product(const Product& x) {
  using T = Tile<V>;
  for (std::size_t row = 0; row < x.rows; row += T::kRows) {
    for (std::size_t column = 0; column < kWide; column += T::kColumns) {
      T tile;
      float* const out = x.out + row * kWide + column;
      tile.load(out, kWide);
      for (std::size_t panel = 0; panel < x.panels; ++panel)
        tile.add_panel(x.left + (panel * x.rows + row) * kWide, x.right + panel * kWide * kWide + column);
      tile.store(out);
    }
  }
}

template <class V>
void turned_product(const TurnedProduct& x) {
  using T = Tile<V>;
  for (std::size_t row = 0; row < kWide; row += T::kRows) {
    for (std::size_t column = 0; column < kWide; column += T::kColumns) {
      T tile;
      float* const out = x.out + row * kWide + column;
      tile.load(out, kWide);
      const float* left = x.left + row;
      const float* right = x.right + column;
#pragma GCC unroll 4
      for (std::size_t k = 0; k < x.depth; ++k) tile.add(left + k * kWide, 1, right + k * kWide);
      tile.store(out);
    }
  }
}

// Of a target row, the register at `column`: 0 past the last candidate.
template <class V>
typename V::Register target(const Logits& x, std::size_t row, std::size_t column) {
  const float* at = x.targets + row * x.stride + column;
  if (column + V::kWidth <= x.columns) return V::load(at);
  return column < x.columns ? V::load_some(at, x.columns - column) : V::zero();
}

// lanes[...] += x, for as many lanes as a register has.
template <class V>
void add_to(float* lanes, typename V::Register x) {
  V::store(lanes, V::add(V::load(lanes), x));
}

template <class V>
void sums(const Logits& x, const Sums& out) {
  for (std::size_t column = 0; column < kWide; column += V::kWidth) {
    const auto right = V::load(x.right + column);
    auto down = V::zero();
    for (std::size_t row = 0; row < x.rows; ++row) {
      const auto dot = V::load(x.dots + row * kWide + column);
      const auto logit = V::multiply(V::multiply(dot, right), V::broadcast(x.left[row] * x.scale));
      const auto chance = exponential<V>(logit);
      down = V::add(down, chance);
      add_to<V>(out.rows + row * kLanes + column % kLanes, chance);
      if (x.targets == nullptr) continue;
      // kNever over the length of a vector of zeros is infinite, and no target's: 0 times that would be no number.
      const auto finite = V::larger(V::broadcast(kNever), logit);
      add_to<V>(out.own + row * kLanes + column % kLanes, V::multiply(finite, target<V>(x, row, column)));
    }
    add_to<V>(out.columns + column, down);
  }
}

template <class V>
void slopes(const Logits& x, const Slopes& out) {
  for (std::size_t column = 0; column < kWide; column += V::kWidth) {
    const auto right = V::load(x.right + column);
    const auto by_column = out.by_column == nullptr ? V::zero() : V::load(out.by_column + column);
    auto down = V::zero();
    for (std::size_t row = 0; row < x.rows; ++row) {
      const auto dot = V::load(x.dots + row * kWide + column);
      const auto left = V::broadcast(x.left[row]);
      const auto logit = V::multiply(V::multiply(dot, right), V::broadcast(x.left[row] * x.scale));
      auto slope = V::multiply(exponential<V>(logit), V::add(V::broadcast(out.by_row[row]), by_column));
      if (x.targets != nullptr)
        slope = V::subtract(slope, V::multiply(target<V>(x, row, column), V::broadcast(out.share)));
      slope = V::multiply(slope, V::multiply(left, right));
      float* const total = out.total + row * kWide + column;
      V::store(total, out.first ? slope : V::add(V::load(total), slope));
      const auto along = V::multiply(slope, dot);
      down = V::add(down, along);
      add_to<V>(out.along_rows + row * kLanes + column % kLanes, along);
    }
    add_to<V>(out.along_columns + column, down);
  }
}

// A row's gradient, a few registers at a time, and its update.
template <class V, std::size_t kRegisters>
void adam_part(const AdamRows& x, std::size_t i, std::size_t column) {
  typename V::Register sum[kRegisters];
  for (auto& one : sum) one = V::zero();
  const std::int32_t begin = x.offsets[i], end = x.offsets[i + 1];
  for (std::int32_t t = begin; t < end; ++t) {
    const float* from = x.gradients + static_cast<std::size_t>(x.texts[t]) * x.dim + column;
    if (x.weights == nullptr) {
#pragma GCC unroll 16
      for (std::size_t j = 0; j < kRegisters; ++j) sum[j] = V::add(sum[j], V::load(from + j * V::kWidth));
    } else {
      const auto weight = V::broadcast(x.weights[t]);
#pragma GCC unroll 16
      for (std::size_t j = 0; j < kRegisters; ++j) sum[j] = V::fused(weight, V::load(from + j * V::kWidth), sum[j]);
    }
  }
  const std::size_t at = static_cast<std::size_t>(x.rows[i]) * x.dim + column;
  for (std::size_t j = 0; j < kRegisters; ++j) {
    const std::size_t place = at + j * V::kWidth;
    const auto old = V::load(x.first + place);
    const auto first = V::fused(V::subtract(sum[j], old), V::broadcast(x.rest1), old);
    const auto squares = V::multiply(V::multiply(sum[j], sum[j]), V::broadcast(x.rest2));
    const auto second = V::fused(V::load(x.second + place), V::broadcast(x.beta2), squares);
    V::store(x.first + place, first);
    V::store(x.second + place, second);
    const auto width = V::add(V::square_root(second), V::broadcast(x.epsilon));
    const auto step = V::multiply(V::divide(first, width), V::broadcast(x.size));
    V::store(x.table + place, V::subtract(V::load(x.table + place), step));
  }
}

// The same of one dimension, rounded as in a register.
inline void adam_rest(const AdamRows& x, std::size_t i, std::size_t column) {
  float sum = 0;
  for (std::int32_t t = x.offsets[i]; t < x.offsets[i + 1]; ++t) {
    const float one = x.gradients[static_cast<std::size_t>(x.texts[t]) * x.dim + column];
    sum = x.weights == nullptr ? sum + one : __builtin_fmaf(x.weights[t], one, sum);
  }
  const std::size_t place = static_cast<std::size_t>(x.rows[i]) * x.dim + column;
  x.first[place] = __builtin_fmaf(sum - x.first[place], x.rest1, x.first[place]);
  x.second[place] = __builtin_fmaf(x.second[place], x.beta2, sum * sum * x.rest2);
  x.table[place] -= x.first[place] / (__builtin_sqrtf(x.second[place]) + x.epsilon) * x.size;
}

template <class V>
void adam(const AdamRows& x) {
  constexpr std::size_t kLine = 64 / sizeof(float);
  for (std::size_t i = 0; i < x.count; ++i) {
    if (i + 1 < x.count) {  // these come from memory while the gradient is summed
      const std::size_t next = static_cast<std::size_t>(x.rows[i + 1]) * x.dim;
      for (std::size_t column = 0; column < x.dim; column += kLine) {
        __builtin_prefetch(x.first + next + column, 1);
        __builtin_prefetch(x.second + next + column, 1);
        __builtin_prefetch(x.table + next + column, 1);
      }
    }
    std::size_t column = 0;
    for (; column + 16 * V::kWidth <= x.dim; column += 16 * V::kWidth) adam_part<V, 16>(x, i, column);
    for (; column + 4 * V::kWidth <= x.dim; column += 4 * V::kWidth) adam_part<V, 4>(x, i, column);
    for (; column + V::kWidth <= x.dim; column += V::kWidth) adam_part<V, 1>(x, i, column);
    for (; column < x.dim; ++column) adam_rest(x, i, column);
  }
}

template <class V>
constexpr Kernels kernels_of(const char* name) {
  return {name, dots<V>, product<V>, turned_product<V>, sums<V>, slopes<V>, adam<V>};
}

}  // namespace
}  // namespace pumice::training
