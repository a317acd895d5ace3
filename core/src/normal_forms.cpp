// Look-ups in the generated tables of compatibility decompositions and compositions.
#include "normal_forms.h"

#include <algorithm>
#include <iterator>

namespace pumice::unicode {
namespace {

#include "../unicode/normal_forms.inc"

// Unicode, section 3.12: syllables are numbered by lead, vowel and tail.
constexpr char32_t kSyllables = 0xAC00, kLeads = 0x1100, kVowels = 0x1161, kTails = 0x11A7;
constexpr char32_t kSyllableCount = 11172, kLeadCount = 19, kVowelCount = 21, kTailCount = 28;

char32_t compose_hangul(char32_t first, char32_t second) {
  if (first - kLeads < kLeadCount && second - kVowels < kVowelCount) {
    return kSyllables + ((first - kLeads) * kVowelCount + (second - kVowels)) * kTailCount;
  }
  const bool open = first - kSyllables < kSyllableCount && (first - kSyllables) % kTailCount == 0;
  if (open && second - kTails < kTailCount && second != kTails) return first + (second - kTails);
  return 0;
}

}  // namespace

const CodePointTable kForms = {kFormBlockBits, 0x20000,   kFormBlockOfPoint,
                               kFormBlocks,    kFormRuns, sizeof kFormRuns / sizeof *kFormRuns};

unsigned decompose_compatible(char32_t point, char32_t out[kMaxCompatible]) {
  const auto* plane1 = kCompatible + kCompatibleInPlane0;
  const auto* entry = point < 0x10000 ? std::lower_bound(kCompatible, plane1, point)
                                      : std::lower_bound(plane1, std::end(kCompatible), point & 0xFFFF);
  const auto index = entry - kCompatible;
  const std::uint16_t* unit = kCompatiblePool + kCompatiblePlace[index];
  const std::uint16_t* end = unit + kCompatibleUnits[index];
  unsigned length = 0;
  while (unit < end) {
    char32_t next = *unit++;
    if (next - 0xD800 < 0x400) next = 0x10000 + ((next - 0xD800) << 10) + (*unit++ - 0xDC00);
    out[length++] = next;
  }
  return length;
}

char32_t compose(char32_t first, char32_t second) {
  if (const char32_t syllable = compose_hangul(first, second)) return syllable;
  if (first < 0x10000 && second < 0x10000) {
    const std::uint32_t key = static_cast<std::uint32_t>(first << 16 | second);
    const auto* found = std::lower_bound(std::begin(kPairs), std::end(kPairs), key);
    return found != std::end(kPairs) && *found == key ? kComposed[found - kPairs] : 0;
  }
  for (std::size_t i = 0; i + 2 < std::size(kPairsAbove); i += 3) {
    if (kPairsAbove[i] == first && kPairsAbove[i + 1] == second) return kPairsAbove[i + 2];
  }
  return 0;
}

}  // namespace pumice::unicode
