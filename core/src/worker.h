// The loop that turns a text into token ids.
#pragma once

#include "added_tokens.h"
#include "general.h"
#include "ids.h"
#include "worker_memory.h"

namespace pumice {

// How many bytes the first `max_chars` code points take.
std::size_t cut_chars(const char* text, std::size_t size, std::uint32_t max_chars);

bool is_utf8(std::string_view text);

}  // namespace pumice

#include "bert_scanner.h"
#include "word_scanner.h"

namespace pumice {

inline void nothing() {}

// Hands the parts of a text to `on_text(part, first) -> pumice_status`, added tokens to the stream.
template <class OnText, class BeforeToken = void (*)()>
pumice_status cut(const DoubleArray& tokens, std::string_view text, TokenStream& stream, bool& going, OnText&& on_text,
                  BeforeToken&& before_token = nothing) {
  AddedTokenCutter cutter(tokens, text);
  pumice_status status = PUMICE_OK;
  for (AddedTokenCutter::Part part; status == PUMICE_OK && going && cutter.next(part);) {
    if (part.is_token) {
      before_token();
      going = stream.put(part.id);
    } else {
      status = on_text(part.text, part.text.data() == text.data());
    }
  }
  return status;
}

// Tokens that match the raw text are cut out first, then, from the normalised rest, those that match there.
inline pumice_status tokenize_stages(pumice_worker& worker, std::string_view text, TokenStream& stream) {
  const pumice_model& model = *worker.model;
  if (!is_utf8(text)) return PUMICE_INVALID_UTF8;
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

// Words that wait in the worker's batch are their texts' last.
inline void flush_words(pumice_worker& worker, IdSink& sink) {
  if (worker.batch == nullptr || worker.batch->list.count == 0) return;
  TokenStream none(*worker.model, sink);
  BertScanner(worker, none, {}).flush();
}

inline constexpr std::size_t kMostThatWaits = 4096;  // bytes

// A text was tokenised with `waits`, and is complete.
inline void end_text(pumice_worker& worker, IdSink& sink) {
  WordBatch* batch = worker.batch;
  if (batch == nullptr || batch->list.count == 0) return sink.end_text();
  batch->ends[batch->texts++] = batch->list.count;
  if (batch->texts == WordBatch::kMostTexts) flush_words(worker, sink);
}

// `waits`: the text's last words may be left waiting, to be read together with the next text's.
inline pumice_status tokenize(pumice_worker& worker, const char* text, std::size_t size, IdSink& sink,
                              bool waits = false) {
  const pumice_model& model = *worker.model;
  if (model.parameters.tokenizer == PUMICE_TOKENIZER_LIBRARY) return PUMICE_NO_NATIVE_TOKENIZER;
  const std::string_view read(text, cut_chars(text, size, model.parameters.max_chars));
  TokenStream stream(model, sink);
  if (model.parameters.tokenizer != PUMICE_TOKENIZER_WORDPIECE) return tokenize_stages(worker, read, stream);
  bool going = true;
  const auto scan = [&](std::string_view part, bool) {
    BertScanner scanner(worker, stream, part);
    const pumice_status status = scanner.read();
    const bool is_last = part.data() + part.size() == read.data() + read.size();
    // A limit must not be near: words have no more tokens than bytes.
    const bool may_wait =
        waits && is_last && part.size() <= kMostThatWaits && stream.fits(static_cast<std::uint32_t>(part.size()));
    if (worker.batch != nullptr && scanner.going() && !may_wait) scanner.flush();
    going = scanner.going();
    return status;
  };
  const auto flush = [&] { flush_words(worker, sink); };
  if (model.normalized_tokens.empty()) return cut(model.added_tokens, read, stream, going, scan, flush);
  const auto normalize_and_scan = [&](std::string_view part, bool) {
    worker.arena.reset();
    const pumice_status status = normalize(model.normalizer, worker.arena, part);
    if (status != PUMICE_OK || model.tokens_begin_words) return status == PUMICE_OK ? scan(part, true) : status;
    return cut(model.normalized_tokens, part, stream, going, scan, flush);
  };
  return cut(model.added_tokens, read, stream, going, normalize_and_scan, flush);
}

}  // namespace pumice
