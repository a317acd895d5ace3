// A part of a string_view without the exception that substr throws, which the core may not.
#pragma once

#include <cstddef>
#include <string_view>

namespace pumice {

// As much of `text` as there is of the `count` bytes from `at` on.
inline std::string_view slice(std::string_view text, std::size_t at, std::size_t count = std::string_view::npos) {
  if (at >= text.size()) return {};
  const std::size_t left = text.size() - at;
  return {text.data() + at, count < left ? count : left};
}

}  // namespace pumice
