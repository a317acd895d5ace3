// The stages of other tokenizers than BERT's, left out: code and tables that a page with a WordPiece model would fetch
// for nothing. Linked in place of their files.
#include "../../core/src/aligned_text.h"
#include "../../core/src/general.h"
#include "../../core/src/normal_forms.h"
#include "../../core/src/worker.h"

namespace pumice {

constexpr pumice_status kAbsent = PUMICE_NO_NATIVE_TOKENIZER;

pumice_status tokenize_stages(pumice_worker&, std::string_view, TokenStream&) { return kAbsent; }
pumice_status bpe(const pumice_model&, std::string_view, Arena&, Ids&, bool) { return kAbsent; }
pumice_status unigram(const pumice_model&, std::string_view, Arena&, Ids&, bool) { return kAbsent; }
pumice_status word_level(const pumice_model&, std::string_view, Arena&, Ids&, bool) { return kAbsent; }

template <class Text>
pumice_status normalize(const pumice_model&, Text&, Arena&) {
  return kAbsent;
}
template <class Text>
pumice_status pre_tokenize(const pumice_model&, Text&, bool, Arena&, Pieces&) {
  return kAbsent;
}
template pumice_status normalize(const pumice_model&, AlignedText&, Arena&);
template pumice_status pre_tokenize(const pumice_model&, AlignedText&, bool, Arena&, Pieces&);

// Such a file opens, so that its parameters can be read.
WordRoute word_route(const pumice_model&) { return {}; }
pumice_status check_normalizer(const Section&) { return PUMICE_OK; }
pumice_status check_pre_tokenizer(const Section&) { return PUMICE_OK; }
pumice_status check_unigram(const pumice_model&) { return PUMICE_OK; }
pumice_status check_bpe(const pumice_model&) { return PUMICE_OK; }

// BERT's normalizer knows NFD alone.
namespace unicode {
constexpr std::uint32_t kNoForms[] = {0};
const CodePointTable kForms = {0, 0, nullptr, nullptr, kNoForms, 1};
unsigned decompose_compatible(char32_t point, char32_t out[kMaxCompatible]) { return *out = point, 1; }
char32_t compose(char32_t, char32_t) { return 0; }
}  // namespace unicode

}  // namespace pumice
