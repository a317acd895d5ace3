// BPE without merging: the longest tokens from the left, each proven to be what merging would have left there.
//
// Merging gives a text the one row of tokens in which each token is what its own bytes merge to and each two neighbours
// stay apart when their bytes are merged alone: the first merge across a border would also be the first between those
// two, and what is merged on either side of a border that stays does not depend on the other side. So a row that is
// found in any way is right if its tokens and its neighbours are. A prefix of it is the row of its own text: where none
// of the tokens goes on from a place, none ever will.
//
// Whether two neighbours stay apart is seen by going back through their merges, the last first. compile_bpe writes the
// parts of tokens only where a token's time is above those of its parts, so that merges happen by rising time. Then a
// symbol at the border exists from its own time until its parent's, and the merge of the two symbols that meet at the
// border happens if and only if it comes before the parents' (on the right, or together with it: it is the one more to
// the left).
//
// Most neighbours are seen to stay apart without that: a token's own record says, in a few bits, which tokens its ends
// could merge with at all (TokenBorders, from compile_bpe).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "bpe_merges.h"
#include "double_array.h"
#include "split_patterns.h"

namespace pumice {

// How a token came about when its own text was merged, and when it may merge with others.
struct TokenParts {
  static constexpr std::uint32_t kStep = 8;  // what the last two count times in, rounded down

  std::uint32_t left;  // the two that its last merge made it of; kNone of a symbol
  std::uint32_t right;
  std::uint32_t time;          // of that merge: rank + 1; 0: a symbol; kNone: its text merges to something else
  std::uint16_t from_as_left;  // no merge has it on the left before that; at most 0xFFFF
  std::uint16_t from_as_right;
};
static_assert(sizeof(TokenParts) == 16);

// Which other tokens a token may merge with across a border, in sets of bits that may say more than there are: bit
// border_bit(t) for a token t. Bit 0 says that nothing is certain.
struct TokenBorders {
  std::uint32_t joins_right;  // what the tokens that it ends with merge with on their right while they exist
  std::uint32_t ends;         // those of them that do
  std::uint32_t begins;       // of the tokens that it begins with, those that merge with one on their left
  std::uint32_t joins_left;   // what with

  // Whether no merge across the border between two tokens can be; without a branch, for either is as good as chance.
  static bool stay_apart(const TokenBorders& left, const TokenBorders& right) {
    const bool first = (left.joins_right & right.begins) == 0;
    const bool second = (left.ends & right.joins_left) == 0;
    return static_cast<unsigned>(first) | static_cast<unsigned>(second);
  }

  // What stands before the first token.
  static const TokenBorders kNothing;
};
inline constexpr TokenBorders TokenBorders::kNothing = {1, 1, 0, 0};
static_assert(sizeof(TokenBorders) == 16);

constexpr std::uint32_t border_bit(std::uint32_t token) {
  return std::uint32_t{2} << (std::uint64_t{token * 0x9E3779B1u} * 31 >> 32);
}

class LongestTokens {
 public:
  static constexpr std::uint32_t kLongest = 256;  // bytes of a token, where there are parts

  // Where what the file says is wrong, so is the row.
  LongestTokens(const DoubleArray& vocabulary, const BpeMerges& merges, std::span<const TokenParts> parts,
                std::span<const TokenBorders> borders)
      : vocabulary_(vocabulary), merges_(merges), parts_(parts), borders_(borders) {}

  // Writes the ids of a piece and where each of them ends, and returns how many; 0 where only merging tells. There is
  // room for one a byte in `ids` and `ends`, and in `dead` for a bit more than that, all of them zero.
  std::uint32_t read(std::string_view piece, std::uint32_t* ids, std::uint32_t* ends, std::uint64_t* dead) const {
    const auto size = static_cast<std::uint32_t>(piece.size());
    std::size_t tries = kTriesPerByte * piece.size();
    std::uint32_t count = 0;
    std::uint32_t at = 0;
    std::uint32_t most = size;  // where the next token may end
    for (;;) {
      const std::uint32_t before = count == 0 ? kNone : ids[count - 1];
      const auto place = [&](std::uint32_t id, std::uint32_t length) {
        const std::uint32_t end = at + length;
        if (tries-- == 0) return kUnclear;
        if (dead[end / 64] >> end % 64 & 1) return kMerges;
        const bool whole = kRoomForSpeed && length == size;  // it is not merged
        return whole ? kStays : border_of(before, id);
      };
      const std::uint32_t limit = std::min(most - at, kLongest);
      DoubleArray::Match match = {0, limit + 1};
      Border border = kMerges;
      if (kRoomForSpeed) {
        match = longest(piece.data() + at, limit);
        if (match.length == 0 && most == size) return 0;  // a character without a token
        if (match.length != 0) border = place(match.value, match.length);
      }
      if (border == kMerges && match.length > 1) {
        Matches shorter(vocabulary_, piece.data() + at, match.length - 1);
        if (!kRoomForSpeed && most == size && shorter.none()) return 0;
        while (border == kMerges && shorter.next()) border = place(shorter.id, shorter.length);
        match = {shorter.id, shorter.length};
      }
      if (border == kUnclear) return 0;
      if (border == kStays) {
        ids[count] = match.value;
        ends[count++] = at += match.length;
        if (at == size) return count;
        most = size;
      } else {
        if (count == 0) return 0;  // there must be a row
        dead[at / 64] |= std::uint64_t{1} << at % 64;
        most = at - 1;
        at = --count == 0 ? 0 : ends[count - 1];
      }
    }
  }

