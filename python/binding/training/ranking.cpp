// Multiple negatives ranking with Matryoshka prefixes on a processor's own instructions.
#include "ranking.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pumice::training {
namespace {

constexpr std::size_t kRows = 128;       // of a chunk: their products with some candidates stay in the cache
constexpr std::size_t kTilePanels = 16;  // of candidates whose slopes are made before they are multiplied

std::size_t rounded_up(std::size_t count, std::size_t to) { return (count + to - 1) / to * to; }

float total_of(const float* lanes) {
  float sums[kLanes];
  std::copy_n(lanes, kLanes, sums);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2)
    for (std::size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  return sums[0];
}

}  // namespace

// Some anchors of a lane.
struct Ranking::Chunk {
  std::size_t low, count;  // anchors
  std::size_t rows;        // with what fills the last tile
  float* anchors;          // [panel][rows][kWide]
  float* inverses;         // [level][kRows]
  float* row_sums;         // [level][kRows]
  float* dots;             // [candidate panel][level][rows][kWide]
};

Ranking::Ranking(const Kernels& kernels, Settings settings)
    : kernels_(kernels),
      settings_(std::move(settings)),
      prefixes_(settings_.dims),
      column_losses_(prefixes_.levels()),
      lanes_(settings_.lanes) {}

void Ranking::begin(const Batch& batch) {
  batch_ = batch;
  panels_ = (batch.candidate_count + kWide - 1) / kWide;
  columns_ = panels_ * kWide;
  candidates_.room(prefixes_.panels() * columns_ * kWide);
  turned_.room(panels_ * prefixes_.panels() * kWide * kWide);
  inverses_.room(prefixes_.levels() * columns_);
  std::fill(column_losses_.begin(), column_losses_.end(), 0.0);
  for (Lane& lane : lanes_) lane.first = lane.last = 0;
}

void Ranking::pack(std::size_t first_panel, std::size_t last_panel) {
  float* const panels = candidates_.room(0);
  float* const inverses = inverses_.room(0);
  for (std::size_t panel = first_panel; panel < last_panel; ++panel) {
    const std::size_t low = panel * kWide, count = std::min(kWide, batch_.candidate_count - low);
    const float* const vectors = batch_.candidates + low * prefixes_.dim();
    prefixes_.pack(vectors, count, panels + low * kWide, columns_);
    for (std::size_t i = 0; i < kWide; ++i) {
      if (i < count) {
        prefixes_.inverses(vectors + i * prefixes_.dim(), inverses + low + i, columns_);
        continue;
      }
      for (std::size_t level = 0; level < prefixes_.levels(); ++level) inverses[level * columns_ + low + i] = 1;
      for (std::size_t p = 0; p < prefixes_.panels(); ++p)
        std::fill_n(panels + (p * columns_ + low + i) * kWide, kWide, 0.0f);
    }
    float* const turned = turned_.room(0) + panel * prefixes_.panels() * kWide * kWide;
    prefixes_.turn(panels + low * kWide, columns_, turned);
  }
}

void Ranking::forward(std::size_t index, std::size_t first, std::size_t last) {
  Lane& lane = lanes_[index];
  const std::size_t levels = prefixes_.levels(), chunks = (last - first + kRows - 1) / kRows;
  lane.first = first;
  lane.last = last;
  lane.losses.assign(levels, 0.0);
  lane.anchors.room(chunks * prefixes_.panels() * kRows * kWide);
  lane.inverses.room(chunks * levels * kRows);
  lane.row_sums.room(chunks * levels * kRows);
  lane.dots.room((settings_.symmetric ? chunks : 1) * panels_ * levels * kRows * kWide);
  lane.lanes.room(2 * levels * kRows * kLanes);
  lane.total.room(kTilePanels * kRows * kWide);
  lane.to_anchors.room(prefixes_.panels() * kRows * kWide);
  lane.to_candidates.zeros(prefixes_.panels() * columns_ * kWide);
  lane.columns.zeros(levels * columns_);
  lane.along_columns.zeros(levels * columns_);
  for (std::size_t low = first; low < last; low += kRows) {
    const Chunk one = chunk(lane, low);
    forward(lane, one);
    if (!settings_.symmetric) backward(lane, one);
  }
}

