// The weighted mean of token rows and its L2 norm.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ids.h"
#include "simd/row_kernels.h"
#include "worker_memory.h"

namespace pumice {

// Turns the ids of texts, one after the other, into vectors. Ids of several texts wait together, so that the rows
// of the next text are on their way while one is added up. Each text's rows are added in the order of its tokens:
// the result is the same whatever ran before or beside it.
class Pool : public IdSink {
 public:
  // Vectors of `dim` dimensions are written one after the other from `out` on; `past_caches`: see PUMICE_PAST_CACHES.
  Pool(pumice_worker& worker, std::uint32_t dim, std::uint32_t type, void* out, bool past_caches = false);

  // Forgets the ids put since the text before.
  void drop_text();

  // Writes what waits. False if the file named a token or a row that it does not have.
  bool finish();

  // How many vectors are written.
  std::size_t done() const { return done_; }

 private:
  static constexpr std::size_t kMostTexts = 64;  // that wait

  static void drain(IdSink& sink);
  // The ids put since the text before are those of one text.
  static void end(IdSink& sink);
  void write_texts();
  bool has_tokens(std::size_t count);
  bool find_rows(std::size_t count);
  [[gnu::noinline]] void find_weights(std::size_t from, std::size_t to);
  void weigh(std::size_t count);
  [[gnu::noinline]] void weigh(std::size_t from, std::size_t to);
  void begin_sum();
  void add(std::size_t from, std::size_t count, std::size_t ahead);
  void write_merged();
  void add_integers(std::size_t from, std::size_t count, std::size_t ahead, bool distinct = false);
  void spill();
  void write_mean();
  void sum_integers();

  pumice_worker& worker_;
  const pumice_model& model_;
  std::uint32_t dim_;
  std::uint32_t type_;
  std::size_t width_;                   // bytes of a vector
  simd::Scale write_floats_ = nullptr;  // where vectors are written as they are
  std::uint8_t* out_;
  std::size_t done_ = 0;
  bool valid_ = true;
  bool merges_;                   // a text's token is added once, however often it stands there
  std::size_t ends_[kMostTexts];  // of the texts that wait, in ids_
  std::size_t texts_ = 0;
  std::uint64_t added_ = 0;    // tokens in the sum
  std::size_t in_totals_ = 0;  // of them in worker.totals
  bool spilled_ = false;       // the others are in worker.wide
  TextCounter counter_;
  bool text_begun_ = false;  // counter_ knows tokens of a text that has not ended
};

}  // namespace pumice