 private:
  enum Border { kStays, kMerges, kUnclear };

  // The longest token that `text` begins with. Whether a token ends at a byte is as good as chance: no branch is on it.
  DoubleArray::Match longest(const char* text, std::uint32_t size) const {
    const DoubleArray::Unit* const units = vocabulary_.units;
    std::uint32_t node = DoubleArray::kRoot, base = units[node].base;
    std::uint32_t last = 0, length = 0;
    for (std::uint32_t i = 0; i < size;) {
      const auto byte = static_cast<unsigned char>(text[i]);
      const std::uint32_t child = (base & ~DoubleArray::kHasValue) ^ (byte != 0 ? byte : DoubleArray::kNul);
      if (child >= vocabulary_.count || units[child].parent != node) break;
      node = child;
      base = units[node].base;
      ++i;
      const bool ends = (base & DoubleArray::kHasValue) != 0;
      last = ends ? base : last;
      length = ends ? i : length;
    }
    const std::uint32_t leaf = last & ~DoubleArray::kHasValue;
    if (length == 0 || leaf >= vocabulary_.count) return {0, 0};
    return {units[leaf].base, length};
  }

  // The tokens that `text` begins with, the longest first.
  class Matches {
   public:
    Matches(const DoubleArray& vocabulary, const char* text, std::uint32_t size)
        : vocabulary_(vocabulary), text_(text) {
      find(size);
    }

    bool next() {
      if (kept_ == 0 && count_ != 0) find(length - 1);
      if (kept_ == 0) return false;
      --kept_;
      const Leaf& leaf = leaves_[--count_ % kMost];
      length = leaf.length;
      id = vocabulary_.units[leaf.unit].base;
      return true;
    }

    bool none() const { return count_ == 0; }

    std::uint32_t length = 0;
    std::uint32_t id = 0;

   private:
    static constexpr std::uint32_t kMost = 8;  // that are kept: the longest

    struct Leaf {
      std::uint32_t unit;
      std::uint32_t length;
    };

    void find(std::uint32_t size) {
      std::uint32_t node = DoubleArray::kRoot;
      count_ = 0;
      for (std::uint32_t i = 0; i < size && vocabulary_.step(node, static_cast<unsigned char>(text_[i])); ++i) {
        const std::uint32_t base = vocabulary_.units[node].base;
        const std::uint32_t leaf = base & ~DoubleArray::kHasValue;
        if (base == leaf || leaf >= vocabulary_.count) continue;
        leaves_[count_++ % kMost] = {leaf, i + 1};
      }
      kept_ = count_ < kMost ? count_ : kMost;
    }

    const DoubleArray& vocabulary_;
    const char* text_;
    std::uint32_t count_ = 0;
    std::uint32_t kept_ = 0;
    Leaf leaves_[kMost];
  };

  // Work that no vocabulary in use comes near; pieces beyond are merged.
  static constexpr std::size_t kTriesPerByte = 8;
  static constexpr unsigned kMostSteps = 64;

  // Whether the token `right` may stand after `left`, or after nothing where that is kNone.
  Border border_of(std::uint32_t left, std::uint32_t right) const {
    if (kRoomForSpeed && right < borders_.size()) {
      const TokenBorders& before = left < borders_.size() ? borders_[left] : TokenBorders::kNothing;
      if (TokenBorders::stay_apart(before, borders_[right])) return kStays;
    }
    if (right >= parts_.size()) return kUnclear;
    std::uint32_t right_time = parts_[right].time;
    if (right_time == kNone) return kMerges;
    if (left == kNone) return kStays;
    std::uint32_t left_time = parts_[left].time;
    std::uint32_t left_until = kNone, right_until = kNone;
    for (unsigned step = 0; step < kMostSteps; ++step) {
      const std::uint32_t from = std::max(parts_[left].from_as_left, parts_[right].from_as_right) * TokenParts::kStep;
      if (from < left_until && from <= right_until) {
        const Merge* merge = merges_.find(left, right);
        if (merge != nullptr && merge->rank + 1 < left_until && merge->rank + 1 <= right_until) return kMerges;
      }
      if (left_time == 0 && right_time == 0) return kStays;
      // The merge on the right is the later of two at one time.
      if (right_time >= left_time) {
        right_until = right_time;
        right = parts_[right].left;
        if (right >= parts_.size()) return kUnclear;
        right_time = parts_[right].time;
      } else {
        left_until = left_time;
        left = parts_[left].right;
        if (left >= parts_.size()) return kUnclear;
        left_time = parts_[left].time;
      }
    }
    return kUnclear;
  }

  const DoubleArray& vocabulary_;
  const BpeMerges& merges_;
  std::span<const TokenParts> parts_;      // by token
  std::span<const TokenBorders> borders_;  // the same; may be absent
};

}  // namespace pumice
