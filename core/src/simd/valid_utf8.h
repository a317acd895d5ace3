// Whether a text is UTF-8, 32 bytes at a time.
#pragma once

#include <cstddef>

namespace pumice::simd {

// The same answer as is_utf8, which is what processors without a kernel have.
using ValidUtf8 = bool (*)(const char* text, std::size_t size);

bool valid_utf8_avx2(const char* text, std::size_t size);

}  // namespace pumice::simd
