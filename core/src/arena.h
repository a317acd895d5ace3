// Scratch of a worker that a text's intermediate forms live in: taken in order, given back all at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice {

class Arena {
 public:
  Arena() = default;
  Arena(void* memory, std::size_t size) : begin_(static_cast<std::uint8_t*>(memory)), size_(size), limit_(size) {}

  // Begins a text. From here on it may take `most_for(size)` bytes at a time, however many there are, and its
  // stages may read as many in all: what a hostile model makes a text cost is linear in the text.
  void begin(std::size_t text_size) {
    most_ = most_for(text_size);
    limit_ = size_ < most_ ? size_ : most_;
    unread_ = most_;
    used_ = 0;
  }

  // The same of one word of a text. What words cost does not add up, so that it makes no difference which of them
  // were met before; it stays linear in the text, as a word has at least a byte or two.
  void begin_word(std::size_t word_size) {
    constexpr std::size_t kLeast = std::size_t{4} << 10;
    begin(word_size);
    unread_ = most_ == SIZE_MAX ? SIZE_MAX : most_ - most_for(0) + kLeast;
  }

  // NFKC makes U+FDFA eleven times as long; a text of nothing else, then cut by BPE, asks for some 700 a byte.
  static constexpr std::size_t most_for(std::size_t text_size) {
    constexpr std::size_t kLeast = std::size_t{256} << 10;
    constexpr std::size_t kPerByte = 1024;
    return text_size > (SIZE_MAX - kLeast) / kPerByte ? SIZE_MAX : kLeast + kPerByte * text_size;
  }

  // Counts what a stage is about to read; false where the text may not cost so much.
  bool read(std::size_t bytes) {
    if (bytes > unread_) return false;
    unread_ -= bytes;
    return true;
  }

  // Whether more memory than there is would be of no use.
  bool exhausted() const { return limit_ == most_; }

  // Room for `count` values, or null where the rest is too small: the call then ends with
  // PUMICE_MEMORY_TOO_SMALL, and the caller repeats it with a larger worker.
  template <class T>
  T* take(std::size_t count) {
    const std::size_t aligned = (used_ + alignof(T) - 1) / alignof(T) * alignof(T);
    if (aligned > limit_ || count > (limit_ - aligned) / sizeof(T)) return nullptr;
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
  std::size_t left() const { return limit_ - used_; }

 private:
  std::uint8_t* begin_ = nullptr;
  std::size_t size_ = 0;
  std::size_t limit_ = 0;  // how much of the memory this text may take
  std::size_t used_ = 0;
  std::size_t most_ = SIZE_MAX;  // without begin() there is no limit
  std::size_t unread_ = SIZE_MAX;
};

}  // namespace pumice
