// A trie over bytes in one flat array (Aoe 1989, children addressed by XOR), read in place from the file.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice {

// Child of `node` for byte b is unit `base(node) ^ b`, if that unit's parent is `node`. A node where a key
// ends carries kHasValue and keeps the value in the `base` of its child for byte 0, so keys hold no NUL.
struct DoubleArray {
  struct Unit {
    std::uint32_t base;
    std::uint32_t parent;
  };
  static constexpr std::uint32_t kHasValue = 0x80000000u;
  static constexpr std::uint32_t kRoot = 0;
  // Longer keys are never found, which bounds the work per byte of text whatever a file says.
  static constexpr std::size_t kMaxKey = 1024;

  const Unit* units = nullptr;
  std::uint32_t count = 0;

  struct Match {
    std::uint32_t value;
    std::uint32_t length;  // bytes; 0: no key is a prefix of the text
  };

  bool empty() const { return count == 0; }

  // The longest key, read from `start` on, that the text begins with. Content of a hostile file can make this
  // answer wrongly but never read outside the array: every index is compared with `count`.
  Match longest_prefix(std::uint32_t start, const char* text, std::size_t size) const {
    std::uint32_t node = start;
    std::uint32_t end = kRoot;
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < size && i < kMaxKey; ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      const std::uint32_t child = (units[node].base & ~kHasValue) ^ byte;
      if (byte == 0 || child >= count || units[child].parent != node) break;
      node = child;
      if (units[node].base & kHasValue) {
        end = node;
        length = static_cast<std::uint32_t>(i + 1);
      }
    }
    if (length == 0) return {0, 0};
    const std::uint32_t leaf = units[end].base & ~kHasValue;
    if (leaf >= count) return {0, 0};
    return {units[leaf].base, length};
  }
};
static_assert(sizeof(DoubleArray::Unit) == 8);

}  // namespace pumice
