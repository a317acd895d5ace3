// What the fuzz targets share: exactly sized memory, a check that ends the program, a worker in its own memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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

// A worker whose memory held `fill` before: results may not depend on it.
class Worker {
 public:
  Worker(const pumice_model* model, int fill) : memory_(pumice_worker_size(model), fill) {
    CONTRACT(pumice_worker_init(model, memory_.bytes(), memory_.size(), &worker_) == PUMICE_OK);
  }
  operator pumice_worker*() const { return worker_; }

 private:
  Block memory_;
  pumice_worker* worker_ = nullptr;
};

inline constexpr pumice_vector_type kVectorTypes[] = {PUMICE_VECTOR_F32, PUMICE_VECTOR_F16, PUMICE_VECTOR_I8,
                                                      PUMICE_VECTOR_BINARY};

}  // namespace pumice::fuzz
