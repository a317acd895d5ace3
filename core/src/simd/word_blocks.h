// The loop that the kernels of list_words share: which words of a block are whole, and when to stop.
// Included after the instruction set has been chosen, so that it is built for it.
#pragma once

#include <bit>
#include <cstring>

#include "list_words.h"

namespace pumice::simd {
namespace {  // each instruction set's own: the linker may not put one's code in place of another's

// The words of a block: bit i of `starts` is set where byte i is the first of a word, of `ends` where it is the last.
struct BlockWords {
  std::uint64_t starts;
  std::uint64_t ends;
  std::size_t stop;  // what follows has not been read: a word that may go on in the next block, or special bytes
  bool stuck;        // no word of the next block may be read
};

// `left`: how many bytes of the text there are from the block's first on.
inline BlockWords words_of(const ByteMasks& masks, std::size_t left) {
  constexpr std::size_t kBlock = WordList::kBlock;
  const std::uint64_t tokens = masks.word | masks.punctuation;
  const std::uint64_t continues = masks.word & (masks.word << 1);
  std::uint64_t starts = tokens & ~continues;
  std::uint64_t ends = tokens & ~(continues >> 1);
  const bool is_last = left <= kBlock;
  std::size_t stop = is_last ? left : kBlock;
  const bool special = masks.special != 0 && static_cast<std::size_t>(std::countr_zero(masks.special)) < stop;
  if (special) stop = static_cast<std::size_t>(std::countr_zero(masks.special));
  const bool whole = is_last && !special;
  if (!whole && stop > 0 && (masks.word >> (stop - 1) & 1)) {
    const std::uint64_t before = starts & ((std::uint64_t{2} << (stop - 1)) - 1);
    stop = kBlock - 1 - static_cast<std::size_t>(std::countl_zero(before));
  }
  if (stop < kBlock) {
    const std::uint64_t read = (std::uint64_t{1} << stop) - 1;
    starts &= read;
    ends &= read;
  }
  return {starts, ends, stop, special || stop == 0};
}

// Block: masks(at, left), which reads no byte after the `left` that there are, and add(words, at, list).
template <class Block>
const char* list_words(Block& block, const char* at, const char* end, WordList& list) {
  while (at < end && list.count < WordList::kFull) {
    const BlockWords words =
        words_of(block.masks(at, static_cast<std::size_t>(end - at)), static_cast<std::size_t>(end - at));
    block.add(words, at, list);
    at += words.stop;
    if (words.stuck) break;
  }
  return at;
}

// A word after the other.
class ScalarBlock {
 public:
  ScalarBlock(const ByteClasses& classes, Classify classify) : classes_(classes), classify_(classify) {}

  ByteMasks masks(const char* at, std::size_t left) {
    read(at, left);
    ByteMasks masks;
    classify_(classes_, bytes_, masks);
    return masks;
  }

  void add(const BlockWords& words, const char* at, WordList& list) const {
    std::uint64_t starts = words.starts, ends = words.ends;
    std::size_t count = list.count;
    for (; starts != 0; starts &= starts - 1, ends &= ends - 1, ++count) {
      const auto begin = static_cast<unsigned>(std::countr_zero(starts));
      const unsigned size = static_cast<unsigned>(std::countr_zero(ends)) - begin + 1;
      list.begin[count] = at + begin;
      list.size[count] = static_cast<std::uint8_t>(size);
      list.low[count] = first_bytes(bytes_ + begin, size);
      list.high[count] = size > 8 ? first_bytes(bytes_ + begin + 8, size - 8) : 0;
    }
    list.count = count;
  }

 protected:
  void read(const char* at, std::size_t left) {
    bytes_ = at;
    // A key is read past its word.
    if (left < sizeof padded_) {
      std::memset(padded_, ' ', sizeof padded_);
      std::memcpy(padded_, at, left);
      bytes_ = padded_;
    }
  }

  // Those of the block that was read last; 16 can be read from each of them on.
  const char* bytes() const { return bytes_; }

 private:
  // The first `size` bytes, 8 at most and 1 at least; 8 can be read.
  static std::uint64_t first_bytes(const char* from, unsigned size) {
    std::uint64_t bytes;
    std::memcpy(&bytes, from, sizeof bytes);
    const unsigned beyond = size < 8 ? 64 - 8 * size : 0;
    if constexpr (std::endian::native == std::endian::little) return bytes & ~std::uint64_t{0} >> beyond;
    return bytes & ~std::uint64_t{0} << beyond;
  }

  const ByteClasses& classes_;
  Classify classify_;
  const char* bytes_ = nullptr;
  char padded_[WordList::kBlock + 16];
};

}  // namespace
}  // namespace pumice::simd
