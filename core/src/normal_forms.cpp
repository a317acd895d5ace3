// Look-ups in the generated tables of compatibility decompositions and compositions.
#include "normal_forms.h"

#include <algorithm>
#include <iterator>

#include "decompositions.h"

namespace pumice::unicode {
namespace {

#include "../unicode/normal_forms.inc"

// Unicode, section 3.12: syllables are numbered by lead, vowel and tail.
constexpr char32_t kSyllables = 0xAC00, kLeads = 0x1100, kVowels = 0x1161, kTails = 0x11A7;
constexpr char32_t kSyllableCount = 11172, kLeadCount = 19, kVowelCount = 21, kTailCount = 28;

constexpr Decompositions kCompatible = {
    kCompatibleBlocks, kCompatibleEntries, kCompatiblePlaces, std::size(kCompatibleBlocks),
    kCompatibleUnits,  kCompatibleLow,     kCompatibleHigh};

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
  constexpr unsigned kInBlock = (1u << kFormBlockBits) - 1;
  static_assert(kFormBlockBits == Decompositions::kBlockBits);
  const std::uint8_t* block = kFormBlocks + (std::size_t{kFormBlockOfPoint[point >> kFormBlockBits]} << kFormBlockBits);
  return decompose(kCompatible, point, count_with(block, point & kInBlock, kCompatibility), out);
}

char32_t compose(char32_t first, char32_t second) {
  if (const char32_t syllable = compose_hangul(first, second)) return syllable;
  if (first < 0x10000 && second < 0x10000) {
    const auto [begin, end] = std::equal_range(std::begin(kFirst), std::end(kFirst), first);
    const auto* seconds = kSecond + (begin - kFirst);
    const auto* last = kSecond + (end - kFirst);
    const auto* found = std::lower_bound(seconds, last, second);
    return found != last && *found == second ? kComposed[found - kSecond] : 0;
  }
  for (std::size_t i = 0; i + 2 < std::size(kPairsAbove); i += 3) {
    if (kPairsAbove[i] == first && kPairsAbove[i + 1] == second) return kPairsAbove[i + 2];
  }
  return 0;
}

}  // namespace pumice::unicode
