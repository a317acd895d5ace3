// Is a text UTF-8? The slow and obvious way, to hold core/src/utf8.h to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pumice::fuzz {

// Reads the bits of a sequence, then asks whether they are a code point that needs exactly so many bytes.
inline bool is_utf8(std::string_view text) {
  constexpr std::uint32_t kFirstOfLength[] = {0, 0x80, 0x800, 0x10000, 0x110000};
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80             ? 1
                               : (lead & 0xE0) == 0xC0 ? 2
                               : (lead & 0xF0) == 0xE0 ? 3
                               : (lead & 0xF8) == 0xF0 ? 4
                                                       : 0;
    if (length == 0 || length > text.size() - at) return false;
    std::uint32_t point = length == 1 ? lead : lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      if ((next & 0xC0) != 0x80) return false;
      point = point << 6 | (next & 0x3F);
    }
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (point < kFirstOfLength[length - 1] || point >= kFirstOfLength[length] || surrogate) return false;
    at += length;
  }
  return true;
}

}  // namespace pumice::fuzz
