// Unigram.
#include "general.h"

namespace pumice {

pumice_status unigram(const pumice_model&, std::string_view, Arena&, Ids&) { return PUMICE_NO_NATIVE_TOKENIZER; }
pumice_status check_unigram(const pumice_model&) { return PUMICE_BAD_SECTION; }

}  // namespace pumice
