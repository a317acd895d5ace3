// Normalizer steps that put one text for another: Replace, Prepend and Strip.
#include "aligned_text.h"
#include "general.h"
#include "normalizer_steps.h"
#include "slice.h"
#include "unicode.h"

namespace pumice {
namespace {

std::uint32_t number(const std::uint8_t* bytes) {
  std::uint32_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

std::string_view rest(const Step& step, std::size_t from) {
  return {reinterpret_cast<const char*>(step.data) + from, step.size - from};
}

bool is_whitespace(char32_t c) { return (unicode::properties(c) & unicode::kWhitespace) != 0; }

// The last code point of UTF-8 text, and where it begins.
char32_t last_point(std::string_view text, std::size_t& begin) {
  begin = text.size() - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  const char* cursor = text.data() + begin;
  return utf8::decode(cursor, text.data() + text.size());
}

}  // namespace

ReplaceStep replace_step(const Step& step) {
  const std::uint32_t size = number(step.data);
  return {slice(rest(step, 4), 0, size), rest(step, 4 + size)};
}

ReplaceRunStep replace_run_step(const Step& step) { return {number(step.data), number(step.data + 4), rest(step, 8)}; }

bool collapses_spaces(const Step& step) {
  if (step.operation != kReplaceRunStep) return false;
  const ReplaceRunStep parts = replace_run_step(step);
  return (parts.wanted == ' ' || parts.wanted == kAnyWhitespace) && parts.least <= 2 && parts.content == " ";
}

// What comes for a match is aligned with the match's last character.
template <class Text>
pumice_status replace(const Step& step, Arena& arena, Text& text) {
  const auto [pattern, content] = replace_step(step);
  const std::string_view read = bytes_of(text);
  std::size_t at = read.find(pattern);
  if (at == std::string_view::npos) return PUMICE_OK;
  WriterOf<Text> writer(arena, text);
  std::size_t done = 0;
  for (; at != std::string_view::npos && !writer.full(); at = read.find(pattern, done)) {
    writer.copy(slice(read, done, at - done));
    done = at + pattern.size();
    writer.put(content, read.data() + done - 1);
  }
  writer.copy(slice(read, done));
  if (writer.full()) return PUMICE_MEMORY_TOO_SMALL;
  text = writer.finish();
  return PUMICE_OK;
}

template <class Text>
pumice_status replace_runs(const Step& step, Arena& arena, Text& text) {
  const ReplaceRunStep parts = replace_run_step(step);
  const char32_t wanted = parts.wanted;
  const std::uint32_t least = parts.least;
  const std::string_view content = parts.content;
  const std::string_view read = bytes_of(text);
  WriterOf<Text> writer(arena, text);
  const char* end = read.data() + read.size();
  const char* run = read.data();  // where the run of wanted code points that ends here began
  std::uint32_t length = 0;
  const auto end_run = [&](const char* at) {
    if (length >= least) {
      writer.put(content, at - 1);
    } else {
      writer.copy(std::string_view(run, static_cast<std::size_t>(at - run)));
    }
    length = 0;
  };
  for (const char* cursor = read.data(); cursor < end && !writer.full();) {
    const char* at = cursor;
    const char32_t c = utf8::decode(cursor, end);
    if (c == utf8::kInvalid) return PUMICE_INVALID_UTF8;
    if (wanted == kAnyWhitespace ? is_whitespace(c) : c == wanted) {
      if (length == 0) run = at;
      if (length < least) ++length;
      continue;
    }
    if (length != 0) end_run(at);
    writer.copy(std::string_view(at, static_cast<std::size_t>(cursor - at)));
  }
  if (length != 0) end_run(end);
  if (writer.full()) return PUMICE_MEMORY_TOO_SMALL;
  text = writer.finish();
  return PUMICE_OK;
}

template <class Text>
pumice_status prepend(const Step& step, Arena& arena, Text& text) {
  const std::string_view read = bytes_of(text);
  if (read.empty()) return PUMICE_OK;
  WriterOf<Text> writer(arena, text);
  writer.put(rest(step, 0), read.data());
  writer.copy(read);
  if (writer.full()) return PUMICE_MEMORY_TOO_SMALL;
  text = writer.finish();
  return PUMICE_OK;
}

template <class Text>
pumice_status strip(bool left, bool right, Text& text) {
  std::string_view kept = bytes_of(text);
  while (left && !kept.empty()) {
    const char* cursor = kept.data();
    const char32_t c = utf8::decode(cursor, kept.data() + kept.size());
    if (c == utf8::kInvalid) return PUMICE_INVALID_UTF8;
    if (!is_whitespace(c)) break;
    kept.remove_prefix(static_cast<std::size_t>(cursor - kept.data()));
  }
  while (right && !kept.empty()) {
    std::size_t begin = 0;
    const char32_t c = last_point(kept, begin);
    if (c == utf8::kInvalid) return PUMICE_INVALID_UTF8;
    if (!is_whitespace(c)) break;
    kept.remove_suffix(kept.size() - begin);
  }
  text = part_of(text, kept);
  return PUMICE_OK;
}

template pumice_status replace(const Step&, Arena&, std::string_view&);
template pumice_status replace(const Step&, Arena&, AlignedText&);
template pumice_status replace_runs(const Step&, Arena&, std::string_view&);
template pumice_status replace_runs(const Step&, Arena&, AlignedText&);
template pumice_status prepend(const Step&, Arena&, std::string_view&);
template pumice_status prepend(const Step&, Arena&, AlignedText&);
template pumice_status strip(bool, bool, std::string_view&);
template pumice_status strip(bool, bool, AlignedText&);

bool is_replace(const Step& step) {
  if (step.size <= 4) return false;
  const std::uint32_t pattern = number(step.data);
  return pattern != 0 && pattern <= kLongestPattern && pattern <= step.size - 4;
}

bool is_replace_run(const Step& step) { return step.size >= 8 && number(step.data + 4) != 0; }

}  // namespace pumice
