// NFC, NFD, NFKC and NFKD: runs of text that a form leaves alone are copied, the rest is taken apart.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "normal_forms.h"
#include "normalizer_steps.h"
#include "text_writer.h"
#include "unicode.h"

namespace pumice {
namespace {

struct Form {
  bool compatible;
  bool composed;
};

// False where the code point stays as it is, and nothing on one side of it looks at the other side.
inline bool changes(Form form, char32_t c) {
  if (c < 0x80) return false;
  const std::uint8_t bits = unicode::kForms[c];
  if (form.compatible && (bits & unicode::kCompatibility)) return true;
  if (form.composed) return (bits & unicode::kRecomposes) != 0;
  return (unicode::properties(c) & (unicode::kDecomposes | unicode::kCombines)) != 0;
}

unsigned decompose(Form form, char32_t c, char32_t* out) {
  if (c < 0x80) return *out = c, 1;
  const bool compatible = form.compatible && (unicode::kForms[c] & unicode::kCompatibility);
  return compatible ? unicode::decompose_compatible(c, out) : unicode::decompose(c, out);
}

// Hands what stays to `on_same(text)` and the rest to `on_segment(text)`; false where it is not UTF-8. A
// segment of a composed form begins with the unchanged code point that what follows may join.
template <class OnSame, class OnSegment>
bool cut_segments(Form form, std::string_view text, OnSame on_same, OnSegment on_segment) {
  const char* end = text.data() + text.size();
  const char* done = text.data();
  const char* previous = done;
  const auto between = [](const char* a, const char* b) {
    return std::string_view(a, static_cast<std::size_t>(b - a));
  };
  for (const char* cursor = done; cursor < end;) {
    for (std::uint64_t eight; end - cursor >= 8; cursor += 8) {  // no form changes ASCII
      std::memcpy(&eight, cursor, 8);
      if ((eight & 0x8080808080808080u) != 0) break;
      previous = cursor + 7;
    }
    if (cursor == end) break;
    const char* at = cursor;
    char32_t c = utf8::decode(cursor, end);
    if (c == utf8::kInvalid) return false;
    if (!changes(form, c)) {
      previous = at;
      continue;
    }
    const char* begin = form.composed ? previous : at;
    const char* segment_end = cursor;
    while (cursor < end) {
      c = utf8::decode(cursor, end);
      if (c == utf8::kInvalid) return false;
      if (!changes(form, c)) break;
      segment_end = cursor;
    }
    on_same(between(done, begin));
    on_segment(between(begin, segment_end));
    done = previous = cursor = segment_end;
  }
  on_same(between(done, end));
  return true;
}

// A code point with its combining class above it, so that sorting needs no second look-up.
constexpr unsigned kClassShift = 24;
constexpr char32_t kPointMask = (1u << kClassShift) - 1;
constexpr std::size_t kLongRun = 32;

// Stable, by class; linear for the long runs that only hostile text has.
void sort_run(char32_t* run, std::size_t size, char32_t* scratch) {
  if (size < kLongRun) {
    for (std::size_t i = 1; i < size; ++i) {
      const char32_t moved = run[i];
      std::size_t place = i;
      for (; place > 0 && run[place - 1] >> kClassShift > moved >> kClassShift; --place) run[place] = run[place - 1];
      run[place] = moved;
    }
    return;
  }
  std::size_t starts[257] = {};
  for (std::size_t i = 0; i < size; ++i) ++starts[(run[i] >> kClassShift) + 1];
  for (std::size_t i = 1; i < 257; ++i) starts[i] += starts[i - 1];
  for (std::size_t i = 0; i < size; ++i) scratch[starts[run[i] >> kClassShift]++] = run[i];
  std::copy(scratch, scratch + size, run);
}

// Unicode, section 3.11, D117: each is taken in by the last starter unless something between blocks it.
std::size_t compose_points(char32_t* points, std::size_t size) {
  std::size_t out = 0;
  std::size_t starter = 0;
  bool has_starter = false;
  for (std::size_t i = 0; i < size; ++i) {
    const char32_t next_class = points[i] >> kClassShift;
    if (has_starter && (out == starter + 1 || points[out - 1] >> kClassShift < next_class)) {
      const char32_t composed = unicode::compose(points[starter], points[i] & kPointMask);
      if (composed != 0) {
        points[starter] = composed;
        continue;
      }
    }
    if (next_class == 0) {
      starter = out;
      has_starter = true;
    }
    points[out++] = points[i];
  }
  return out;
}

void put_segment(Form form, std::string_view text, char32_t* points, char32_t* scratch, TextWriter& writer) {
  std::size_t size = 0;
  const char* end = text.data() + text.size();
  for (const char* cursor = text.data(); cursor < end;) {
    const unsigned length = decompose(form, utf8::decode(cursor, end), points + size);
    for (unsigned i = 0; i < length; ++i, ++size) {
      points[size] |= static_cast<char32_t>(unicode::combining_class(points[size])) << kClassShift;
    }
  }
  for (std::size_t i = 0; i < size;) {
    std::size_t run = i;
    while (run < size && points[run] >> kClassShift != 0) ++run;
    if (run - i > 1) sort_run(points + i, run - i, scratch);
    i = run + 1;
  }
  if (form.composed) size = compose_points(points, size);
  for (std::size_t i = 0; i < size; ++i) writer.put(points[i] & kPointMask);
}

}  // namespace

pumice_status to_normal_form(bool compatible, bool composed, Arena& arena, std::string_view& text) {
  const Form form{compatible, composed};
  std::size_t longest = 0;
  const std::size_t most = arena.left();  // counting beyond it could overflow on a 32-bit machine
  const bool valid = cut_segments(
      form, text, [](std::string_view) {},
      [&](std::string_view segment) {
        std::size_t size = 0;
        char32_t parts[unicode::kMaxCompatible];
        const char* end = segment.data() + segment.size();
        for (const char* cursor = segment.data(); cursor < end && size <= most;) {
          size += decompose(form, utf8::decode(cursor, end), parts);
        }
        longest = std::max(longest, size);
      });
  if (!valid) return PUMICE_INVALID_UTF8;
  if (longest == 0) return PUMICE_OK;
  auto* points = arena.take<char32_t>(longest);
  auto* scratch = arena.take<char32_t>(longest);
  if (points == nullptr || scratch == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  TextWriter writer(arena);
  cut_segments(
      form, text, [&](std::string_view same) { writer.put(same); },
      [&](std::string_view segment) { put_segment(form, segment, points, scratch, writer); });
  if (writer.full()) return PUMICE_MEMORY_TOO_SMALL;
  text = writer.finish();
  return PUMICE_OK;
}

}  // namespace pumice
