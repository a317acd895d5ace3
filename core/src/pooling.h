// The weighted mean of token rows and its L2 norm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "model_file.h"

namespace pumice {

// Adds up rows in the order of the tokens, so that the result is the same whatever ran before or beside it.
class Pool {
 public:
  Pool(const pumice_model& model, float* sum, std::uint32_t dim);

  void operator()(std::uint32_t id) {
    pending_[pending_count_++] = id;
    if (pending_count_ >= kPending) flush();
  }

  // The first `count` of `ids`, an array of `Room`; all of it is copied, which costs less than asking.
  template <std::size_t Room>
  void put(const std::uint32_t* ids, std::size_t count) {
    static_assert(Room <= kRoom);
    std::memcpy(pending_ + pending_count_, ids, Room * sizeof(std::uint32_t));
    pending_count_ += count;
    if (pending_count_ >= kPending) flush();
  }

  // Turns the sum into the mean, of norm 1 where the model normalises; zeros where there was no token.
  // False if the file named a token or a row that it does not have.
  bool finish();

 private:
  static constexpr std::size_t kPending = 256;
  static constexpr std::size_t kRoom = 8;
  void flush();
  const float* weigh(const std::uint32_t* rows, std::size_t count, float* weights) const;

  const pumice_model& model_;
  float* sum_;
  std::uint32_t dim_;
  std::uint64_t count_ = 0;
  std::size_t pending_count_ = 0;
  bool valid_ = true;
  std::uint32_t pending_[kPending + kRoom];
};

}  // namespace pumice
