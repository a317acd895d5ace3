// The regular expressions of byte-level BPE tokenizers, as hand-written scanners.
#include "split_patterns.h"

#include <bit>
#include <cstring>

#include "unicode_classes.h"

namespace pumice {
namespace {

using unicode::kLetter;
using unicode::kNumber;
using unicode::kSpace;
using unicode::next_class;

constexpr std::uint8_t kAny = kLetter | kNumber | kSpace;

bool is_ascii_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

bool is_line_end(char c) { return c == '\r' || c == '\n'; }

// Moves over characters whose classes, of the three that patterns know, are `wanted`.
const char* skip(const char* at, const char* end, std::uint8_t wanted) {
  while (at < end) {
    const char* next = at;
    if ((next_class(next, end) & kAny) != wanted) break;
    at = next;
  }
  return at;
}

// \s+(?!\S)|\s+ : all of the white space but the last character, where something follows it.
const char* match_space(const char* at, const char* end) {
  const char* last = at;
  const char* cursor = at;
  while (cursor < end) {
    const char* next = cursor;
    if (!(next_class(next, end) & kSpace)) return last == at ? cursor : last;
    last = cursor;
    cursor = next;
  }
  return end;
}

// The letters after an apostrophe at `at` that make a contraction, or `at`.
const char* match_contraction(const char* at, const char* end, char fold) {
  const auto left = end - at;
  const auto lower = [&](int i) { return static_cast<char>(at[i] >= 'A' && at[i] <= 'Z' ? at[i] | fold : at[i]); };
  if (left < 2) return at;
  const char first = lower(1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
  // U+017F folds to s, the only character outside ASCII that these patterns know.
  if (fold != 0 && left >= 3 && at[1] == '\xC5' && at[2] == '\xBF') return at + 3;
  if (left < 3) return at;
  const char second = lower(2);
  const bool found = second == 'e' ? first == 'r' || first == 'v' : second == 'l' && first == 'l';
  return found ? at + 3 : at;
}

// Bit 7 of each byte that is no ASCII letter.
std::uint64_t no_letters(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  const std::uint64_t lower = (eight | 0x20 * kOnes) & ~kHigh;
  const std::uint64_t from_a = lower + (0x80 - 'a') * kOnes;
  const std::uint64_t beyond_z = lower + (0x7F - 'z') * kOnes;
  return (~from_a | beyond_z | eight) & kHigh;
}

}  // namespace

const char* match_letters(const char* at, const char* end) {
  if (!kRoomForSpeed) return at;
  const char* cursor = at + (*at == ' ' ? 1 : 0);
  const char* const begin = cursor;
  for (; end - cursor >= 8; cursor += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, cursor, 8);
    const std::uint64_t others = no_letters(eight);
    if (others == 0) continue;
    cursor += std::countr_zero(others) / 8;
    if (cursor == begin) return at;
    return static_cast<unsigned char>(*cursor) < 0x80 ? cursor : skip(cursor, end, kLetter);
  }
  if (cursor == end || (cursor == begin && !is_ascii_letter(*cursor))) return at;
  return skip(cursor, end, kLetter);
}

const char* match_gpt2(const char* at, const char* end) {
  if (*at == '\'') {
    const char* contraction = match_contraction(at, end, 0);
    if (contraction != at) return contraction;
  }
  const char* begin = *at == ' ' && at + 1 < end ? at + 1 : at;
  const char* next = begin;
  const std::uint8_t found = next_class(next, end) & kAny;
  return found == kSpace ? match_space(at, end) : skip(next, end, found);
}

const char* match_llama3(const char* at, const char* end, unsigned digits) {
  if (*at == '\'') {
    const char* contraction = match_contraction(at, end, 0x20);
    if (contraction != at) return contraction;
  }
  const char* second = at;
  const std::uint8_t first = next_class(second, end) & kAny;
  if (first == kLetter) return skip(second, end, kLetter);
  if (first == kNumber) {
    const char* cursor = second;
    for (unsigned i = 1; i < digits && cursor < end; ++i) {
      const char* next = cursor;
      if ((next_class(next, end) & kAny) != kNumber) break;
      cursor = next;
    }
    return cursor;
  }
  const char* third = second;
  const std::uint8_t follows = second < end ? next_class(third, end) & kAny : kSpace;
  if (follows == kLetter && !is_line_end(*at)) return skip(third, end, kLetter);
  if (first == 0 || (*at == ' ' && follows == 0)) {
    const char* cursor = skip(second, end, 0);
    while (cursor < end && is_line_end(*cursor)) ++cursor;
    return cursor;
  }
  const char* after_line = at;
  for (const char* cursor = at; cursor < end;) {
    const char* next = cursor;
    if (!(next_class(next, end) & kSpace)) break;
    if (is_line_end(*cursor)) after_line = next;
    cursor = next;
  }
  return after_line != at ? after_line : match_space(at, end);
}

}  // namespace pumice
