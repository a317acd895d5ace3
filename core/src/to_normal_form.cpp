// NFC, NFD, NFKC and NFKD: runs of text that a form leaves alone are copied, the rest is taken apart.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "aligned_text.h"
#include "normal_forms.h"
#include "normalizer_steps.h"
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

// The same beside how many code points of the text it is for: the library aligns one that is for some with the first
// of those that are next in the text, and one that is for none with the last before. Sorting moves the points and
// their counts, not the text.
struct CountedPoint {
  char32_t point;
  std::uint32_t taken;
};

inline char32_t& point_of(char32_t& point) { return point; }
inline char32_t& point_of(CountedPoint& point) { return point.point; }
inline char32_t class_of(char32_t point) { return point >> kClassShift; }
inline char32_t class_of(const CountedPoint& point) { return point.point >> kClassShift; }

template <class Text>
using PointOf = std::conditional_t<kAligned<Text>, CountedPoint, char32_t>;

// Stable, by class; linear for the long runs that only hostile text has.
template <class Point>
void sort_run(Point* run, std::size_t size, Point* scratch) {
  if (size < kLongRun) {
    for (std::size_t i = 1; i < size; ++i) {
      const Point moved = run[i];
      std::size_t place = i;
      for (; place > 0 && class_of(run[place - 1]) > class_of(moved); --place) run[place] = run[place - 1];
      run[place] = moved;
    }
    return;
  }
  std::size_t starts[257] = {};
  for (std::size_t i = 0; i < size; ++i) ++starts[class_of(run[i]) + 1];
  for (std::size_t i = 1; i < 257; ++i) starts[i] += starts[i - 1];
  for (std::size_t i = 0; i < size; ++i) scratch[starts[class_of(run[i])]++] = run[i];
  std::copy(scratch, scratch + size, run);
}

// Unicode, section 3.11, D117: each is taken in by the last starter unless something between blocks it.
template <class Point>
std::size_t compose_points(Point* points, std::size_t size) {
  std::size_t out = 0;
  std::size_t starter = 0;
  bool has_starter = false;
  for (std::size_t i = 0; i < size; ++i) {
    const char32_t next_class = class_of(points[i]);
    if (has_starter && (out == starter + 1 || class_of(points[out - 1]) < next_class)) {
      const char32_t composed = unicode::compose(point_of(points[starter]), point_of(points[i]) & kPointMask);
      if (composed != 0) {
        point_of(points[starter]) = composed;
        if constexpr (std::is_same_v<Point, CountedPoint>) points[starter].taken += points[i].taken;
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

// Writes the points of a segment, whose code points they are aligned with. `begin` is where all of the text does.
inline void put_points(const char32_t* points, std::size_t size, std::string_view segment, const char*,
                       TextWriter& writer) {
  for (std::size_t i = 0; i < size; ++i) writer.put(points[i] & kPointMask, segment.data());
}

void put_points(const CountedPoint* points, std::size_t size, std::string_view segment, const char* begin,
                AlignedWriter& writer) {
  const char* const end = segment.data() + segment.size();
  const char* next = segment.data();
  const char* last = next > begin ? next - 1 : next;
  for (std::size_t i = 0; i < size; ++i) {
    std::uint32_t taken = points[i].taken;
    const char* const at = taken == 0 ? last : next;
    for (; taken > 0 && next < end; --taken) {
      last = next;
      utf8::decode(next, end);
    }
    writer.put(points[i].point & kPointMask, at);
  }
}

template <class Point, class Writer>
void put_segment(Form form, std::string_view segment, const char* begin, Point* points, Point* scratch,
                 Writer& writer) {
  std::size_t size = 0;
  const char* end = segment.data() + segment.size();
  char32_t parts[unicode::kMaxCompatible];
  for (const char* cursor = segment.data(); cursor < end;) {
    const unsigned length = decompose(form, utf8::decode(cursor, end), parts);
    for (unsigned i = 0; i < length; ++i, ++size) {
      point_of(points[size]) = parts[i] | static_cast<char32_t>(unicode::combining_class(parts[i])) << kClassShift;
      if constexpr (std::is_same_v<Point, CountedPoint>) points[size].taken = i == 0;
    }
  }
  for (std::size_t i = 0; i < size;) {
    std::size_t run = i;
    while (run < size && class_of(points[run]) != 0) ++run;
    if (run - i > 1) sort_run(points + i, run - i, scratch);
    i = run + 1;
  }
  if (form.composed) size = compose_points(points, size);
  put_points(points, size, segment, begin, writer);
}

}  // namespace

template <class Text>
pumice_status to_normal_form(bool compatible, bool composed, Arena& arena, Text& text) {
  const std::string_view read = bytes_of(text);
  const Form form{compatible, composed};
  std::size_t longest = 0;
  const std::size_t most = arena.left();  // counting beyond it could overflow on a 32-bit machine
  const bool valid = cut_segments(
      form, read, [](std::string_view) {},
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
  auto* points = arena.take<PointOf<Text>>(longest);
  auto* scratch = arena.take<PointOf<Text>>(longest);
  if (points == nullptr || scratch == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  WriterOf<Text> writer(arena, text);
  cut_segments(
      form, read, [&](std::string_view same) { writer.copy(same); },
      [&](std::string_view segment) { put_segment(form, segment, read.data(), points, scratch, writer); });
  if (writer.full()) return PUMICE_MEMORY_TOO_SMALL;
  text = writer.finish();
  return PUMICE_OK;
}

template pumice_status to_normal_form(bool, bool, Arena&, std::string_view&);
template pumice_status to_normal_form(bool, bool, Arena&, AlignedText&);

}  // namespace pumice
