// Cuts a text at added tokens, exactly as AddedVocabulary::find_matches of Hugging Face tokenizers.
#include "added_tokens.h"

#include <algorithm>
#include <cstring>

#include "unicode_classes.h"

namespace pumice {
namespace {

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

bool AddedTokenCutter::next(Part& part) {
  if (!waits_) {
    if (ended_) return false;
    if (!find(end_)) {
      ended_ = true;
      part = {false, 0, {rest_, static_cast<std::size_t>(end_ - rest_)}};
      return rest_ != end_;
    }
    const char* const before = rest_;
    rest_ = match_end_;
    if (before < begin_) {
      waits_ = true;
      part = {false, 0, {before, static_cast<std::size_t>(begin_ - before)}};
      return true;
    }
  }
  waits_ = false;
  part = {true, value_ & kAddedTokenId, {begin_, static_cast<std::size_t>(match_end_ - begin_)}};
  return true;
}

bool AddedTokenCutter::next_token(const char* from, const char* until, Part& part) {
  if (search_ < from) search_ = from;
  do {
    if (!find(until)) return false;
    // A hostile file's may be part of a character.
  } while (continues_character(*begin_) || (match_end_ < end_ && continues_character(*match_end_)));
  rest_ = match_end_;
  part = {true, value_ & kAddedTokenId, {begin_, static_cast<std::size_t>(match_end_ - begin_)}};
  return true;
}

// The leftmost, then longest token from `search_` on that begins before `until`. One that would not stand alone still
// hides those that overlap it.
bool AddedTokenCutter::find(const char* until) {
  if (trie_.empty()) return false;
  while (search_ < until) {
    if (trie_.first >= 0) {
      const auto left = static_cast<std::size_t>(until - search_);
      search_ = static_cast<const char*>(std::memchr(search_, trie_.first, left));
      if (search_ == nullptr) search_ = until;
      if (search_ == until) return false;
    }
    std::uint32_t node = DoubleArray::kRoot;
    if (!trie_.step(node, static_cast<unsigned char>(*search_))) {
      ++search_;
      continue;
    }
    const auto match = trie_.longest_prefix(DoubleArray::kRoot, search_,
                                            std::min(kMaxAddedToken, static_cast<std::size_t>(end_ - search_)));
    if (match.length == 0) {
      ++search_;
      continue;
    }
    begin_ = search_;
    match_end_ = search_ = begin_ + match.length;
    value_ = match.value;
    if ((value_ & kSingleWord) && !stands_alone(begin_, match_end_)) continue;
    if (value_ & kLeftStrip) begin_ = strip_left(begin_);
    if (value_ & kRightStrip) match_end_ = strip_right(match_end_);
    return true;
  }
  return false;
}

bool AddedTokenCutter::stands_alone(const char* begin, const char* end) const {
  const char* at = begin;
  if (begin != text_ && (unicode::last_class(text_, begin, at) & unicode::kWordCharacter)) return false;
  at = end;
  return end == end_ || !(unicode::next_class(at, end_) & unicode::kWordCharacter);
}

// Not further than the last match: white space is no one's twice.
const char* AddedTokenCutter::strip_left(const char* begin) const {
  const char* stripped = begin;
  while (stripped > rest_) {
    const char* before = stripped;
    if (!(unicode::last_class(text_, stripped, before) & unicode::kSpace)) break;
    stripped = before;
  }
  return begin < rest_ ? rest_ : stripped;
}

const char* AddedTokenCutter::strip_right(const char* end) {
  if (end >= spaces_begin_ && end < spaces_end_) return spaces_end_;
  spaces_begin_ = end;
  while (end < end_) {
    const char* next = end;
    if (!(unicode::next_class(next, end_) & unicode::kSpace)) break;
    end = next;
  }
  return spaces_end_ = end;
}

}  // namespace pumice
