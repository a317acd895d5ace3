// Look-ups in the generated Unicode tables that only some code points need.
#include "unicode.h"

#include <algorithm>
#include <iterator>

#include "decompositions.h"

namespace pumice::unicode {
namespace {

// Unicode, section 3.12: syllables are numbered by lead, vowel and tail.
constexpr char32_t kSyllables = 0xAC00, kLeads = 0x1100, kVowels = 0x1161, kTails = 0x11A7;
constexpr unsigned kSyllableCount = 11172, kVowelCount = 21, kTailCount = 28;

unsigned decompose_hangul(char32_t syllable, char32_t* out) {
  const char32_t tail = syllable % kTailCount;
  out[0] = kLeads + syllable / (kVowelCount * kTailCount);
  out[1] = kVowels + syllable / kTailCount % kVowelCount;
  if (tail == 0) return 2;
  out[2] = kTails + tail;
  return 3;
}

constexpr Decompositions kCanonical = {
    kCanonicalBlocks, kCanonicalEntries, kCanonicalPlaces, std::size(kCanonicalBlocks),
    kCanonicalUnits,  kCanonicalLow,     kCanonicalHigh};

}  // namespace

std::uint8_t combining_class(char32_t point) {
  if (!(properties(point) & kCombines)) return 0;
  const auto* run = std::upper_bound(std::begin(kClassRuns), std::end(kClassRuns), point << 8 | 0xFF);
  return static_cast<std::uint8_t>(run[-1]);
}

unsigned lowercase(char32_t point, char32_t out[kMaxLowercase]) {
  out[0] = point;
  if (!(properties(point) & kLowercases)) return 1;
  if (point == 0x130) {
    out[0] = U'i';
    out[1] = 0x307;
    return 2;
  }
  const auto* run = std::upper_bound(std::begin(kLowerRuns), std::end(kLowerRuns), point << 8 | 0xFF);
  out[0] = point + static_cast<char32_t>(kLowerDifferences[run[-1] & 0xFF]);
  return 1;
}

unsigned decompose(char32_t point, char32_t out[kMaxDecomposition]) {
  out[0] = point;
  if (!(properties(point) & kDecomposes)) return 1;
  if (point - kSyllables < kSyllableCount) return decompose_hangul(point - kSyllables, out);
  constexpr unsigned kInBlock = (1u << kBlockBits) - 1;
  static_assert(kBlockBits == Decompositions::kBlockBits);
  const unsigned place = point & kInBlock;
  const std::uint8_t* block =
      kBlocks + (std::size_t{kBlockOfPoint[point < kTrieEnd ? point >> kBlockBits : 0]} << kBlockBits);
  return decompose(kCanonical, point, point < kTrieEnd ? count_with(block, place, kDecomposes) : place, out);
}

}  // namespace pumice::unicode
