// Blocks of a text are cut where the patterns' scanners cut it, with every kernel that this machine has.
#include <cstdio>
#include <random>
#include <string>

#include "../src/simd/kernels.h"
#include "../src/split_blocks.h"

namespace {

using namespace pumice;

constexpr SplitPattern kPatterns[] = {SplitPattern::kGpt2, SplitPattern::kLlama3, SplitPattern::kQwen};

// How many matches blocks tell; -1 where one of them is not the scanner's.
long compare(SplitPattern pattern, simd::Classify classify, const std::string& text) {
  const std::string exact(text.data(), text.size());  // its end is that of its memory
  const SplitBlocks blocks(pattern, classify);
  const char* const end = exact.data() + exact.size();
  long told = 0;
  for (const char* at = exact.data(); at < end;) {
    const char* const block = at;
    std::uint64_t starts = blocks.starts(at, static_cast<std::size_t>(end - at));
    if (starts == 0) at = match_pattern(pattern, at, end);
    for (; starts != 0; starts &= starts - 1, ++told) {
      at = match_pattern(pattern, at, end);
      if (at != block + std::countr_zero(starts)) return -1;
    }
  }
  return told;
}

long compare_all(const std::string& text) {
  long told = 0;
  for (const SplitPattern pattern : kPatterns) {
    for (const simd::Classify classify : {simd::classify_portable, simd::kernels().classify}) {
      const long found = compare(pattern, classify, text);
      if (found >= 0) {
        told += found;
        continue;
      }
      std::printf("pattern %u:", static_cast<unsigned>(pattern));
      for (const char c : text) std::printf(" %02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      std::printf("\n");
      return -1;
    }
  }
  return told;
}

// Each code point alone and in a run, between letters, spaces and others.
bool compares_code_points() {
  for (char32_t point = 1; point < 0x110000; ++point) {
    if (point >= 0xD800 && point < 0xE000) continue;
    if (point > 0x3FFFF && point % 97 != 0) continue;
    char bytes[4];
    const std::string one(bytes, utf8::encode(point, bytes));
    const std::string text =
        "a" + one + "b " + one + one + one + one + "c" + one + "1 ." + one + "\n" + one + "  x, and y";
    if (compare_all(text) < 0) return false;
  }
  return true;
}

bool compares_random_texts() {
  const std::string parts[] = {"a",
                               "B",
                               "xyz",
                               " ",
                               " ",
                               "  ",
                               "\t",
                               "\n",
                               "\r\n",
                               "\n",
                               "1",
                               "22",
                               "3333",
                               "'",
                               "'s",
                               "'S",
                               "'re",
                               "'LL",
                               "'\xC5\xBF",
                               "(",
                               "((",
                               ".",
                               "...",
                               "\xC3\xA9",
                               "\xD0\x96\xD0\xB6",
                               "\xE4\xB8\xAD\xE6\x96\x87",
                               "\xE3\x80\x82",
                               "\xE2\x80\x94",
                               "\xC2\xA0",
                               "\xE3\x80\x80",
                               "\xC2\xB2",
                               "\xD9\xA1",
                               "\xF0\x9F\x98\x80",
                               "\xF0\x90\x90\x80",
                               "\v",
                               "\f",
                               "\x1C",
                               "\x85",
                               "\xFF",
                               "\xE4\xB8",
                               std::string(1, '\0'),
                               "the ",
                               "def ",
                               "    ",
                               "        ",
                               "-",
                               "=",
                               "_",
                               "\"",
                               "\xCC\x81"};
  constexpr std::size_t kParts = sizeof parts / sizeof *parts;
  std::mt19937 random(7);
  long told = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::size_t first = random() % kParts, kinds = random() % kParts + 1, count = random() % 60 + 1;
    std::string text;
    for (std::size_t j = 0; j < count; ++j) text += parts[(first + random() % kinds) % kParts];
    const long found = compare_all(text);
    if (found < 0) return false;
    told += found;
  }
  return told > 500'000;
}

}  // namespace

int main() {
  if (!compares_code_points() || !compares_random_texts()) return 1;
  std::printf("patterns compared\n");
}
