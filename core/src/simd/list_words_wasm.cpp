// Words one after the other with WebAssembly's SIMD: a key is 16 bytes of the text, less those behind the word.
#include "instructions.h"

#ifdef PUMICE_WASM_SIMD
#include <wasm_simd128.h>

#include "classify_wasm.h"
#include "word_blocks.h"

namespace pumice::simd {
namespace {

constexpr std::size_t kKey = 16;

// From kBlock - size on, the mask of a word of that size.
constexpr struct Keep {
  std::uint8_t bytes[WordList::kBlock + kKey] = {};
  constexpr Keep() {
    for (std::size_t i = 0; i < WordList::kBlock; ++i) bytes[i] = 0xFF;
  }
} kKeep{};

class Block : public ScalarBlock {
 public:
  explicit Block(const ByteClasses& classes) : ScalarBlock(classes, classify_wasm), classes_(classes) {}

  ByteMasks masks(const char* at, std::size_t left) {
    read(at, left);
    return masks_of(classes_, bytes());
  }

  void add(const BlockWords& words, const char* at, WordList& list) const {
    std::uint64_t starts = words.starts, ends = words.ends;
    std::size_t count = list.count;
    const char* const bytes = this->bytes();
    for (; starts != 0; starts &= starts - 1, ends &= ends - 1, ++count) {
      const auto begin = static_cast<std::uint32_t>(std::countr_zero(starts));
      const std::uint32_t last = static_cast<std::uint32_t>(std::countr_zero(ends)) - begin;
      const v128_t key =
          wasm_v128_and(wasm_v128_load(bytes + begin), wasm_v128_load(kKeep.bytes + WordList::kBlock - 1 - last));
      wasm_v128_store64_lane(list.low + count, key, 0);
      wasm_v128_store64_lane(list.high + count, key, 1);
      list.begin[count] = at + begin;
      list.size[count] = static_cast<std::uint8_t>(last + 1);
    }
    list.count = count;
  }

 private:
  const ByteClasses& classes_;
};

}  // namespace

const char* list_words_wasm(const ByteClasses& classes, const char* at, const char* end, WordList& list) {
  Block block(classes);
  return list_words(block, at, end, list);
}

}  // namespace pumice::simd
#endif