Ranking::Chunk Ranking::chunk(Lane& lane, std::size_t low) const {
  const std::size_t index = (low - lane.first) / kRows, levels = prefixes_.levels();
  Chunk made{};
  made.low = low;
  made.count = std::min(kRows, lane.last - low);
  made.rows = rounded_up(made.count, kTall);
  made.anchors = lane.anchors.room(0) + index * prefixes_.panels() * kRows * kWide;
  made.inverses = lane.inverses.room(0) + index * levels * kRows;
  made.row_sums = lane.row_sums.room(0) + index * levels * kRows;
  made.dots = lane.dots.room(0) + (settings_.symmetric ? index : 0) * panels_ * levels * kRows * kWide;
  return made;
}

Logits Ranking::logits(const Chunk& chunk, std::size_t panel, std::size_t level) const {
  Logits made{};
  made.dots = chunk.dots + (panel * prefixes_.levels() + level) * chunk.rows * kWide;
  made.left = chunk.inverses + level * kRows;
  made.right = inverses_.data() + level * columns_ + panel * kWide;
  made.rows = chunk.count;
  made.scale = settings_.scale;
  made.columns = std::min(kWide, batch_.candidate_count - panel * kWide);
  made.stride = batch_.candidate_count;
  if (batch_.targets != nullptr) made.targets = batch_.targets + chunk.low * made.stride + panel * kWide;
  return made;
}

// The chunk's pairs that are not counted, by candidate: candidate * kRows + row.
void Ranking::exclude(const Chunk& chunk, std::vector<std::int64_t>& places) const {
  const auto low = static_cast<std::int64_t>(chunk.low), high = low + static_cast<std::int64_t>(chunk.count);
  constexpr auto kAll = static_cast<std::int64_t>(kRows);
  for (std::size_t i = 0; i < batch_.excluded; ++i) {
    const std::int64_t anchor = batch_.excluded_anchors[i];
    if (anchor >= low && anchor < high) places.push_back(batch_.excluded_candidates[i] * kAll + anchor - low);
  }
  std::sort(places.begin(), places.end());
}

