// BERT's normalizer, each byte it leaves with the bytes of the text that it is aligned with in HF tokenizers.
//
// Deleting a code point, mapping it and lower-casing it keep its alignment; what it expands to shares it. One
// rule is odd: sorting combining marks moves the marks and leaves the alignments where they were, so the n-th
// mark of a run is aligned with the n-th one as written. Hence the run is sorted whole here, also the marks
// that are then dropped, which the hot path never stores.
#pragma once

#include "aligned_text.h"
#include "arena.h"
#include "normalizer.h"
#include "pumice.h"

namespace pumice {

// The bytes `segment` of a text; all that is left of the arena may be taken for it. PUMICE_MEMORY_TOO_SMALL or
// PUMICE_INVALID_UTF8 where that fails.
pumice_status normalize(const BertNormalizer& normalizer, const char* text, Span segment, Arena& arena,
                        AlignedText& out);

}  // namespace pumice
