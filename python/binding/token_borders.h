// Which tokens of a BPE vocabulary may merge across a border, for the core to see at a glance that most do not.
#pragma once

#include <string_view>
#include <vector>

#include "bpe_longest.h"

namespace pumice {

// The section that docs/format.md calls token borders, of those called model and token parts, as the core reads them:
// each token's time is above those of its left and right. Throws std::invalid_argument.
std::vector<TokenBorders> token_borders(std::string_view model, std::string_view parts);

}  // namespace pumice
