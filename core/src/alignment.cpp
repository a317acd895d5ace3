// BERT's normalizer, each byte it leaves with the bytes of the text that it is aligned with in HF tokenizers.
#include "alignment.h"

#include <cstring>

#include "unicode.h"
#include "utf8.h"

namespace pumice {
namespace {

// A code point on its way through the normalizer, and the bytes it is aligned with.
struct Aligned {
  Span source;
  char32_t point;
  std::uint8_t combining_class;  // 0 where accents stay: nothing is sorted then
  bool inserted;                 // by a decomposition, after its first code point
};

struct AlignedPoints {
  Aligned* points = nullptr;
  std::size_t count = 0;
  std::size_t capacity = 0;  // less than `count` where memory ran out

  void push(const Aligned& point) {
    if (count > capacity) return;
    if (count < capacity) points[count] = point;
    ++count;
  }
};

// Clean text, space Chinese, decompose: BERT's normalizer up to the sort of the marks.
pumice_status decompose(const BertNormalizer& normalizer, const char* text, Span segment, AlignedPoints& out) {
  const char* cursor = text + segment.begin;
  const char* end = text + segment.end;
  while (cursor < end) {
    const auto begin = static_cast<std::size_t>(cursor - text);
    const char32_t c = utf8::decode(cursor, end);
    if (c == utf8::kInvalid) return PUMICE_INVALID_UTF8;
    const Span source{begin, static_cast<std::size_t>(cursor - text)};
    const std::uint8_t properties = unicode::properties(c);
    if (normalizer.has(kCleanText) && (properties & unicode::kRemoved)) continue;
    if (normalizer.has(kCleanText) && (properties & unicode::kWhitespace)) {
      out.push({source, U' ', 0, false});
      continue;
    }
    const bool spaced = normalizer.has(kChineseChars) && (properties & unicode::kChinese);
    if (spaced) out.push({source, U' ', 0, false});
    if (normalizer.has(kStripAccents)) {
      char32_t parts[unicode::kMaxDecomposition];
      const unsigned count = unicode::decompose(c, parts);
      for (unsigned i = 0; i < count; ++i) out.push({source, parts[i], unicode::combining_class(parts[i]), i > 0});
    } else {
      out.push({source, c, 0, false});
    }
    if (spaced) out.push({source, U' ', 0, false});
  }
  return PUMICE_OK;
}

// Sorts one run of marks by class, stably; the alignments stay in the order of the text. `before` is what an
// inserted mark shares where no mark of the run as written stands before it.
void sort_run(Aligned* run, std::size_t size, Span before, Aligned* sorted) {
  std::size_t place[256] = {};
  for (std::size_t i = 0; i < size; ++i) ++place[run[i].combining_class];
  std::size_t next = 0;
  for (std::size_t& count : place) {
    const std::size_t begin = next;
    next += count;
    count = begin;
  }
  for (std::size_t i = 0; i < size; ++i) sorted[place[run[i].combining_class]++] = run[i];
  std::size_t written = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (!sorted[i].inserted) {
      while (run[written].inserted) ++written;  // as many are left as `sorted` holds
      before = run[written++].source;
    }
    sorted[i].source = before;
  }
  std::memcpy(run, sorted, size * sizeof(Aligned));
}

pumice_status sort_marks(AlignedPoints& text, Arena& arena) {
  const std::size_t mark = arena.mark();
  for (std::size_t i = 0; i < text.count;) {
    std::size_t end = i;
    while (end < text.count && text.points[end].combining_class != 0) ++end;
    if (end - i > 1) {
      auto* sorted = arena.take<Aligned>(end - i);
      if (sorted == nullptr) return PUMICE_MEMORY_TOO_SMALL;
      sort_run(text.points + i, end - i, text.points[i > 0 ? i - 1 : i].source, sorted);
      arena.reset(mark);
    }
    i = end + 1;
  }
  return PUMICE_OK;
}

// Decomposed and sorted, accents and case still there.
pumice_status align(const BertNormalizer& normalizer, const char* text, Span segment, Arena& arena,
                    AlignedPoints& out) {
  out.capacity = arena.left() / sizeof(Aligned);
  if (out.capacity > 0) --out.capacity;  // what alignment may cost
  out.points = arena.take<Aligned>(out.capacity);
  const pumice_status status = decompose(normalizer, text, segment, out);
  if (status != PUMICE_OK) return status;
  if (out.points == nullptr || out.count > out.capacity) return PUMICE_MEMORY_TOO_SMALL;
  arena.shrink(out.points, out.count);
  return sort_marks(out, arena);
}

// Strips and lower-cases, and hands each code point that is left to `use(point, source)`.
template <class Use>
void map_each(const BertNormalizer& normalizer, const AlignedPoints& text, Use use) {
  for (std::size_t i = 0; i < text.count; ++i) {
    const Aligned& aligned = text.points[i];
    const bool strips = normalizer.has(kStripAccents);
    if (strips && (unicode::properties(aligned.point) & unicode::kNonspacingMark)) continue;
    char32_t lower[unicode::kMaxLowercase] = {aligned.point};
    const unsigned count = normalizer.has(kLowercase) ? unicode::lowercase(aligned.point, lower) : 1;
    for (unsigned j = 0; j < count; ++j) use(lower[j], aligned.source);
  }
}

}  // namespace

pumice_status normalize(const BertNormalizer& normalizer, const char* text, Span segment, Arena& arena,
                        AlignedText& out) {
  AlignedPoints aligned;
  const pumice_status status = align(normalizer, text, segment, arena, aligned);
  if (status != PUMICE_OK) return status;
  std::size_t size = 0;
  char encoded[4];
  map_each(normalizer, aligned, [&](char32_t c, Span) { size += utf8::encode(c, encoded); });
  auto* origins = arena.take<std::uint32_t>(size);
  auto* bytes = arena.take<char>(size);
  if (bytes == nullptr || origins == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  out = {{bytes, size}, origins};
  std::size_t at = 0;
  map_each(normalizer, aligned, [&](char32_t c, Span source) {
    for (unsigned left = utf8::encode(c, bytes + at); left > 0; --left) {
      origins[at++] = static_cast<std::uint32_t>(source.begin);
    }
  });
  return PUMICE_OK;
}

}  // namespace pumice
