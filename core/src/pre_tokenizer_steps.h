// The steps that a pre-tokenizer section may hold, and their data.
#pragma once

#include <cstdint>
#include <cstring>

#include "program.h"
#include "split.h"

namespace pumice {

// The numbers of docs/format.md. Those from 100 on are Metaspace's.
enum PreTokenizerOperation : std::uint32_t {
  kBert = 1,
  kWhitespace = 2,
  kWhitespaceSplit = 3,
  kPunctuation = 4,
  kDigits = 5,
  kSplitLiteral = 6,
  kSplitPattern = 7,
  kPrefixSpace = 8,
};

inline std::uint32_t word_at(const Step& step, std::uint32_t index) {
  std::uint32_t word;
  std::memcpy(&word, step.data + 4 * index, 4);
  return word;
}

inline Behavior behavior_of(const Step& step) { return static_cast<Behavior>(word_at(step, 0)); }

}  // namespace pumice
