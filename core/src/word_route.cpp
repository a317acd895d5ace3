// Proves from a tokenizer's steps that words may be tokenised one by one.
//
// A text is cut before an ASCII white space that follows a byte above U+0020, so that all words but the first begin
// with white space. A word is *closed* if before and after each step of the normalizer it is not empty and ends with
// neither white space, nor U+2581, nor what Unicode calls Prepend (normalize_word looks at that when the word is
// first met). Claim: where every word but the last is closed, each step does to the text what it does to its words.
//  - By induction each word but the first begins with U+0020 or U+2581, a *mark*, before and after each step; `Begin`
//    follows which. Steps that might change it are refused.
//  - Maps of code points see no neighbours. Normal forms: U+0020 and U+2581 are starters that compose with nothing.
//  - Precompiled sees grapheme clusters; one ends before U+0020 unless Prepend comes first. No key begins with
//    U+0020, so that it stays; tabs and line ends begin words too where this is the first step and makes them U+0020.
//  - A Replace that could match across a mark has its first byte inside the pattern; such are refused. A run of
//    Replace runs never crosses, as a closed word does not end with what a mark is.
//  - A word may end with U+0020 for a while: where only Replace follows, until a step that makes runs of U+0020 one.
//  The
//    run that goes on in the next word becomes that word's U+0020, so the first of the two words loses its part. That
//    holds while words begin with U+0020 only, and not for the last word, which is therefore never looked up.
//  - Prepend and Strip act at the ends of the text only: normalize_word is told where it is.
// Pre-tokenizers that always cut before the mark then cut between words. All that follows them sees pieces.
#include "word_route.h"

#include "general.h"
#include "metaspace.h"
#include "normalizer_steps.h"
#include "pre_tokenizer_steps.h"

namespace pumice {
namespace {

constexpr std::string_view kSpaceMark = " ";
constexpr std::string_view kBlockMark = "\xE2\x96\x81";
constexpr char32_t kBlockPoint = 0x2581;

// The marks that words may begin with.
struct Begin {
  bool space = true;
  bool block = false;

  // After a step that may have put `content` for the mark.
  bool add(std::string_view content) {
    space = space || content.starts_with(kSpaceMark);
    block = block || content.starts_with(kBlockMark);
    return content.starts_with(kSpaceMark) || content.starts_with(kBlockMark);
  }
  bool is(char first) const { return (space && first == kSpaceMark[0]) || (block && first == kBlockMark[0]); }
};

bool replace_keeps(const Step& step, Begin& begin) {
  const ReplaceStep parts = replace_step(step);
  for (std::size_t i = 1; i < parts.pattern.size(); ++i) {
    if (begin.is(parts.pattern[i])) return false;
  }
  if (!begin.is(parts.pattern[0])) return true;
  if (parts.pattern == kSpaceMark) begin.space = false;
  return begin.add(parts.content);
}

bool replace_runs_keeps(const Step& step, Begin& begin) {
  const ReplaceRunStep parts = replace_run_step(step);
  const bool spaces = begin.space && (parts.wanted == ' ' || parts.wanted == kAnyWhitespace);
  const bool blocks = begin.block && parts.wanted == kBlockPoint;
  return (!spaces && !blocks) || begin.add(parts.content);
}

bool normalizer_keeps(const Section& section, Begin& begin, std::uint64_t& begins) {
  Program program(section.bytes, section.size);
  bool is_first = true;
  begins = std::uint64_t{1} << ' ';
  for (Step step{}; program.next(step); is_first = false) {
    switch (step.operation) {
      case kReplaceStep:
        if (!replace_keeps(step, begin)) return false;
        break;
      case kReplaceRunStep:
        if (!replace_runs_keeps(step, begin)) return false;
        break;
      case kNmtStep:
        if (begin.block) return false;
        break;
      case kPrecompiledStep:
        if (begin.block || !keeps_space(step)) return false;
        for (const char c : {'\t', '\n', '\r'}) {
          if (is_first && makes_space(step, c)) begins |= std::uint64_t{1} << c;
        }
        break;
      default:
        break;
    }
  }
  return true;
}

bool is_plain_pattern(const Step& step) {
  return step.operation == kSplitPattern && behavior_of(step) == Behavior::kIsolated && word_at(step, 1) == 0;
}

bool cuts_at_blocks(const Step& step) {
  return step.operation == kMetaspace && metaspace_cuts(step) && metaspace_mark(step) == kBlockMark;
}

bool pre_tokenizer_cuts(const Section& section, const Begin& begin) {
  Program program(section.bytes, section.size);
  Step step{};
  if (!program.next(step)) return false;
  if (step.operation == kPrefixSpace) {
    if (begin.block || !program.next(step)) return false;
  }
  if (step.operation == kMetaspace) {
    if (!cuts_at_blocks(step)) return false;
  } else if (step.operation == kWhitespaceSplit) {
    // "a", then U+2581 and "b", is one piece here. Metaspace cuts it to what it makes of the two.
    Program after = program;
    Step next{};
    if (begin.block && !(after.next(next) && cuts_at_blocks(next))) return false;
  } else if (begin.block || !(step.operation == kBert || step.operation == kWhitespace || is_plain_pattern(step))) {
    return false;
  }
  while (program.next(step)) {
    if (step.operation == kMetaspace && metaspace_is_first_only(step)) return false;
  }
  return true;
}

bool has_collapsing_step(const Section& section) {
  Program program(section.bytes, section.size);
  for (Step step{}; program.next(step);) {
    if (collapses_spaces(step)) return true;
  }
  return false;
}

// Whether the steps are those of a byte-level BPE: no normalizer but NFC, and one pattern.
bool is_pattern(const pumice_model& model, WordRoute& route) {
  const Section& normalizer = model.sections[PUMICE_SECTION_NORMALIZER];
  Program before(normalizer.bytes, normalizer.size);
  Step step{};
  while (before.next(step)) {
    if (step.operation != kNfcStep) return false;
  }
  const Section& section = model.sections[PUMICE_SECTION_PRE_TOKENIZER];
  Program program(section.bytes, section.size);
  if (!program.next(step)) return false;
  route.prefix_space = step.operation == kPrefixSpace;
  if (route.prefix_space && !program.next(step)) return false;
  if (!is_plain_pattern(step)) return false;
  route.pattern = word_at(step, 2);
  return !program.next(step);
}

}  // namespace

WordRoute word_route(const pumice_model& model) {
  WordRoute route;
  if (is_pattern(model, route)) {
    route.route = Route::kPattern;
    return route;
  }
  Begin begin;
  const bool words = model.normalized_tokens.empty() &&
                     normalizer_keeps(model.sections[PUMICE_SECTION_NORMALIZER], begin, route.begins) &&
                     pre_tokenizer_cuts(model.sections[PUMICE_SECTION_PRE_TOKENIZER], begin);
  if (words) route.route = Route::kWords;
  route.merges_spaces = words && !begin.block && has_collapsing_step(model.sections[PUMICE_SECTION_NORMALIZER]);
  return route;
}

}  // namespace pumice
