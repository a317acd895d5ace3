// Which bytes of a text each token stands for: a second, slow reading, checked against HF tokenizers' offsets.
#include "spans.h"

#include <cstdint>

#include "alignment.h"
#include "general.h"
#include "slice.h"
#include "utf8.h"
#include "worker.h"

namespace pumice {
namespace {

// BERT's pre-tokenizer and WordPiece over aligned code points.
template <class Put>
class AlignedWords {
 public:
  AlignedWords(pumice_worker& worker, const char* original, Put& put)
      : worker_(worker), model_(*worker.model), original_(original), put_(put) {}

  bool allocate() {
    const std::size_t chars = model_.parameters.max_word_chars;
    bytes_ = worker_.arena.take<char>(4 * chars);
    sources_ = worker_.arena.take<Span>(4 * chars);
    ends_ = worker_.arena.take<std::uint32_t>(chars);
    return bytes_ != nullptr && sources_ != nullptr && ends_ != nullptr;
  }

  // `going` is false once no further token counts. A hostile model's added tokens may cut a code point in two.
  pumice_status read(const AlignedText& text, bool& going) {
    going_ = true;
    clear();
    const char* const end = text.bytes.data() + text.bytes.size();
    for (const char* at = text.bytes.data(); at < end && going_;) {
      const Span source = span_at(original_, text.origin(at));
      const char32_t c = utf8::decode(at, end);
      if (c == utf8::kInvalid) return PUMICE_INVALID_UTF8;
      add(c, source);
    }
    if (going_) end_word();
    going = going_;
    return PUMICE_OK;
  }

 private:
  void add(char32_t c, Span source) {
    const std::uint8_t properties = unicode::properties(c);
    if (properties & (unicode::kWhitespace | unicode::kPunctuation)) end_word();
    if (!going_ || (properties & unicode::kWhitespace)) return;
    append(c, source);
    if (properties & unicode::kPunctuation) end_word();
  }

  void append(char32_t c, Span source) {
    if (!started_) whole_.begin = source.begin;
    whole_.end = source.end;
    started_ = true;
    if (chars_++ >= model_.parameters.max_word_chars) return;
    for (unsigned left = utf8::encode(c, bytes_ + size_); left > 0; --left) sources_[size_++] = source;
  }

  void end_word() {
    if (!started_) return;
    const Word word{bytes_, size_, chars_ > model_.parameters.max_word_chars};
    const std::uint32_t count = wordpiece(model_, word, worker_.pieces, ends_);
    for (std::uint32_t i = 0; i < count && going_; ++i) {
      const std::size_t begin = i == 0 ? whole_.begin : sources_[ends_[i - 1]].begin;
      const std::size_t end = i + 1 == count ? whole_.end : sources_[ends_[i] - 1].end;
      going_ = put_(worker_.pieces[i], Span{begin, end});
    }
    clear();
  }

  void clear() {
    size_ = chars_ = 0;
    started_ = false;
  }

