// Runs a normalizer section over one text, for the added tokens that are looked for in normalised text.
#pragma once

#include <string>
#include <string_view>

namespace pumice {

// `program` is a section as the core reads it. Throws std::invalid_argument.
std::string normalized(std::string_view program, std::string_view text);

}  // namespace pumice
