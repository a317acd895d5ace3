// The merges of a BPE model as the file holds them: an open-addressing hash of pairs of tokens.
#pragma once

#include <cstdint>

#include "model_file.h"
#include "prefetch.h"

namespace pumice {

enum BpeFlag : std::uint32_t { kByteLevel = 1, kByteFallback = 2, kFuseUnknown = 4 };
inline constexpr std::uint32_t kBpeFlags = 7;
inline constexpr std::uint32_t kMaxProbes = 256;

struct Merge {
  std::uint32_t left;  // kNone: the slot is empty
  std::uint32_t right;
  std::uint32_t rank;
  std::uint32_t id;  // of the token that the two become
};

// The beginning of the model section; 2^slot_bits Merges follow.
struct BpeHeader {
  std::uint32_t flags;       // BpeFlag bits
  std::uint32_t unknown_id;  // or kNone: unknown characters leave no trace
  std::uint32_t slot_bits;
  std::uint32_t probes;         // slots to look at, at most
  std::uint32_t byte_ids[256];  // byte level: the byte's token; else: its token of byte fallback; or kNone
};
static_assert(sizeof(BpeHeader) == 1040);

struct BpeMerges {
  const BpeHeader* header = nullptr;
  const Merge* slots = nullptr;

  explicit BpeMerges(const Section& section)
      : header(reinterpret_cast<const BpeHeader*>(section.bytes)),
        slots(reinterpret_cast<const Merge*>(section.bytes + sizeof(BpeHeader))) {}

  bool has(BpeFlag flag) const { return header->flags & flag; }

  std::uint32_t mask() const { return (std::uint32_t{1} << header->slot_bits) - 1; }

  // Where the search for a pair begins.
  std::uint32_t home(std::uint32_t left, std::uint32_t right) const {
    const std::uint64_t mixed = (left * 0x9E3779B97F4A7C15u) ^ (right * 0xC2B2AE3D27D4EB4Fu);
    return static_cast<std::uint32_t>((mixed * 0x9E3779B97F4A7C15u) >> 32) & mask();
  }

  void prefetch(std::uint32_t left, std::uint32_t right) const { pumice::prefetch(slots + home(left, right)); }

  // The merge of a pair, or null.
  const Merge* find(std::uint32_t left, std::uint32_t right) const {
    const std::uint32_t mask = this->mask();
    std::uint32_t slot = home(left, right);
    for (std::uint32_t i = 0; i < header->probes; ++i, slot = (slot + 1) & mask) {
      const Merge& merge = slots[slot];
      if (merge.left == left && merge.right == right) return &merge;
      if (merge.left == kNone) return nullptr;
    }
    return nullptr;
  }
};

}  // namespace pumice
