// Words one after the other with the bit instructions that come with AVX2.
#include "instructions.h"

#ifdef PUMICE_X86
#include <bit>
#include <cstring>

#include "list_words.h"

PUMICE_BEGIN_AVX2

#include "word_blocks.h"

namespace pumice::simd {

const char* list_words_avx2(const ByteClasses& classes, const char* at, const char* end, WordList& list) {
  ScalarBlock block(classes, classify_avx2);
  return list_words(block, at, end, list);
}

}  // namespace pumice::simd

PUMICE_END
#endif
