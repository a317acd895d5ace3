// The weighted mean of token rows and its L2 norm.
#include "pooling.h"

#include <cmath>
#include <cstring>

#include "quantize.h"
#include "simd/merge_tokens.h"

namespace pumice {
namespace {

constexpr std::int64_t kFine = 1 << 15;  // what the high part of a fine multiplier counts

// In float64 where float32 would overflow or lose the small; lanes as in simd::SumOfSquares.
float norm_of(const simd::RowKernels& kernels, const float* x, std::size_t n) {
  const float squares = kernels.sum_of_squares(x, n);
  if (squares > 1e-30f && squares < 1e30f) return std::sqrt(squares);
  double lanes[16] = {};
  for (std::size_t i = 0; i < n; ++i) lanes[i % 16] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  for (std::size_t width = 8; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return static_cast<float>(std::sqrt(lanes[0]));
}

}  // namespace

Pool::Pool(pumice_worker& worker, std::uint32_t dim, std::uint32_t type, void* out, bool past_caches)
    : IdSink(worker.ids, worker.id_room, drain, end),
      worker_(worker),
      model_(*worker.model),
      dim_(dim),
      type_(type),
      width_(pumice_vector_size(dim, type)),
      out_(static_cast<std::uint8_t*>(out)),
      merges_(simd::kMergesTokens && model_.counting.repeats.size != 0 && model_.add_integer_rows != nullptr &&
              model_.token_multipliers != nullptr && model_.fine_multipliers == nullptr &&
              model_.token_rows == nullptr),
      counter_(model_.counting, worker.seen, model_.parameters.tokens) {
  const simd::RowKernels& kernels = *model_.kernels->rows;
  if (type == PUMICE_VECTOR_F32 && reinterpret_cast<std::uintptr_t>(out) % alignof(float) == 0) {
    write_floats_ = past_caches ? kernels.scale_past_caches : kernels.scale;
  }
  begin_sum();
}

void Pool::end(IdSink& sink) {
  auto& pool = static_cast<Pool&>(sink);
  pool.ends_[pool.texts_++] = pool.count_;
  if (pool.texts_ == kMostTexts) pool.write_texts();
}

void Pool::drop_text() {
  count_ = texts_ == 0 ? 0 : ends_[texts_ - 1];
  if (texts_ != 0) return;
  begin_sum();
  if (text_begun_) counter_.end(nullptr, 0);
  text_begun_ = false;
}

bool Pool::finish() {
  write_texts();
  if (text_begun_) counter_.end(nullptr, 0);  // a damaged file's
  if (write_floats_ != nullptr) model_.kernels->rows->fence();
  return valid_;
}

// Makes room: for the text at hand by writing those before it, or else by adding up what there is of it.
void Pool::drain(IdSink& sink) {
  auto& pool = static_cast<Pool&>(sink);
  pool.write_texts();
  if (2 * pool.count_ < pool.worker_.id_room) return;
  if (pool.find_rows(pool.count_)) pool.add(0, pool.count_, 0);
  pool.count_ = 0;
}

// The text at hand, which has not ended, moves to the front.
void Pool::write_texts() {
  if (texts_ == 0) return;
  const std::size_t end = ends_[texts_ - 1];
  if (simd::kMergesTokens && merges_ && !text_begun_) {
    if (has_tokens(end)) write_merged();
  } else if (find_rows(end)) {
    std::size_t from = 0;
    for (std::size_t i = 0; i < texts_; ++i) {
      add(from, ends_[i] - from, end - ends_[i]);
      write_mean();
      begin_sum();
      from = ends_[i];
    }
  }
  std::memmove(ids_, ids_ + end, (count_ - end) * sizeof *ids_);
  count_ -= end;
  texts_ = 0;
}

// The same where a text's token is added once: the texts are whole, and none of their tokens has been weighed.
void Pool::write_merged() {
  std::size_t kept[kMostTexts];
  auto* multipliers = static_cast<std::int16_t*>(worker_.weights);
  simd::merge_tokens({model_.token_multipliers, model_.counting, worker_.seen}, {ids_, ends_, texts_}, multipliers,
                     kept);
  std::size_t from = 0;
  for (std::size_t i = 0; i < texts_; ++i) {
    added_ = ends_[i] - from;
    if (kept[i] == 0) {
      find_weights(from, ends_[i]);
      weigh(from, ends_[i]);
      counter_.end(ids_ + from, added_);
      add_integers(from, added_, 0);
    } else {
      add_integers(from, kept[i], 0, true);
    }
    write_mean();
    begin_sum();
    from = ends_[i];
  }
}

// Whether the file's tables have the first `count` ids.
bool Pool::has_tokens(std::size_t count) {
  valid_ = valid_ && (count == 0 || model_.kernels->rows->largest(ids_, count) < model_.parameters.tokens);
  return valid_;
}

// Makes the first `count` ids the rows they stand for and finds what each row is multiplied by.
bool Pool::find_rows(std::size_t count) {
  if (!has_tokens(count)) return false;
  find_weights(0, count);
  if (model_.counting.any()) weigh(count);
  if (model_.token_rows == nullptr) return true;
  for (std::size_t i = 0; i < count; ++i) ids_[i] = model_.token_rows[ids_[i]];
  valid_ = count == 0 || model_.kernels->rows->largest(ids_, count) < model_.parameters.rows;
  return valid_;
}

// What tokens are multiplied by wherever they stand.
void Pool::find_weights(std::size_t from, std::size_t to) {
  if (model_.add_integer_rows != nullptr) {
    auto* multipliers = static_cast<std::int16_t*>(worker_.weights);
    const std::int16_t* of_token = model_.token_multipliers;
    for (std::size_t i = from; i < to; ++i) multipliers[i] = of_token == nullptr ? std::int16_t{1} : of_token[ids_[i]];
    const std::int16_t* fine = model_.fine_multipliers;
    for (std::size_t i = from; fine != nullptr && i < to; ++i) multipliers[worker_.id_room + i] = fine[ids_[i]];
  } else if (model_.token_weights != nullptr) {
    auto* weights = static_cast<float*>(worker_.weights);
    for (std::size_t i = from; i < to; ++i) weights[i] = model_.token_weights[ids_[i]];
  }
}

// The ids are those of the texts that wait, or of a part of the text at hand.
void Pool::weigh(std::size_t count) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < texts_; ++i) {
    weigh(from, ends_[i]);
    counter_.end(ids_ + from, ends_[i] - from);
    text_begun_ = false;
    from = ends_[i];
  }
  if (from == count) return;
  weigh(from, count);
  text_begun_ = true;
}

