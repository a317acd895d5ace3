// Words a byte or a block at a time, without instructions of their own: the oracle of the other kernel.
#include "instructions.h"
#include "word_blocks.h"

namespace pumice::simd {

const char* list_words_portable(const ByteClasses& classes, const char* at, const char* end, WordList& list) {
  ScalarBlock block(classes, classify_portable);
  return list_words(block, at, end, list);
}

#if defined(PUMICE_NEON)
const char* list_words_neon(const ByteClasses& classes, const char* at, const char* end, WordList& list) {
  ScalarBlock block(classes, classify_neon);
  return list_words(block, at, end, list);
}
#endif

}  // namespace pumice::simd
