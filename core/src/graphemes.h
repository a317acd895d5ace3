// Extended grapheme clusters (Unicode annex 29), as far as the Precompiled normalizer can tell them apart.
//
// Regional indicators have no class of their own: a pair takes eight bytes, and Precompiled looks at whole
// clusters of fewer than six. core/unicode/graphemes.py holds the same rules to the library.
#pragma once

#include <cstdint>

#include "code_point_table.h"

namespace pumice::unicode {

#include "../unicode/graphemes.inc"

inline constexpr CodePointTable kGraphemes = {kGraphemeBlockBits,    0x20000,
                                              kGraphemeBlockOfPoint, kGraphemeBlocks,
                                              kGraphemeRuns,         sizeof kGraphemeRuns / sizeof *kGraphemeRuns};

// What decides whether a cluster goes on. Clusters do not look behind their own beginning.
class GraphemeCluster {
 public:
  explicit GraphemeCluster(char32_t first) { append(kGraphemes[first]); }

  // Appends a code point if it belongs to the cluster.
  bool take(char32_t c) {
    const std::uint8_t next = kGraphemes[c];
    if (!joins(next)) return false;
    append(next);
    return true;
  }

 private:
  static bool is_control(std::uint8_t grapheme) {
    return grapheme == kReturn || grapheme == kNewline || grapheme == kControl;
  }

  bool joins(std::uint8_t next) const {
    if (last_ == kReturn && next == kNewline) return true;
    if (is_control(last_) || is_control(next)) return false;
    switch (next) {
      case kExtend:
      case kLoneExtend:
      case kJoiner:
      case kSpacing:
      case kLinker:
        return true;
      case kLead:
      case kLeadVowel:
      case kLeadVowelTail:
        return last_ == kPrepend || last_ == kLead;
      case kVowel:
        return last_ == kPrepend || last_ == kLead || last_ == kVowel || last_ == kLeadVowel;
      case kTail:
        return last_ == kPrepend || last_ == kVowel || last_ == kTail || last_ == kLeadVowel || last_ == kLeadVowelTail;
      case kConsonant:
        return last_ == kPrepend || conjunct_ == kLinked;
      case kEmoji:
        return last_ == kPrepend || emoji_ == kLinked;
      default:
        return last_ == kPrepend;
    }
  }

  void append(std::uint8_t next) {
    const bool extends = next == kExtend || next == kLoneExtend || next == kLinker;
    if (next == kEmoji) {
      emoji_ = kOpen;
    } else if (next == kJoiner) {
      emoji_ = emoji_ == kOpen ? kLinked : kNone;
    } else if (!extends) {
      emoji_ = kNone;
    }
    if (next == kConsonant) {
      conjunct_ = kOpen;
    } else if (next == kLinker) {
      conjunct_ = conjunct_ == kNone ? kNone : kLinked;
    } else if (next != kExtend && next != kJoiner) {
      conjunct_ = kNone;
    }
    last_ = next;
  }

  enum Link : std::uint8_t { kNone, kOpen, kLinked };
  std::uint8_t last_ = kOther;
  Link emoji_ = kNone;     // an emoji, then one followed by a joiner
  Link conjunct_ = kNone;  // a consonant, then one followed by a linker
};

}  // namespace pumice::unicode
