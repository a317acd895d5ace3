// What a text must be, and where it is cut after the code points that a model reads.
#include "worker.h"

#include "utf8.h"

namespace pumice {

std::size_t cut_chars(const char* text, std::size_t size, std::uint32_t max_chars) {
  if (max_chars == kNone || size <= max_chars) return size;
  std::uint32_t chars = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts && chars++ == max_chars) return i;
  }
  return size;
}

bool is_utf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::uint64_t eight;
    if (end - at >= 8 && (std::memcpy(&eight, at, 8), (eight & 0x8080808080808080u) == 0)) {
      at += 8;
    } else if (utf8::decode(at, end) == utf8::kInvalid) {
      return false;
    }
  }
  return true;
}

}  // namespace pumice
