// Workers kept between calls, so that the words they have met stay known.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "pumice.h"

namespace pumice {

// A worker and its memory.
class Scratch {
 public:
  explicit Scratch(const pumice_model* model);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  pumice_worker* worker() const { return worker_; }

  // More room for the next try; false where a text asks for more than any can need. Throws std::bad_alloc.
  bool grow();
  bool grown() const { return grown_; }

 private:
  void allocate(std::size_t size);

  const pumice_model* model_;
  std::size_t size_ = 0;
  void* memory_ = nullptr;
  pumice_worker* worker_ = nullptr;
  bool grown_ = false;
};

// Hands out workers and takes them back. Any thread may call it; a forked child may too, whatever the parent's
// threads were doing: the lock is only ever tried.
class Workers {
 public:
  explicit Workers(const pumice_model* model) : model_(model) {}

  std::unique_ptr<Scratch> take();
  void give(std::unique_ptr<Scratch> scratch);

 private:
  static constexpr std::size_t kMostIdle = 8;  // of some 2.5 MB

  const pumice_model* model_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> idle_;
};

// A worker for the duration of a block.
class Borrowed {
 public:
  explicit Borrowed(Workers& workers) : workers_(workers), scratch_(workers.take()) {}
  ~Borrowed() { workers_.give(std::move(scratch_)); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Scratch& operator*() const { return *scratch_; }
  Scratch* operator->() const { return scratch_.get(); }

 private:
  Workers& workers_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace pumice
