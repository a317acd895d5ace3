// Has the memory of a large result made by one thread while others write to what is there already.
//
// The kernel clears a huge page when it is first written to. Threads that come to one at the same time each clear one,
// of which one is kept. Two threads write 110 MB of new vectors 4 to 8 % faster so.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pumice {

class ResultPages {
 public:
  ResultPages(std::uint8_t* result, std::size_t size) : result_(result), size_(size) {}

  // Some thread is about to write up to byte `end` of the result: this one makes what comes next, if nobody does.
  void before(std::size_t end) {
    if (size_ < kLeast) return;
    // Blocks are those of the address space; the first of them may begin before the result.
    const std::size_t before = reinterpret_cast<std::uintptr_t>(result_) % kBlock;
    const std::size_t wanted = (before + end) / kBlock + 2;
    std::size_t block = made_.load(std::memory_order_relaxed);
    while (block < wanted && block * kBlock < before + size_) {
      if (made_.compare_exchange_weak(block, block + 1, std::memory_order_relaxed)) make(block);
    }
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{2} << 20;   // a huge page
  static constexpr std::size_t kLeast = std::size_t{32} << 20;  // smaller results may lie where others did before

  // Fills in the pages that lie in the block, and changes no content.
  void make(std::size_t block) const;

  std::uint8_t* result_;
  std::size_t size_;
  std::atomic<std::size_t> made_{0};
};

}  // namespace pumice
