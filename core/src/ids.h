// Token ids on their way from a tokenizer to what reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "model_file.h"

namespace pumice {

// Gathers ids in a block of memory and has it emptied whenever it is full.
class IdSink {
 public:
  // Ids that put() may copy past those that count.
  static constexpr std::size_t kSlack = 16;
  // Leaves `count_` below the limit.
  using Drain = void (*)(IdSink& sink);
  // Takes note that the ids of a text are complete.
  using End = void (*)(IdSink& sink);

  // `room`: how many ids the memory holds, more than kSlack.
  IdSink(std::uint32_t* ids, std::size_t room, Drain drain, End end = nullptr)
      : ids_(ids), limit_(room - kSlack), drain_(drain), end_(end) {}

  void put(std::uint32_t id) {
    ids_[count_++] = id;
    if (count_ >= limit_) drain_(*this);
  }

  // The first `count` of `ids`, an array of `Room`; all of it is copied, which costs less than asking.
  template <std::size_t Room>
  void put(const std::uint32_t* ids, std::size_t count) {
    static_assert(Room <= kSlack);
    std::memcpy(ids_ + count_, ids, Room * sizeof(std::uint32_t));
    count_ += count;
    if (count_ >= limit_) drain_(*this);
  }

  // Where the next `count` ids, less than half of what the memory holds, can be written, and kSlack more.
  std::uint32_t* room_for(std::size_t count) {
    if (count_ + count >= limit_) drain_(*this);
    return ids_ + count_;
  }

  // Ids were written up to there.
  void wrote(const std::uint32_t* end) {
    count_ = static_cast<std::size_t>(end - ids_);
    if (count_ >= limit_) drain_(*this);
  }

  // Of a sink for several texts.
  void end_text() { end_(*this); }

 protected:
  std::uint32_t* ids_;
  std::size_t count_ = 0;

 private:
  std::size_t limit_;
  Drain drain_;
  End end_;
};

// How many tokens of a text count, and which of them are left out of its mean.
class TokenRules {
 public:
  explicit TokenRules(const pumice_model& model)
      : left_(model.parameters.max_tokens),
        limited_(left_ != kNone),
        dropped_(model.parameters.unknown == 0 ? model.parameters.unknown_id : kNone) {}

  bool keeps(std::uint32_t id) const { return id != dropped_ || id == kNone; }

  // Takes note of a token; false once no further one counts.
  bool take() { return !limited_ || --left_ != 0; }

  bool limited() const { return limited_; }

  // Whether `total` more tokens count and leave room for another.
  bool fits(std::size_t total) const { return !limited_ || total < left_; }

  // Tokens that fit.
  void take_known(std::uint32_t total) {
    if (limited_) left_ -= total;
  }

 private:
  std::uint32_t left_;
  bool limited_;
  std::uint32_t dropped_;
};

// Feeds the tokens of a text that count, and are not left out, to a sink.
class TokenStream {
 public:
  TokenStream(const pumice_model& model, IdSink& sink) : rules_(model), sink_(sink) {}

  // False once no further token counts.
  bool put(std::uint32_t id) {
    if (rules_.keeps(id)) sink_.put(id);
    return rules_.take();
  }

  bool fits(std::size_t total) const { return rules_.fits(total); }
  bool limited() const { return rules_.limited(); }
  void take_known(std::uint32_t total) { rules_.take_known(total); }
  IdSink& sink() { return sink_; }
  bool keeps(std::uint32_t id) const { return rules_.keeps(id); }

  // A token known to fit, of which take_known() takes note.
  void put_fitting(std::uint32_t id) {
    if (rules_.keeps(id)) sink_.put(id);
  }

  // Tokens known to fit: `total` of them, of which the first `kept` of `ids`, an array of `Room`, are kept.
  template <std::size_t Room>
  void put_known(const std::uint32_t* ids, std::uint32_t kept, std::uint32_t total) {
    sink_.put<Room>(ids, kept);
    rules_.take_known(total);
  }

  // One token, again and again.
  void put_repeated(std::uint32_t id, std::uint32_t kept, std::uint32_t total) {
    for (std::uint32_t i = 0; i < kept; ++i) sink_.put(id);
    rules_.take_known(total);
  }

  // The same of any number.
  void put_many(const std::uint32_t* ids, std::uint32_t kept, std::uint32_t total) {
    for (std::uint32_t i = 0; i < kept; ++i) sink_.put(ids[i]);
    rules_.take_known(total);
  }

 private:
  TokenRules rules_;
  IdSink& sink_;
};

}  // namespace pumice
