// normalizer.json's steps over a text, in order.
#include "aligned_text.h"
#include "general.h"
#include "graphemes.h"
#include "normalizer_steps.h"
#include "unicode_classes.h"

namespace pumice {
namespace {

template <class Text>
pumice_status apply(const Step& step, Arena& arena, Text& text) {
  switch (step.operation) {
    case kNfcStep:
      return to_normal_form(false, true, arena, text);
    case kNfdStep:
      return to_normal_form(false, false, arena, text);
    case kNfkcStep:
      return to_normal_form(true, true, arena, text);
    case kNfkdStep:
      return to_normal_form(true, false, arena, text);
    case kReplaceStep:
      return replace(step, arena, text);
    case kReplaceRunStep:
      return replace_runs(step, arena, text);
    case kPrependStep:
      return prepend(step, arena, text);
    case kStripStep:
      return strip(step.data[0] != 0, step.data[1] != 0, text);
    case kPrecompiledStep:
      return apply_precompiled(step, arena, text);
    default:
      return map_code_points(step.operation, arena, text);
  }
}

bool is_step(const Step& step) {
  switch (step.operation) {
    case kReplaceStep:
      return is_replace(step);
    case kReplaceRunStep:
      return is_replace_run(step);
    case kPrependStep:
      return step.size != 0;
    case kStripStep:
      return step.size == 4;
    case kPrecompiledStep:
      return is_precompiled(step);
    default:
      return step.operation != 0 && step.operation < kNormalizerStepsEnd && step.size == 0;
  }
}

constexpr char32_t kBlockMark = 0x2581;

// What every step leaves apart from a word that follows (word_route.cpp).
bool is_closed(std::string_view text) {
  if (text.empty()) return false;
  const char* const end = text.data() + text.size();
  const char* at = end;
  if (unicode::last_class(text.data(), end, at) & unicode::kSpace) return false;
  if (static_cast<unsigned char>(*at) < 0x80) return true;
  const char32_t last = utf8::decode(at, end);
  return last != utf8::kInvalid && last != kBlockMark && unicode::kGraphemes[last] != unicode::kPrepend;
}

// Whether spaces at the end of a word that another follows will be taken off before any step that looks at them.
bool drops_spaces(Program rest) {
  for (Step step{}; rest.next(step);) {
    if (collapses_spaces(step)) return true;
    if (step.operation != kReplaceStep) return false;
  }
  return false;
}

}  // namespace

pumice_status normalize_word(const pumice_model& model, WordPlace place, Arena& arena, std::string_view& word,
                             bool& closed) {
  const Section& section = model.sections[PUMICE_SECTION_NORMALIZER];
  Program program(section.bytes, section.size);
  pumice_status status = PUMICE_OK;
  closed = is_closed(word);
  for (Step step{}; status == PUMICE_OK && (closed || place.last) && program.next(step);) {
    if (step.operation == kPrependStep && !place.first) continue;
    if (!arena.read(word.size())) return PUMICE_TOO_MUCH_WORK;
    const std::string_view before = word;
    const bool merges = model.route.merges_spaces && !place.last;
    while (merges && collapses_spaces(step) && word.ends_with(' ')) word.remove_suffix(1);
    if (step.operation == kStripStep) {
      status = strip(place.first && step.data[0] != 0, place.last && step.data[1] != 0, word);
    } else {
      status = apply(step, arena, word);
    }
    const bool same = word.data() == before.data() && word.size() == before.size();
    closed = closed && (same || is_closed(word) || (merges && word.ends_with(' ') && drops_spaces(program)));
  }
  return status;
}

template <class Text>
pumice_status normalize(const pumice_model& model, Text& text, Arena& arena) {
  const Section& section = model.sections[PUMICE_SECTION_NORMALIZER];
  Program program(section.bytes, section.size);
  pumice_status status = PUMICE_OK;
  for (Step step{}; status == PUMICE_OK && program.next(step);) {
    status = arena.read(bytes_of(text).size()) ? apply(step, arena, text) : PUMICE_TOO_MUCH_WORK;
  }
  return status;
}

template pumice_status normalize(const pumice_model&, std::string_view&, Arena&);
template pumice_status normalize(const pumice_model&, AlignedText&, Arena&);

pumice_status check_normalizer(const Section& section) {
  if (!is_program(section.bytes, section.size)) return PUMICE_BAD_SECTION;
  Program program(section.bytes, section.size);
  for (Step step{}; program.next(step);) {
    if (!is_step(step)) return PUMICE_BAD_SECTION;
  }
  return PUMICE_OK;
}

}  // namespace pumice
