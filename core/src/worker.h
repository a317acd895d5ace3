// One thread's scratch, and the loop that turns a text into token ids.
#pragma once

#include <cstring>

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

// Finds where the next added token begins in raw text and which it is: leftmost, then longest.
struct AddedTokenMatch {
  const char* begin;  // `end` of the text where there is none
  std::uint32_t id;
  std::uint32_t length;
};
AddedTokenMatch find_added_token(const pumice_model& model, const char* text, const char* end);

// How many bytes the first `max_chars` code points take.
std::size_t cut_chars(const char* text, std::size_t size, std::uint32_t max_chars);

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

// Tokenises a text without added tokens stage by stage; false in `going` once no further token counts.
template <class Sink>
pumice_status tokenize_segment(pumice_worker& worker, std::string_view text, bool first, TokenStream<Sink>& stream,
                               bool& going) {
  const pumice_model& model = *worker.model;
  Arena& arena = worker.arena;
  arena.reset();
  std::string_view normalized;
  pumice_status status = normalize(model, text, arena, normalized);
  Pieces pieces;
  if (status == PUMICE_OK) status = pre_tokenize(model, normalized, first, arena, pieces);
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

template <class Sink>
pumice_status tokenize_stages(pumice_worker& worker, const char* text, const char* end, TokenStream<Sink>& stream) {
  bool going = true;
  for (const char* cursor = text; cursor < end && going;) {
    const AddedTokenMatch added = find_added_token(*worker.model, cursor, end);
    const std::string_view segment(cursor, static_cast<std::size_t>(added.begin - cursor));
    const pumice_status status = tokenize_segment(worker, segment, cursor == text, stream, going);
    if (status != PUMICE_OK) return status;
    if (!going || added.begin == end || !stream.put(added.id)) break;
    cursor = added.begin + added.length;
  }
  return PUMICE_OK;
}

template <class Sink>
pumice_status tokenize(pumice_worker& worker, const char* text, std::size_t size, Sink& sink) {
  const pumice_model& model = *worker.model;
  if (model.parameters.tokenizer == PUMICE_TOKENIZER_LIBRARY) return PUMICE_NO_NATIVE_TOKENIZER;
  const char* cursor = text;
  const char* end = text + cut_chars(text, size, model.parameters.max_chars);
  TokenStream<Sink> stream(model, sink);
  if (model.parameters.tokenizer != PUMICE_TOKENIZER_WORDPIECE) return tokenize_stages(worker, cursor, end, stream);
  while (cursor < end) {
    const AddedTokenMatch added = find_added_token(model, cursor, end);
    BertScanner scanner(worker, stream);
    const pumice_status status = scanner.read(cursor, added.begin);
    if (status != PUMICE_OK) return status;
    if (!scanner.going() || added.begin == end) break;
    if (!stream.put(added.id)) break;
    cursor = added.begin + added.length;
  }
  return PUMICE_OK;
}

}  // namespace pumice
