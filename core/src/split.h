// Cuts a piece where a pattern matches, and does with the matches what tokenizers' SplitDelimiterBehavior says.
#pragma once

#include <cstdint>

#include "general.h"

namespace pumice {

enum class Behavior : std::uint32_t { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };
inline constexpr std::uint32_t kBehaviors = 5;

// A list of pieces at the end of the arena; empty ones are left out. Nothing else may be taken from the arena
// while it grows.
class PieceList {
 public:
  explicit PieceList(Arena& arena) : arena_(arena) { pieces_.pieces = arena.take<std::string_view>(0); }

  bool add(const char* begin, const char* end) {
    if (begin == end) return true;
    std::string_view* piece = pieces_.pieces == nullptr ? nullptr : arena_.take<std::string_view>(1);
    if (piece == nullptr) return false;
    *piece = std::string_view(begin, static_cast<std::size_t>(end - begin));
    ++pieces_.count;
    return true;
  }

  // Makes the last piece end later. There is one.
  void extend(const char* end) {
    std::string_view& last = pieces_.pieces[pieces_.count - 1];
    last = std::string_view(last.data(), static_cast<std::size_t>(end - last.data()));
  }

  const Pieces& pieces() const { return pieces_; }

 private:
  Arena& arena_;
  Pieces pieces_;
};

// Takes the spans of one piece, matches and what lies between them, from left to right.
class Splitter {
 public:
  Splitter(PieceList& list, Behavior behavior) : list_(list), behavior_(behavior) {}

  bool span(const char* begin, const char* end, bool match) {
    const bool after_match = previous_;
    const bool is_first = first_;
    previous_ = match;
    first_ = false;
    switch (behavior_) {
      case Behavior::kRemoved:
        return match || list_.add(begin, end);
      case Behavior::kIsolated:
        return list_.add(begin, end);
      case Behavior::kMergedWithPrevious:
        if (!match || after_match || is_first) return list_.add(begin, end);
        list_.extend(end);
        return true;
      case Behavior::kContiguous:
        if (match != after_match || is_first) return list_.add(begin, end);
        list_.extend(end);
        return true;
      case Behavior::kMergedWithNext:
        // A match waits for what comes: followed by a match or by nothing, it stands alone.
        if (after_match && match && !list_.add(waiting_, begin)) return false;
        if (!match) return list_.add(after_match ? waiting_ : begin, end);
        waiting_ = begin;
        return true;
    }
    return false;
  }

  bool finish(const char* end) {
    return behavior_ != Behavior::kMergedWithNext || !previous_ || list_.add(waiting_, end);
  }

 private:
  PieceList& list_;
  Behavior behavior_;
  bool previous_ = false;
  bool first_ = true;
  const char* waiting_ = nullptr;
};

// `match(at, end)` is where the match that begins at `at` ends, or `at` where none begins; `invert` swaps
// matches and what lies between them.
template <class Match>
bool split(std::string_view piece, Behavior behavior, bool invert, PieceList& list, Match&& match) {
  Splitter splitter(list, behavior);
  const char* const end = piece.data() + piece.size();
  const char* between = piece.data();
  for (const char* at = between; at < end;) {
    const char* const matched = match(at, end);
    if (matched == at) {
      ++at;
      while (at < end && (static_cast<unsigned char>(*at) & 0xC0) == 0x80) ++at;
      continue;
    }
    if (between < at && !splitter.span(between, at, invert)) return false;
    if (!splitter.span(at, matched, !invert)) return false;
    at = between = matched;
  }
  if (between < end && !splitter.span(between, end, invert)) return false;
  return splitter.finish(end);
}

}  // namespace pumice
