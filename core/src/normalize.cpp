// normalizer.json's steps over a text, in order.
#include "general.h"
#include "normalizer_steps.h"

namespace pumice {
namespace {

pumice_status apply(const Step& step, Arena& arena, std::string_view& text) {
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
      return strip(step, text);
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

}  // namespace

pumice_status normalize(const pumice_model& model, std::string_view text, Arena& arena, std::string_view& normalized) {
  const Section& section = model.sections[PUMICE_SECTION_NORMALIZER];
  Program program(section.bytes, section.size);
  pumice_status status = PUMICE_OK;
  normalized = text;
  for (Step step{}; status == PUMICE_OK && program.next(step);) {
    status = arena.read(normalized.size()) ? apply(step, arena, normalized) : PUMICE_TOO_MUCH_WORK;
  }
  return status;
}

pumice_status check_normalizer(const Section& section) {
  if (!is_program(section.bytes, section.size)) return PUMICE_BAD_SECTION;
  Program program(section.bytes, section.size);
  for (Step step{}; program.next(step);) {
    if (!is_step(step)) return PUMICE_BAD_SECTION;
  }
  return PUMICE_OK;
}

}  // namespace pumice
