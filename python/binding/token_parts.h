// What the tokens of a BPE vocabulary are merged of: the core finds those that merge whole without merging.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pumice {

// Three numbers a token, those of the section that docs/format.md calls token parts: left, right, time. `model` and
// `vocabulary` are sections as the core reads them; `vocabulary` holds single characters, or is empty where the model
// is byte-level. Of a token of more than 256 bytes that merges whole they are none, none and 1. Throws
// std::invalid_argument.
std::vector<std::uint32_t> token_parts(std::string_view model, std::string_view vocabulary,
                                       const std::vector<std::string_view>& texts,
                                       const std::vector<std::uint32_t>& ids);

}  // namespace pumice
