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

// Hands the parts of a text to `on_text(part, first) -> pumice_status`, added tokens to the stream.
template <class OnText>
pumice_status cut(const DoubleArray& tokens, std::string_view text, TokenStream& stream, bool& going,
                  OnText&& on_text) {
  AddedTokenCutter cutter(tokens, text);
  pumice_status status = PUMICE_OK;
  for (AddedTokenCutter::Part part; status == PUMICE_OK && going && cutter.next(part);) {
    if (part.is_token) {
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

inline pumice_status tokenize(pumice_worker& worker, const char* text, std::size_t size, IdSink& sink) {
  const pumice_model& model = *worker.model;
  if (model.parameters.tokenizer == PUMICE_TOKENIZER_LIBRARY) return PUMICE_NO_NATIVE_TOKENIZER;
  const std::string_view read(text, cut_chars(text, size, model.parameters.max_chars));
  TokenStream stream(model, sink);
  if (model.parameters.tokenizer != PUMICE_TOKENIZER_WORDPIECE) return tokenize_stages(worker, read, stream);
  bool going = true;
  const auto scan = [&](std::string_view part, bool) {
    BertScanner scanner(worker, stream, part);
    const pumice_status status = scanner.read();
    going = scanner.going();
    return status;
  };
  if (model.normalized_tokens.empty()) return cut(model.added_tokens, read, stream, going, scan);
  return cut(model.added_tokens, read, stream, going, [&](std::string_view part, bool) {
    worker.arena.reset();
    const pumice_status status = normalize(model.normalizer, worker.arena, part);
    if (status != PUMICE_OK || model.tokens_begin_words) return status == PUMICE_OK ? scan(part, true) : status;
    return cut(model.normalized_tokens, part, stream, going, scan);
  });
}

}  // namespace pumice
