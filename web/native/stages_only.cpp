// BERT's WordPiece, left out: what a page with a model of another tokenizer would fetch for nothing. Linked in place of
// its files.
#include "../../core/src/aligned_words.h"
#include "../../core/src/alignment.h"
#include "../../core/src/simd/kernels.h"
#include "../../core/src/worker.h"

namespace pumice {

constexpr pumice_status kAbsent = PUMICE_NO_NATIVE_TOKENIZER;

pumice_status tokenize_wordpiece(pumice_worker&, std::string_view, IdSink&, bool) { return kAbsent; }
void flush_words(pumice_worker&, IdSink&) {}
pumice_status normalize(const BertNormalizer&, const char*, Span, Arena&, AlignedText&) { return kAbsent; }

bool AlignedWords::allocate() { return false; }
pumice_status AlignedWords::read(const AlignedText&, bool&) { return kAbsent; }

namespace simd {
#ifdef __wasm_simd128__
const char* list_words_wasm(const ByteClasses&, const char*, const char* end, WordList&) { return end; }
constexpr FindWords kWasmFind = {nullptr, nullptr};
#else
const char* list_words_portable(const ByteClasses&, const char*, const char* end, WordList&) { return end; }
constexpr FindWords kPortableFind = {nullptr, nullptr};
#endif
}  // namespace simd

}  // namespace pumice