void Ranking::forward(Lane& lane, const Chunk& chunk) {
  const std::size_t levels = prefixes_.levels(), dim = prefixes_.dim();
  const float* const vectors = batch_.anchors + chunk.low * dim;
  prefixes_.pack(vectors, chunk.count, chunk.anchors, chunk.rows);
  for (std::size_t p = 0; p < prefixes_.panels(); ++p) {
    float* const panel = chunk.anchors + p * chunk.rows * kWide;
    std::fill(panel + chunk.count * kWide, panel + chunk.rows * kWide, 0.0f);
  }
  for (std::size_t i = 0; i < chunk.count; ++i) prefixes_.inverses(vectors + i * dim, chunk.inverses + i, kRows);
  std::vector<std::int64_t> excluded;
  exclude(chunk, excluded);
  auto next = excluded.begin();
  float* const row_lanes = lane.lanes.zeros(2 * levels * kRows * kLanes);
  float* const own_lanes = row_lanes + levels * kRows * kLanes;
  const float* const inverses = inverses_.room(0);
  for (std::size_t panel = 0; panel < panels_; ++panel) {
    float begin[kWide] = {};
    for (std::size_t j = batch_.candidate_count - std::min(batch_.candidate_count, panel * kWide); j < kWide; ++j)
      begin[j] = kNever;
    float* const dots = chunk.dots + panel * levels * chunk.rows * kWide;
    kernels_.dots({chunk.anchors, turned_.room(0) + panel * prefixes_.panels() * kWide * kWide, begin,
                   prefixes_.level_panels(), levels, chunk.rows, dots});
    for (; next != excluded.end() && static_cast<std::size_t>(*next) < (panel + 1) * kWide * kRows; ++next) {
      const auto place = static_cast<std::size_t>(*next);
      const std::size_t row = place % kRows, column = place / kRows % kWide;
      for (std::size_t level = 0; level < levels; ++level) dots[(level * chunk.rows + row) * kWide + column] = kNever;
    }
    for (std::size_t level = 0; level < levels; ++level) {
      const std::size_t at = level * kRows * kLanes;
      kernels_.sums(logits(chunk, panel, level),
                    {row_lanes + at, lane.columns.room(0) + level * columns_ + panel * kWide, own_lanes + at});
    }
    if (batch_.targets != nullptr) continue;
    for (std::size_t i = std::max(chunk.low, panel * kWide); i < std::min(chunk.low + chunk.count, (panel + 1) * kWide);
         ++i) {
      const std::size_t row = i - chunk.low;
      for (std::size_t level = 0; level < levels; ++level) {
        const float dot = dots[(level * chunk.rows + row) * kWide + i % kWide];
        const float cosine = dot * inverses[level * columns_ + i] * chunk.inverses[level * kRows + row];
        own_lanes[(level * kRows + row) * kLanes] = cosine * settings_.scale;
      }
    }
  }
  for (std::size_t level = 0; level < levels; ++level) {
    for (std::size_t row = 0; row < chunk.count; ++row) {
      const std::size_t at = level * kRows + row;
      chunk.row_sums[at] = total_of(row_lanes + at * kLanes);
      const float own = total_of(own_lanes + at * kLanes);
      lane.losses[level] += std::log(static_cast<double>(chunk.row_sums[at])) - own;
      if (settings_.symmetric) lane.losses[level] -= own;
    }
  }
}

float Ranking::share(std::size_t level) const {
  return settings_.scale / static_cast<float>(batch_.count) * settings_.weights[level];
}

void Ranking::meet() {
  float* const by_column = by_column_.zeros(prefixes_.levels() * columns_);
  for (std::size_t level = 0; level < prefixes_.levels(); ++level) {
    for (std::size_t j = 0; j < batch_.count; ++j) {
      float sum = 0;
      for (Lane& lane : lanes_)
        if (lane.first < lane.last) sum += lane.columns.room(0)[level * columns_ + j];
      column_losses_[level] += std::log(static_cast<double>(sum));
      by_column[level * columns_ + j] = share(level) / 2 / sum;
    }
  }
}

void Ranking::backward(std::size_t index) {
  Lane& lane = lanes_[index];
  for (std::size_t low = lane.first; low < lane.last; low += kRows) backward(lane, chunk(lane, low));
}

