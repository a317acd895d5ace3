// What the fuzz targets share: exactly sized memory, a check that ends the program, a worker in its own memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "pumice.h"

// Ends the program where the core broke its contract, so that the fuzzer keeps the input.
#define CONTRACT(condition) \
  ((condition) ? void() : (std::fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition), std::abort()))

namespace pumice::fuzz {

// Aligned heap memory of exactly the size asked for: a sanitizer sees every access past its end.
class Block {
 public:
  explicit Block(std::size_t size, int fill = 0)
      : size_(size), bytes_(static_cast<std::uint8_t*>(::operator new(size, std::align_val_t{PUMICE_ALIGNMENT}))) {
    std::memset(bytes_, fill, size);
  }
  ~Block() { ::operator delete(bytes_, std::align_val_t{PUMICE_ALIGNMENT}); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  std::uint8_t* bytes() const { return bytes_; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  std::uint8_t* bytes_;
};

inline bool equal(const Block& a, const Block& b) {
  return a.size() == b.size() && std::memcmp(a.bytes(), b.bytes(), a.size()) == 0;
}

// A worker in memory that held `fill` before: results depend neither on that nor on how much memory it is.
class Worker {
 public:
  Worker(const pumice_model* model, std::size_t size, int fill) : model_(model), fill_(fill) { init(size); }

  // Calls until there is room for the text, which pumice.h promises to be at some point.
  template <class Call>
  pumice_status call(std::size_t text_size, Call&& function) {
    pumice_status status = function(worker_);
    const std::size_t most = pumice_worker_fast_size(model_) + (std::size_t{256} << 10) + 1024 * text_size;
    while (status == PUMICE_MEMORY_TOO_SMALL && memory_->size() < most) {
      init(std::min(4 * memory_->size(), most));
      status = function(worker_);
    }
    CONTRACT(status != PUMICE_MEMORY_TOO_SMALL);
    return status;
  }

 private:
  void init(std::size_t size) {
    memory_ = std::make_unique<Block>(size, fill_);
    CONTRACT(pumice_worker_init(model_, memory_->bytes(), memory_->size(), &worker_) == PUMICE_OK);
  }

  const pumice_model* model_;
  int fill_;
  std::unique_ptr<Block> memory_;
  pumice_worker* worker_ = nullptr;
};

inline constexpr pumice_vector_type kVectorTypes[] = {PUMICE_VECTOR_F32, PUMICE_VECTOR_F16, PUMICE_VECTOR_I8,
                                                      PUMICE_VECTOR_BINARY};

}  // namespace pumice::fuzz
