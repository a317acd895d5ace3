// One thread's scratch, and the loop that turns a text into token ids.
#pragma once

#include <cstring>

#include "added_tokens.h"
#include "general.h"
#include "model_file.h"
#include "word_cache.h"
#include "wordpiece.h"

// The opaque type of the C interface; its arrays follow it in the caller's memory.
struct pumice_worker {
  const pumice_model* model;
  pumice::WordBuffer word;
  std::uint32_t* pieces;  // max_word_chars
  float* sum;             // dimensions
  pumice::ShortWords short_words;
  pumice::LongWords long_words;
  pumice::Arena arena;  // the rest of the memory
};

namespace pumice {

// How many bytes the first `max_chars` code points take.
std::size_t cut_chars(const char* text, std::size_t size, std::uint32_t max_chars);

bool is_utf8(std::string_view text);

// Feeds token ids to a sink, cutting at max_tokens and leaving out unknown tokens where the model does.
template <class Sink>
class TokenStream {
 public:
  TokenStream(const pumice_model& model, Sink& sink)
      : sink_(sink),
        left_(model.parameters.max_tokens),
        limited_(left_ != kNone),
        dropped_(model.parameters.unknown == 0 ? model.parameters.unknown_id : kNone) {}

  // False once no further token counts.
  bool put(std::uint32_t id) {
    if (id != dropped_ || id == kNone) sink_(id);
    return !limited_ || --left_ != 0;
  }

  // Whether `total` more tokens count and leave room for another.
  bool fits(std::uint32_t total) const { return !limited_ || total < left_; }

  // Tokens known to fit: `total` of them, of which the first `kept` of `ids`, an array of `Room`, are not dropped.
  template <std::size_t Room>
  void put_known(const std::uint32_t* ids, std::uint32_t kept, std::uint32_t total) {
    sink_.template put<Room>(ids, kept);
    if (limited_) left_ -= total;
  }

  // The same of any number.
  void put_many(const std::uint32_t* ids, std::uint32_t kept, std::uint32_t total) {
    for (std::uint32_t i = 0; i < kept; ++i) sink_(ids[i]);
    if (limited_) left_ -= total;
  }

  std::uint32_t dropped() const { return dropped_; }

 private:
  Sink& sink_;
  std::uint32_t left_;
  bool limited_;
  std::uint32_t dropped_;
};

}  // namespace pumice

#include "bert_scanner.h"

namespace pumice {

// Tokenises normalised text without added tokens. `first`: it begins where the whole text does. `going`
// becomes false once no further token counts.
template <class Sink>
pumice_status tokenize_part(pumice_worker& worker, std::string_view text, bool first, TokenStream<Sink>& stream,
                            bool& going) {
  const pumice_model& model = *worker.model;
  Arena& arena = worker.arena;
  Pieces pieces;
  pumice_status status = pre_tokenize(model, text, first, arena, pieces);
  const std::size_t mark = arena.mark();
  for (std::size_t i = 0; status == PUMICE_OK && i < pieces.count && going; ++i) {
    arena.reset(mark);
    Ids ids;
    status = model.parameters.tokenizer == PUMICE_TOKENIZER_UNIGRAM ? unigram(model, pieces.pieces[i], arena, ids)
             : model.parameters.tokenizer == PUMICE_TOKENIZER_BPE   ? bpe(model, pieces.pieces[i], arena, ids)
                                                                    : word_level(model, pieces.pieces[i], arena, ids);
    for (std::size_t j = 0; status == PUMICE_OK && j < ids.count && going; ++j) going = stream.put(ids.ids[j]);
  }
  return status;
}

// Hands the parts of a text to `on_text(part, first) -> pumice_status`, added tokens to the stream.
template <class Sink, class OnText>
pumice_status cut(const DoubleArray& tokens, std::string_view text, TokenStream<Sink>& stream, bool& going,
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
template <class Sink>
pumice_status tokenize_stages(pumice_worker& worker, std::string_view text, TokenStream<Sink>& stream) {
  const pumice_model& model = *worker.model;
  if (!is_utf8(text)) return PUMICE_INVALID_UTF8;
  bool going = true;
  return cut(model.added_tokens, text, stream, going, [&](std::string_view raw, bool first) {
    worker.arena.reset();
    std::string_view normalized;
    const pumice_status status = normalize(model, raw, worker.arena, normalized);
    if (status != PUMICE_OK) return status;
    const std::size_t mark = worker.arena.mark();
    return cut(model.normalized_tokens, normalized, stream, going, [&](std::string_view part, bool begins) {
      worker.arena.reset(mark);
      return tokenize_part(worker, part, first && begins, stream, going);
    });
  });
}

template <class Sink>
pumice_status tokenize(pumice_worker& worker, const char* text, std::size_t size, Sink& sink) {
  const pumice_model& model = *worker.model;
  if (model.parameters.tokenizer == PUMICE_TOKENIZER_LIBRARY) return PUMICE_NO_NATIVE_TOKENIZER;
  const std::string_view read(text, cut_chars(text, size, model.parameters.max_chars));
  TokenStream<Sink> stream(model, sink);
  if (model.parameters.tokenizer != PUMICE_TOKENIZER_WORDPIECE) return tokenize_stages(worker, read, stream);
  bool going = true;
  return cut(model.added_tokens, read, stream, going, [&](std::string_view part, bool) {
    BertScanner scanner(worker, stream);
    const pumice_status status = scanner.read(part.data(), part.data() + part.size());
    going = scanner.going();
    return status;
  });
}

}  // namespace pumice