  pumice_worker& worker_;
  const pumice_model& model_;
  const char* original_;
  Put& put_;
  char* bytes_ = nullptr;          // the word, as far as the vocabulary's longest word goes
  Span* sources_ = nullptr;        // of each of its bytes
  std::uint32_t* ends_ = nullptr;  // of its pieces, in its bytes
  Span whole_{};                   // of the word, whatever its length
  std::size_t size_ = 0;
  std::size_t chars_ = 0;
  bool started_ = false;
  bool going_ = true;
};

// The other tokenizers' pre-tokenizer and model over normalised text.
template <class Put>
pumice_status read_stages(const pumice_model& model, const char* original, AlignedText text, bool first, Arena& arena,
                          Put& put, bool& going) {
  Pieces pieces;
  const pumice_status status = pre_tokenize(model, text, first, arena, pieces);
  if (status != PUMICE_OK) return status;
  const std::size_t mark = arena.mark();
  for (std::size_t i = 0; i < pieces.count && going; ++i) {
    arena.reset(mark);
    const std::string_view piece = pieces.pieces[i];
    if (!arena.read(kModelReads * piece.size())) return PUMICE_TOO_MUCH_WORK;
    Ids ids;
    const pumice_status read = tokenize_piece(model, piece, arena, ids, true);
    if (read != PUMICE_OK) return read;
    for (std::size_t j = 0; j < ids.count && going; ++j) {
      const Range range = ids.ranges[j];
      going = put(ids.ids[j], span_of(original, text, slice(piece, range.begin, range.end - range.begin)));
    }
  }
  return PUMICE_OK;
}

// A part of the text between added tokens, as the normalizer leaves it.
pumice_status normalize_part(const pumice_model& model, const char* original, Span part, Arena& arena,
                             AlignedText& out) {
  if (model.parameters.tokenizer == PUMICE_TOKENIZER_WORDPIECE) {
    return normalize(model.normalizer, original, part, arena, out);
  }
  const std::size_t size = part.end - part.begin;
  auto* origins = arena.take<std::uint32_t>(size);
  if (origins == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  std::uint32_t begin = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if ((static_cast<unsigned char>(original[part.begin + i]) & 0xC0) != 0x80) {
      begin = static_cast<std::uint32_t>(part.begin + i);
    }
    origins[i] = begin;
  }
  out = {{original + part.begin, size}, origins};
  return normalize(model, out, arena);
}

}  // namespace

pumice_status token_spans(pumice_worker& worker, const char* text, std::size_t size, pumice_token* tokens,
                          std::size_t capacity, std::size_t& count) {
  const pumice_model& model = *worker.model;
  if (model.parameters.tokenizer == PUMICE_TOKENIZER_LIBRARY) return PUMICE_NO_NATIVE_TOKENIZER;
  const std::string_view read(text, cut_chars(text, size, model.parameters.max_chars));
  if (read.size() > kLongestOriginal) return PUMICE_TOO_MUCH_WORK;
  count = 0;
  TokenRules rules(model);
  bool valid = true;
  const auto put = [&](std::uint32_t id, Span span) {
    valid = valid && id < model.parameters.tokens;
    if (rules.keeps(id)) {
      if (count < capacity) tokens[count] = {id, span.begin, span.end};
      ++count;
    }
    return rules.take();
  };
  Arena& arena = worker.arena;
  const bool is_wordpiece = model.parameters.tokenizer == PUMICE_TOKENIZER_WORDPIECE;
  if (!is_wordpiece && !is_utf8(read)) return PUMICE_INVALID_UTF8;
  is_wordpiece ? arena.reset() : arena.begin(read.size());
  AlignedWords<decltype(put)> words(worker, text, put);
  if (is_wordpiece && !words.allocate()) return PUMICE_MEMORY_TOO_SMALL;
  const std::size_t mark = arena.mark();
  AddedTokenCutter cutter(model.added_tokens, read);
  pumice_status status = PUMICE_OK;
  bool going = true;
  for (AddedTokenCutter::Part raw; status == PUMICE_OK && going && cutter.next(raw);) {
    const auto begin = static_cast<std::size_t>(raw.text.data() - text);
    const Span whole{begin, begin + raw.text.size()};
    if (raw.is_token) {
      going = put(raw.id, whole);
      continue;
    }
    arena.reset(mark);
    AlignedText normalized;
    status = normalize_part(model, text, whole, arena, normalized);
    if (status != PUMICE_OK) break;
    const std::size_t after = arena.mark();
    AddedTokenCutter normalized_cutter(model.normalized_tokens, normalized.bytes);
    for (AddedTokenCutter::Part part; status == PUMICE_OK && going && normalized_cutter.next(part);) {
      arena.reset(after);
      const bool first = begin == 0 && part.text.data() == normalized.bytes.data();
      if (part.is_token) {
        going = put(part.id, span_of(text, normalized, part.text));
      } else if (is_wordpiece) {
        status = words.read(part_of(normalized, part.text), going);
      } else {
        status = read_stages(model, text, part_of(normalized, part.text), first, arena, put, going);
      }
    }
  }
  if (status == PUMICE_MEMORY_TOO_SMALL && !is_wordpiece && arena.exhausted()) status = PUMICE_TOO_MUCH_WORK;
  return status == PUMICE_OK && !valid ? PUMICE_BAD_SECTION : status;
}

}  // namespace pumice
