// Which tokens of a BPE vocabulary are what their own text merges to: the core finds these without merging.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pumice {

// `model` and `vocabulary` are sections as the core reads them; `vocabulary` holds single characters, or is
// empty where the model is byte-level. Throws std::invalid_argument.
std::vector<bool> merges_whole(std::string_view model, std::string_view vocabulary,
                               const std::vector<std::string_view>& texts, const std::vector<std::uint32_t>& ids);

}  // namespace pumice
