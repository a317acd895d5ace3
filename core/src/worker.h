// From a text to token ids: what all tokenizers share.
#pragma once

#include "added_tokens.h"
#include "ids.h"
#include "word_batch.h"
#include "worker_memory.h"

namespace pumice {

// How many bytes the first `max_chars` code points take.
std::size_t cut_chars(const char* text, std::size_t size, std::uint32_t max_chars);

bool is_utf8(std::string_view text);

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

// Token ids of a text by the model that the file has; `text` is what the model reads of it.
pumice_status tokenize_stages(pumice_worker& worker, std::string_view text, TokenStream& stream);
// `waits`: the text's last words may be left waiting, to be read together with the next text's.
pumice_status tokenize_wordpiece(pumice_worker& worker, std::string_view text, IdSink& sink, bool waits);

// Words that wait in the worker's batch are their texts' last.
void flush_words(pumice_worker& worker, IdSink& sink);

// A text was tokenised with `waits`, and is complete.
inline void end_text(pumice_worker& worker, IdSink& sink) {
  WordBatch* batch = worker.batch;
  if (batch == nullptr || batch->list.count == 0) return sink.end_text();
  batch->ends[batch->texts++] = batch->list.count;
  if (batch->texts == WordBatch::kMostTexts) flush_words(worker, sink);
}

inline pumice_status tokenize(pumice_worker& worker, const char* text, std::size_t size, IdSink& sink,
                              bool waits = false) {
  const Parameters& parameters = worker.model->parameters;
  if (parameters.tokenizer == PUMICE_TOKENIZER_LIBRARY) return PUMICE_NO_NATIVE_TOKENIZER;
  const std::string_view read(text, cut_chars(text, size, parameters.max_chars));
  if (parameters.tokenizer == PUMICE_TOKENIZER_WORDPIECE) return tokenize_wordpiece(worker, read, sink, waits);
  TokenStream stream(*worker.model, sink);
  return tokenize_stages(worker, read, stream);
}

}  // namespace pumice
