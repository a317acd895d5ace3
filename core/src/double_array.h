// A trie over bytes in one flat array (Aoe 1989, children addressed by XOR), read in place from the file.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice {

// Child of `node` for byte b is unit `base(node) ^ b`, if that unit's parent is `node`. A node where a key
// ends carries kHasValue and keeps the value in the `base` of its child for byte 0. Keys are UTF-8 or pieces
// of it, where the byte 0xFF never occurs: in a key it stands for NUL.
struct DoubleArray {
  struct Unit {
    std::uint32_t base;
    std::uint32_t parent;
  };
  static constexpr std::uint32_t kHasValue = 0x80000000u;
  static constexpr std::uint32_t kRoot = 0;
  static constexpr unsigned char kNul = 0xFF;

  const Unit* units = nullptr;
  std::uint32_t count = 0;
  int first = -1;  // the byte that every key begins with, where there is one

  struct Match {
    std::uint32_t value;
    std::uint32_t length;  // bytes; 0: no key is a prefix of the text
  };

  bool empty() const { return count == 0; }

  // Moves to the child for a byte of text; false, without moving, where there is none. Here and below, content
  // of a hostile file can make the answer wrong but never read outside the array.
  bool step(std::uint32_t& node, unsigned char byte) const {
    const std::uint32_t child = (units[node].base & ~kHasValue) ^ (byte != 0 ? byte : kNul);
    if (child >= count || units[child].parent != node) return false;
    node = child;
    return true;
  }

  // The longest key, read from `start` on, that the text begins with.
  Match longest_prefix(std::uint32_t start, const char* text, std::size_t size) const {
    std::uint32_t node = start;
    std::uint32_t end = kRoot;
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < size && step(node, static_cast<unsigned char>(text[i])); ++i) {
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

  // Whether the text is a key, and its value.
  bool find(const char* text, std::size_t size, std::uint32_t& value) const {
    if (size == 0 || empty()) return false;
    std::uint32_t node = kRoot;
    for (std::size_t i = 0; i < size; ++i) {
      if (!step(node, static_cast<unsigned char>(text[i]))) return false;
    }
    if (!(units[node].base & kHasValue)) return false;
    const std::uint32_t leaf = units[node].base & ~kHasValue;
    if (leaf >= count) return false;
    value = units[leaf].base;
    return true;
  }
};
static_assert(sizeof(DoubleArray::Unit) == 8);

}  // namespace pumice
