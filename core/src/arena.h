// Scratch of a worker that a text's intermediate forms live in: taken in order, given back all at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice {

class Arena {
 public:
  Arena() = default;
  Arena(void* memory, std::size_t size) : begin_(static_cast<std::uint8_t*>(memory)), size_(size) {}

  // Room for `count` values, or null where the rest is too small: the call then ends with
  // PUMICE_MEMORY_TOO_SMALL, and the caller repeats it with a larger worker.
  template <class T>
  T* take(std::size_t count) {
    const std::size_t aligned = (used_ + alignof(T) - 1) / alignof(T) * alignof(T);
    if (aligned > size_ || count > (size_ - aligned) / sizeof(T)) return nullptr;
    used_ = aligned + count * sizeof(T);
    return reinterpret_cast<T*>(begin_ + aligned);
  }

  // Returns what was taken last and not used after all: `count` values of what take<T> gave at `values`.
  template <class T>
  void shrink(T* values, std::size_t count) {
    used_ = static_cast<std::size_t>(reinterpret_cast<std::uint8_t*>(values + count) - begin_);
  }

  std::size_t mark() const { return used_; }
  void reset(std::size_t mark = 0) { used_ = mark; }
  std::size_t left() const { return size_ - used_; }

 private:
  std::uint8_t* begin_ = nullptr;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

}  // namespace pumice
