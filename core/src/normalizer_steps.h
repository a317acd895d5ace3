// The steps that a normalizer section may hold, one function each.
#pragma once

#include <string_view>

#include "arena.h"
#include "program.h"
#include "pumice.h"

namespace pumice {

enum NormalizerOperation : std::uint32_t {
  kCleanTextStep = 1,   // BertNormalizer's clean_text
  kSpaceChineseStep,    // its handle_chinese_chars
  kDropNonspacingStep,  // what its strip_accents does after NFD
  kStripAccentsStep,    // deletes every combining mark
  kLowercaseStep,
  kNmtStep,
  kNfcStep,
  kNfdStep,
  kNfkcStep,
  kNfkdStep,
  kReplaceStep,      // u32 size of the pattern, the pattern, the content
  kReplaceRunStep,   // u32 code point or kAnyWhitespace, u32 shortest run, the content
  kPrependStep,      // the content
  kStripStep,        // u8 left, u8 right, two zeros
  kPrecompiledStep,  // 16 bytes of bits: ASCII that it changes; a precompiled charsmap
  kNormalizerStepsEnd,
};

inline constexpr std::uint32_t kAnyWhitespace = 0xFFFFFFFFu;

// Each reads `text`, std::string_view or AlignedText, and sets it to its result: a view of itself, or new text in the
// arena.
template <class Text>
pumice_status map_code_points(std::uint32_t operation, Arena& arena, Text& text);
template <class Text>
pumice_status to_normal_form(bool compatible, bool composed, Arena& arena, Text& text);
template <class Text>
pumice_status replace(const Step& step, Arena& arena, Text& text);
template <class Text>
pumice_status replace_runs(const Step& step, Arena& arena, Text& text);
template <class Text>
pumice_status prepend(const Step& step, Arena& arena, Text& text);
template <class Text>
pumice_status strip(bool left, bool right, Text& text);
template <class Text>
pumice_status apply_precompiled(const Step& step, Arena& arena, Text& text);

struct ReplaceStep {
  std::string_view pattern;
  std::string_view content;
};
struct ReplaceRunStep {
  char32_t wanted;  // or kAnyWhitespace
  std::uint32_t least;
  std::string_view content;
};
ReplaceStep replace_step(const Step& step);
ReplaceRunStep replace_run_step(const Step& step);

// Whether it makes every run of two and more U+0020 one, and leaves a single one as it is.
bool collapses_spaces(const Step& step);

// Of a precompiled charsmap: whether no key begins with U+0020, and whether an ASCII character becomes U+0020.
bool keeps_space(const Step& step);
bool makes_space(const Step& step, char ascii);

// Whether a step's data is what the functions above read.
bool is_replace(const Step& step);
bool is_replace_run(const Step& step);
bool is_precompiled(const Step& step);

}  // namespace pumice
