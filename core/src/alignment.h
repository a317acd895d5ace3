// BERT's normalizer, each byte it leaves with the bytes of the text that it is aligned with in HF tokenizers.
//
// Deleting a code point, mapping it and lower-casing it keep its alignment; what it expands to shares it. One
// rule is odd: sorting combining marks moves the marks and leaves the alignments where they were, so the n-th
// mark of a run is aligned with the n-th one as written. Hence the run is sorted whole here, also the marks
// that are then dropped, which the hot path never stores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "arena.h"
#include "normalizer.h"
#include "pumice.h"

namespace pumice {

struct Span {
  std::size_t begin;
  std::size_t end;
};

// A text as the normalizer leaves it, and what each of its bytes is aligned with.
struct NormalizedText {
  char* bytes = nullptr;
  Span* sources = nullptr;
  std::size_t size = 0;

  std::string_view text() const { return {bytes, size}; }
  Span source(const char* at) const { return sources[at - bytes]; }
  Span source(std::string_view part) const {
    return {source(part.data()).begin, source(part.data() + part.size() - 1).end};
  }
};

// The bytes `segment` of a text; all that is left of the arena may be taken for it. PUMICE_MEMORY_TOO_SMALL or
// PUMICE_INVALID_UTF8 where that fails.
pumice_status normalize(const BertNormalizer& normalizer, const char* text, Span segment, Arena& arena,
                        NormalizedText& out);

}  // namespace pumice
