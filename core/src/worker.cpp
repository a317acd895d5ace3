// What a text must be, and where it is cut after the code points that a model reads.
#include "worker.h"

#include <bit>

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

namespace {

// How many bytes from the first on are characters and valid, as far as that is seen without making code points of
// them; 0: it is not. The bytes are in the order of the text, the first lowest.
unsigned valid_bytes(std::uint64_t eight) {
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  if ((eight & 0x80) == 0) return (eight & kHigh) == 0 ? 8 : static_cast<unsigned>(std::countr_zero(eight & kHigh)) / 8;
  const bool two = (eight & 0xC0E0) == 0x80C0 && (eight & 0x1E) != 0;  // not overlong
  if (two) return 2;
  const std::uint64_t top = eight & 0x200F;                                        // the five highest bits of sixteen
  const bool three = (eight & 0xC0C0F0) == 0x8080E0 && top != 0 && top != 0x200D;  // nor a surrogate
  return three ? 3 : 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    if (end - at >= 8) {
      std::uint64_t eight;
      std::memcpy(&eight, at, 8);
      const unsigned valid = valid_bytes(eight);
      at += valid;
      if (valid != 0) continue;
    }
    if (utf8::decode(at, end) == utf8::kInvalid) return false;
  }
  return true;
}

}  // namespace pumice
