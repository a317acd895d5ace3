// Unicode look-ups at the edges of their tables; tests/parity compares every code point with HF tokenizers.
#include "../src/unicode.h"

#include <cstdio>
#include <initializer_list>

#include "../src/graphemes.h"
#include "../src/normal_forms.h"
#include "../src/utf8.h"
#include "../src/worker.h"

namespace unicode = pumice::unicode;

static int failures = 0;

#define CHECK(condition) ((condition) ? void() : void((++failures, std::printf("line %d: %s\n", __LINE__, #condition))))

using Points = std::initializer_list<char32_t>;

static bool equal(const char32_t* found, unsigned count, Points expected) {
  if (count != expected.size()) return false;
  for (char32_t point : expected) {
    if (*found++ != point) return false;
  }
  return true;
}

static bool decomposes(char32_t point, Points expected) {
  char32_t out[unicode::kMaxDecomposition];
  return equal(out, unicode::decompose(point, out), expected);
}

static bool lowercases(char32_t point, Points expected) {
  char32_t out[unicode::kMaxLowercase];
  return equal(out, unicode::lowercase(point, out), expected);
}

static bool decomposes_compatibly(char32_t point, Points expected) {
  char32_t out[unicode::kMaxCompatible];
  return equal(out, unicode::decompose_compatible(point, out), expected);
}

static unsigned cluster_length(Points points) {
  unicode::GraphemeCluster cluster(*points.begin());
  unsigned length = 1;
  while (length < points.size() && cluster.take(points.begin()[length])) ++length;
  return length;
}

// Every three bytes of which the first is none of ASCII, in a text long enough for many to be looked at together.
static bool validates_as_it_decodes() {
  char text[] = "???, then more than eight";
  const std::string_view whole(text, sizeof text - 1);
  for (unsigned bytes = 0x800000; bytes < 0x1000000; ++bytes) {
    text[0] = static_cast<char>(bytes >> 16);
    text[1] = static_cast<char>(bytes >> 8);
    text[2] = static_cast<char>(bytes);
    const char* at = text;
    while (at < text + 3 && pumice::utf8::decode(at, text + whole.size()) != pumice::utf8::kInvalid) {
    }
    if (pumice::is_utf8(whole) != (at >= text + 3)) return false;
  }
  return true;
}

int main() {
  CHECK(validates_as_it_decodes());
  CHECK(unicode::compose(U'e', 0x301) == 0xE9 && unicode::compose(U'e', U'x') == 0);
  CHECK(unicode::compose(0x1100, 0x1161) == 0xAC00 && unicode::compose(0xAC00, 0x11C2) == 0xAC1B);
  CHECK(unicode::compose(0xAC00, 0x11A7) == 0 && unicode::compose(0xAC01, 0x11A8) == 0);
  CHECK(unicode::compose(0x11099, 0x110BA) == 0x1109A && unicode::compose(0x915, 0x93C) == 0);
  CHECK(unicode::compose(0x10FFFF, 0x10FFFF) == 0 && unicode::compose(0, 0) == 0);
  CHECK(decomposes_compatibly(0xFB01, {U'f', U'i'}) && decomposes_compatibly(0x1D400, {U'A'}));
  CHECK((unicode::kForms[0xFDFA] & unicode::kCompatibility) && !(unicode::kForms[0xE9] & unicode::kCompatibility));
  CHECK(cluster_length({U'\r', U'\n', U'\n'}) == 2 && cluster_length({U'\n', 0x301}) == 1);
  CHECK(cluster_length({U'a', 0x301, 0x200D, U'b'}) == 3 && cluster_length({0x600, U'a', U'b'}) == 2);
  CHECK(cluster_length({0x1F468, 0x200D, 0x1F469, U'a'}) == 3 && cluster_length({0x915, 0x94D, 0x915, 0x915}) == 3);
  CHECK(cluster_length({0x1100, 0x1161, 0x11A8, 0x1100}) == 3);
  CHECK(unicode::properties(U' ') == unicode::kWhitespace);
  CHECK(unicode::properties(0x0B) == (unicode::kWhitespace | unicode::kRemoved));
  CHECK(unicode::properties(0x4E00) == unicode::kChinese);
  CHECK(unicode::properties(0x20000) == unicode::kChinese);
  CHECK(unicode::properties(0x10FFFD) == unicode::kRemoved);
  CHECK(unicode::properties(0x110000) == 0 && unicode::properties(0xFFFFFFFF) == 0);
  CHECK(unicode::combining_class(U'a') == 0 && unicode::combining_class(0x0345) == 240);
  CHECK(unicode::combining_class(0x302E) == 224);
  CHECK(lowercases(U'A', {U'a'}) && lowercases(U'a', {U'a'}) && lowercases(0x130, {U'i', 0x307}));
  CHECK(lowercases(0x3A3, {0x3C3}) && lowercases(0x10400, {0x10428}));
  CHECK(decomposes(U'a', {U'a'}) && decomposes(0xE9, {U'e', 0x301}));
  CHECK(decomposes(0x1F87, {0x3B1, 0x314, 0x342, 0x345}) && decomposes(0x2F800, {0x4E3D}));
  CHECK(decomposes(0xAC00, {0x1100, 0x1161}) && decomposes(0xD7A3, {0x1112, 0x1175, 0x11C2}));
  CHECK(decomposes(0xD7A4, {0xD7A4}) && decomposes(0x1D160, {0x1D158, 0x1D165, 0x1D16E}));
  return failures == 0 ? 0 : 1;
}
