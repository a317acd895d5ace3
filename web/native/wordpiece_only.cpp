// The stages of other tokenizers than BERT's, left out: three quarters of the code and tables that a page would fetch
// for nothing. Linked in place of their files; whoever has a model of another tokenizer takes the whole core.
#include "../../core/src/aligned_text.h"
#include "../../core/src/general.h"
#include "../../core/src/normalizer_steps.h"
#include "../../core/src/split_patterns.h"

namespace pumice {

constexpr pumice_status kAbsent = PUMICE_NO_NATIVE_TOKENIZER;

pumice_status bpe(const pumice_model&, std::string_view, Arena&, Ids&, bool) { return kAbsent; }
pumice_status unigram(const pumice_model&, std::string_view, Arena&, Ids&, bool) { return kAbsent; }
pumice_status word_level(const pumice_model&, std::string_view, Arena&, Ids&, bool) { return kAbsent; }
pumice_status normalize_word(const pumice_model&, WordPlace, Arena&, std::string_view&, bool&) { return kAbsent; }

template <class Text>
pumice_status normalize(const pumice_model&, Text&, Arena&) {
  return kAbsent;
}
template <class Text>
pumice_status pre_tokenize(const pumice_model&, Text&, bool, Arena&, Pieces&) {
  return kAbsent;
}
template <class Text>
pumice_status map_code_points(std::uint32_t, Arena&, Text&) {
  return kAbsent;
}
template <class Text>
pumice_status to_normal_form(bool, bool, Arena&, Text&) {
  return kAbsent;
}
template pumice_status normalize(const pumice_model&, std::string_view&, Arena&);
template pumice_status normalize(const pumice_model&, AlignedText&, Arena&);
template pumice_status pre_tokenize(const pumice_model&, std::string_view&, bool, Arena&, Pieces&);
template pumice_status pre_tokenize(const pumice_model&, AlignedText&, bool, Arena&, Pieces&);
template pumice_status map_code_points(std::uint32_t, Arena&, std::string_view&);
template pumice_status to_normal_form(bool, bool, Arena&, std::string_view&);

// The words that a pattern finds are handed to the model above, which refuses them.
const char* match_gpt2(const char*, const char* end) { return end; }
const char* match_llama3(const char*, const char* end, unsigned) { return end; }
const char* match_letters(const char*, const char* end) { return end; }

// Such a file opens, so that its parameters can be read.
WordRoute word_route(const pumice_model&) { return {}; }
pumice_status check_normalizer(const Section&) { return PUMICE_OK; }
pumice_status check_pre_tokenizer(const Section&) { return PUMICE_OK; }
pumice_status check_unigram(const pumice_model&) { return PUMICE_OK; }
pumice_status check_bpe(const pumice_model&) { return PUMICE_OK; }

}  // namespace pumice