// Integers are rounded to the nearest, halves up.
void Pool::weigh(std::size_t from, std::size_t to) {
  constexpr unsigned kWhole = kWholeCount * kWholeCount;
  auto* floats = static_cast<float*>(worker_.weights);
  auto* integers = static_cast<std::int16_t*>(worker_.weights);
  std::int16_t* fine = model_.fine_multipliers == nullptr ? nullptr : integers + worker_.id_room;
  const bool weighted = model_.token_weights != nullptr;
  const bool floating = model_.add_integer_rows == nullptr;
  const std::uint32_t* ids = ids_;
  TextCounter counter = counter_;  // in registers: what it writes to could be its own, as far as the compiler knows
  for (std::size_t i = from; i < to; ++i) {
    const unsigned counts = counter.next(ids[i]);
    if (floating) {
      const float part = static_cast<float>(counts) / kWhole;
      floats[i] = weighted ? part * floats[i] : part;
    } else if (counts != kWhole) {
      const std::int64_t whole = fine == nullptr ? integers[i] : integers[i] * kFine + fine[i];
      const std::int64_t part = (whole * counts + kWhole / 2) >> (2 * kWholeBits);
      integers[i] = static_cast<std::int16_t>(fine == nullptr ? part : part >> 15);
      if (fine != nullptr) fine[i] = static_cast<std::int16_t>(part & (kFine - 1));
    }
  }
  counter_ = counter;
}

