// The loop that turns a text into token ids by the stages of a tokenizer that is not BERT's.
#include "general.h"
#include "word_scanner.h"
#include "worker.h"

namespace pumice {
namespace {

bool is_valid(const pumice_model& model, std::string_view text) {
  const simd::ValidUtf8 valid = kRoomForSpeed ? model.kernels->valid_utf8 : nullptr;
  return valid != nullptr ? valid(text.data(), text.size()) : is_utf8(text);
}

}  // namespace

// Tokens that match the raw text are cut out first, then, from the normalised rest, those that match there.
pumice_status tokenize_stages(pumice_worker& worker, std::string_view text, TokenStream& stream) {
  const pumice_model& model = *worker.model;
  if (!is_valid(model, text)) return PUMICE_INVALID_UTF8;
  worker.arena.begin(text.size());
  bool going = true;
  WordScanner scanner(worker, stream);
  const pumice_status result = cut(model.added_tokens, text, stream, going, [&](std::string_view raw, bool first) {
    pumice_status status = PUMICE_OK;
    if (model.route.route == Route::kWords) {
      status = scanner.read_words(raw, first);
      going = scanner.going();
      return status;
    }
    worker.arena.reset();
    std::string_view normalized = raw;
    status = normalize(model, normalized, worker.arena);
    if (status != PUMICE_OK) return status;
    const std::size_t mark = worker.arena.mark();
    return cut(model.normalized_tokens, normalized, stream, going, [&](std::string_view part, bool begins) {
      worker.arena.reset(mark);
      const pumice_status read = scanner.read_normalized(part, first && begins);
      going = scanner.going();
      return read;
    });
  });
  return result == PUMICE_MEMORY_TOO_SMALL && worker.arena.exhausted() ? PUMICE_TOO_MUCH_WORK : result;
}

}  // namespace pumice
