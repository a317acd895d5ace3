// The loop that turns a text into token ids by BERT's WordPiece.
#include "bert_scanner.h"
#include "worker.h"

namespace pumice {

constexpr std::size_t kMostThatWaits = 4096;  // bytes

void flush_words(pumice_worker& worker, IdSink& sink) {
  if (worker.batch == nullptr || worker.batch->list.count == 0) return;
  TokenStream none(*worker.model, sink);
  BertScanner(worker, none, {}).flush();
}

pumice_status tokenize_wordpiece(pumice_worker& worker, std::string_view text, IdSink& sink, bool waits) {
  const pumice_model& model = *worker.model;
  TokenStream stream(model, sink);
  bool going = true;
  const auto scan = [&](std::string_view part, bool) {
    BertScanner scanner(worker, stream, part);
    const pumice_status status = scanner.read();
    const bool is_last = part.data() + part.size() == text.data() + text.size();
    // A limit must not be near: words have no more tokens than bytes.
    const bool may_wait =
        waits && is_last && part.size() <= kMostThatWaits && stream.fits(static_cast<std::uint32_t>(part.size()));
    if (worker.batch != nullptr && scanner.going() && !may_wait) scanner.flush();
    going = scanner.going();
    return status;
  };
  const auto flush = [&] { flush_words(worker, sink); };
  if (model.normalized_tokens.empty()) return cut(model.added_tokens, text, stream, going, scan, flush);
  const auto normalize_and_scan = [&](std::string_view part, bool) {
    worker.arena.reset();
    const pumice_status status = normalize(model.normalizer, worker.arena, part);
    if (status != PUMICE_OK || model.tokens_begin_words) return status == PUMICE_OK ? scan(part, true) : status;
    return cut(model.normalized_tokens, part, stream, going, scan, flush);
  };
  return cut(model.added_tokens, text, stream, going, normalize_and_scan, flush);
}

}  // namespace pumice
