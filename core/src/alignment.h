// BERT's normalizer, each code point with the bytes of the text that it is aligned with in HF tokenizers.
//
// Deleting a code point, mapping it and lower-casing it keep its alignment; what it expands to shares it. One
// rule is odd: sorting combining marks moves the marks and leaves the alignments where they were, so the n-th
// mark of a run is aligned with the n-th one as written. Hence the run is sorted whole here, also the marks
// that are then dropped, which the hot path never stores.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arena.h"
#include "normalizer.h"
#include "pumice.h"

namespace pumice {

struct Span {
  std::size_t begin;
  std::size_t end;
};

// A code point of the normalised text and the bytes it is aligned with.
struct Aligned {
  Span source;
  char32_t point;
  std::uint8_t combining_class;  // 0 where accents stay: nothing is sorted then
  bool inserted;                 // by a decomposition, after its first code point
};

struct AlignedText {
  Aligned* points = nullptr;
  std::size_t count = 0;
  std::size_t capacity = 0;  // less than `count` where memory ran out

  void push(const Aligned& point) {
    if (count > capacity) return;
    if (count < capacity) points[count] = point;
    ++count;
  }
};

// The bytes `segment` of a text, decomposed and sorted, accents and case still there; all that is left of the
// arena may be taken for it. PUMICE_MEMORY_TOO_SMALL or PUMICE_INVALID_UTF8 where that fails.
pumice_status align(const BertNormalizer& normalizer, const char* text, Span segment, Arena& arena, AlignedText& out);

}  // namespace pumice
