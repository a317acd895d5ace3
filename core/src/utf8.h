// Strict UTF-8: overlong forms, surrogates and values past U+10FFFF are refused (Unicode 15, table 3-7).
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice::utf8 {

inline constexpr char32_t kInvalid = 0xFFFFFFFFu;

// Decodes the code point at `cursor` and moves past it; kInvalid, without moving, where there is none.
inline char32_t decode(const char*& cursor, const char* end) {
  const auto* p = reinterpret_cast<const unsigned char*>(cursor);
  const std::size_t left = static_cast<std::size_t>(end - cursor);
  const auto continues = [](unsigned char b) { return (b & 0xC0) == 0x80; };
  const unsigned char a = p[0];
  if (a < 0x80) {
    cursor += 1;
    return a;
  }
  if (a < 0xE0) {
    if (a < 0xC2 || left < 2 || !continues(p[1])) return kInvalid;
    cursor += 2;
    return static_cast<char32_t>((a & 0x1F) << 6 | (p[1] & 0x3F));
  }
  if (a < 0xF0) {
    if (left < 3 || !continues(p[1]) || !continues(p[2])) return kInvalid;
    const auto c = static_cast<char32_t>((a & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F));
    if (c < 0x800 || (c >= 0xD800 && c <= 0xDFFF)) return kInvalid;
    cursor += 3;
    return c;
  }
  if (a > 0xF4 || left < 4 || !continues(p[1]) || !continues(p[2]) || !continues(p[3])) return kInvalid;
  const auto c = static_cast<char32_t>((a & 0x07) << 18 | (p[1] & 0x3F) << 12 | (p[2] & 0x3F) << 6 | (p[3] & 0x3F));
  if (c < 0x10000 || c > 0x10FFFF) return kInvalid;
  cursor += 4;
  return c;
}

// Writes a valid code point; returns how many bytes (1 to 4).
inline unsigned encode(char32_t c, char* out) {
  if (c < 0x80) {
    out[0] = static_cast<char>(c);
    return 1;
  }
  if (c < 0x800) {
    out[0] = static_cast<char>(0xC0 | c >> 6);
    out[1] = static_cast<char>(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = static_cast<char>(0xE0 | c >> 12);
    out[1] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out[2] = static_cast<char>(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = static_cast<char>(0xF0 | c >> 18);
  out[1] = static_cast<char>(0x80 | (c >> 12 & 0x3F));
  out[2] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
  out[3] = static_cast<char>(0x80 | (c & 0x3F));
  return 4;
}

}  // namespace pumice::utf8
