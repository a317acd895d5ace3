// normalizer.json's steps over a text.
#include "general.h"

namespace pumice {

pumice_status normalize(const pumice_model&, std::string_view text, Arena&, std::string_view& normalized) {
  normalized = text;
  return PUMICE_OK;
}

pumice_status check_normalizer(const Section& section) { return section.size == 0 ? PUMICE_OK : PUMICE_BAD_SECTION; }

}  // namespace pumice