void Pool::begin_sum() {
  added_ = 0;
  in_totals_ = 0;
  spilled_ = false;
}

// Adds `count` rows from `from` on to the sum; `ahead`: how many more that will be added next follow them.
void Pool::add(std::size_t from, std::size_t count, std::size_t ahead) {
  if (count == 0) return;
  const bool first = added_ == 0;
  added_ += count;
  const Parameters& parameters = model_.parameters;
  if (model_.add_integer_rows != nullptr) return add_integers(from, count, ahead);
  const bool weighted = model_.token_weights != nullptr || model_.counting.any();
  const auto* weights = weighted ? static_cast<const float*>(worker_.weights) + from : nullptr;
  const simd::RowList list = {model_.rows, parameters.dimensions, ids_ + from, count, ahead, dim_, first};
  const simd::RowKernels& kernels = *model_.kernels->rows;
  (parameters.row_type == PUMICE_ROW_F32 ? kernels.add_rows_f32 : kernels.add_rows_f16)(worker_.sum, weights, list);
}

void Pool::add_integers(std::size_t from, std::size_t count, std::size_t ahead, bool distinct) {
  const auto* multipliers = static_cast<const std::int16_t*>(worker_.weights);
  while (count > 0) {
    if (in_totals_ == simd::kMostIntegerRows) spill();
    const std::size_t room = simd::kMostIntegerRows - in_totals_;
    const std::size_t now = count < room ? count : room;
    const simd::RowList list = {model_.rows, model_.row_stride, ids_ + from, now, count - now + ahead,
                                dim_,        in_totals_ == 0,   distinct};
    const simd::AddIntegerRows add_rows = model_.add_integer_rows;
    add_rows(worker_.totals, multipliers + from, list);
    if (model_.fine_multipliers != nullptr) {
      add_rows(worker_.totals + dim_, multipliers + worker_.id_room + from, list);
    }
    in_totals_ += now;
    from += now;
    count -= now;
  }
}

// Makes room in the totals, which hold kMostIntegerRows at most.
void Pool::spill() {
  const bool fine = model_.fine_multipliers != nullptr;
  for (std::uint32_t i = 0; i < dim_; ++i) {
    const std::int64_t total = worker_.totals[i];
    const std::int64_t exact = fine ? total * kFine + worker_.totals[dim_ + i] : total;
    worker_.wide[i] = spilled_ ? worker_.wide[i] + exact : exact;
  }
  spilled_ = true;
  in_totals_ = 0;
}

// The sum of a whole text becomes the mean, of norm 1 where the model normalises; zeros where there was no token.
void Pool::write_mean() {
  const simd::RowKernels& kernels = *model_.kernels->rows;
  float* sum = worker_.sum;
  std::uint8_t* out = out_ + done_++ * width_;
  if (added_ == 0) {
    std::memset(sum, 0, dim_ * sizeof *sum);
  } else {
    if (model_.add_integer_rows != nullptr) sum_integers();
    if (!model_.parameters.normalize) {
      const auto count = static_cast<float>(added_);
      for (std::uint32_t i = 0; i < dim_; ++i) sum[i] /= count;
    } else if (const float norm = norm_of(kernels, sum, dim_); norm != 0) {
      if (write_floats_ != nullptr) return write_floats_(sum, 1.0f / norm, dim_, reinterpret_cast<float*>(out));
      kernels.scale(sum, 1.0f / norm, dim_, sum);
    }
  }
  write_vector(kernels, sum, dim_, type_, out);
}

void Pool::sum_integers() {
  const float unit = model_.parameters.multiplier_unit;
  if (!spilled_ && model_.fine_multipliers == nullptr)
    return model_.kernels->rows->to_floats(worker_.totals, unit, dim_, worker_.sum);
  spill();
  for (std::uint32_t i = 0; i < dim_; ++i) worker_.sum[i] = unit * static_cast<float>(worker_.wide[i]);
}

}  // namespace pumice