void Ranking::backward(Lane& lane, const Chunk& chunk) {
  const std::size_t levels = prefixes_.levels(), dim = prefixes_.dim(), rows = chunk.rows;
  float* const along_rows = lane.lanes.zeros(levels * kRows * kLanes);
  float* const to_anchors = lane.to_anchors.zeros(prefixes_.panels() * rows * kWide);
  float* const total = lane.total.room(0);
  float by_row[kRows];
  for (std::size_t begin = 0; begin < panels_; begin += kTilePanels) {
    const std::size_t end = std::min(begin + kTilePanels, panels_);
    for (std::size_t level = levels; level-- > 0;) {
      for (std::size_t row = 0; row < chunk.count; ++row)
        by_row[row] = share(level) / (settings_.symmetric ? 2 : 1) / chunk.row_sums[level * kRows + row];
      float* const along = along_rows + level * kRows * kLanes;
      for (std::size_t panel = begin; panel < end; ++panel) {
        const std::size_t at = level * columns_ + panel * kWide;
        Slopes slopes{};
        slopes.by_row = by_row;
        slopes.by_column = settings_.symmetric ? by_column_.room(0) + at : nullptr;
        slopes.share = share(level);
        slopes.total = total + (panel - begin) * rows * kWide;
        slopes.first = level + 1 == levels;
        slopes.along_rows = along;
        slopes.along_columns = lane.along_columns.room(0) + at;
        kernels_.slopes(logits(chunk, panel, level), slopes);
        if (batch_.targets == nullptr) subtract_own(lane, chunk, panel, level, slopes.total, along);
      }
      for (std::size_t p = prefixes_.first_panel(level); p < prefixes_.first_panel(level + 1); ++p) {
        const float* const right = candidates_.room(0) + (p * columns_ + begin * kWide) * kWide;
        kernels_.product({total, right, end - begin, rows, to_anchors + p * rows * kWide});
        for (std::size_t panel = begin; panel < end; ++panel) {
          float* const out = lane.to_candidates.room(0) + (p * columns_ + panel * kWide) * kWide;
          kernels_.turned_product(
              {total + (panel - begin) * rows * kWide, chunk.anchors + p * rows * kWide, chunk.count, out});
        }
      }
    }
  }
  std::vector<float> radial(levels);
  for (std::size_t row = 0; row < chunk.count; ++row) {
    float* const gradient = batch_.gradients + (chunk.low + row) * dim;
    for (std::size_t p = 0; p < prefixes_.panels(); ++p) {
      const auto& part = prefixes_.parts()[p];
      std::copy_n(to_anchors + (p * rows + row) * kWide, part.count, gradient + part.begin);
    }
    for (std::size_t level = 0; level < levels; ++level)
      radial[level] = total_of(along_rows + (level * kRows + row) * kLanes);
    prefixes_.subtract_radial(batch_.anchors + (chunk.low + row) * dim, radial.data(), chunk.inverses + row, kRows,
                              gradient);
  }
}

// Each anchor's own candidate is the target.
void Ranking::subtract_own(Lane& lane, const Chunk& chunk, std::size_t panel, std::size_t level, float* total,
                           float* along_rows) const {
  const Logits x = logits(chunk, panel, level);
  const std::size_t low = panel * kWide;
  for (std::size_t i = std::max(chunk.low, low); i < std::min(chunk.low + chunk.count, low + kWide); ++i) {
    const std::size_t row = i - chunk.low, column = i - low;
    const float slope = share(level) * x.left[row] * x.right[column];
    const float along = slope * x.dots[row * kWide + column];
    total[row * kWide + column] -= slope;
    along_rows[row * kLanes] -= along;
    lane.along_columns.room(0)[level * columns_ + i] -= along;
  }
}

void Ranking::finish(std::size_t first, std::size_t last) {
  const std::size_t levels = prefixes_.levels(), dim = prefixes_.dim();
  std::vector<float> radial(levels);
  for (std::size_t j = first; j < last; ++j) {
    float* const gradient = batch_.gradients + (batch_.count + j) * dim;
    std::fill_n(gradient, dim, 0.0f);
    std::fill(radial.begin(), radial.end(), 0.0f);
    for (Lane& lane : lanes_) {
      if (lane.first == lane.last) continue;
      const float* const from = lane.to_candidates.room(0) + j * kWide;
      for (std::size_t p = 0; p < prefixes_.panels(); ++p) {
        const auto& part = prefixes_.parts()[p];
        for (std::size_t i = 0; i < part.count; ++i) gradient[part.begin + i] += from[p * columns_ * kWide + i];
      }
      for (std::size_t level = 0; level < levels; ++level)
        radial[level] += lane.along_columns.room(0)[level * columns_ + j];
    }
    prefixes_.subtract_radial(batch_.candidates + j * dim, radial.data(), inverses_.room(0) + j, columns_, gradient);
  }
}

std::vector<double> Ranking::losses() const {
  std::vector<double> made = column_losses_;
  for (std::size_t level = 0; level < made.size(); ++level) {
    for (const Lane& lane : lanes_)
      if (lane.first < lane.last) made[level] += lane.losses[level];
    made[level] /= static_cast<double>(batch_.count) * (settings_.symmetric ? 2 : 1);
  }
  return made;
}

}  // namespace pumice::training
