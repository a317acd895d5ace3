// Which bytes of a text each token stands for: a second, slow reading, checked against HF tokenizers' offsets.
#pragma once

#include <cstddef>

#include "pumice.h"

namespace pumice {

// The tokens that `tokenize` gives, with their spans. Writes at most `capacity`; `count` is how many there are.
// The text's normalised form lives in the worker's arena: PUMICE_MEMORY_TOO_SMALL where that ends.
pumice_status token_spans(pumice_worker& worker, const char* text, std::size_t size, pumice_token* tokens,
                          std::size_t capacity, std::size_t& count);

}  // namespace pumice
