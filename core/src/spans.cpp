// Which bytes of a text each token stands for: a second, slow reading, checked against HF tokenizers' offsets.
#include "spans.h"

#include <cstdint>

#include "alignment.h"
#include "worker.h"

namespace pumice {
namespace {

// BERT's pre-tokenizer and WordPiece over aligned code points.
template <class Put>
class AlignedWords {
 public:
  AlignedWords(pumice_worker& worker, Put& put) : worker_(worker), model_(*worker.model), put_(put) {}

  bool allocate() {
    const std::size_t chars = model_.parameters.max_word_chars;
    bytes_ = worker_.arena.take<char>(4 * chars);
    sources_ = worker_.arena.take<Span>(4 * chars);
    ends_ = worker_.arena.take<std::uint32_t>(chars);
    return bytes_ != nullptr && sources_ != nullptr && ends_ != nullptr;
  }

  // False once no further token counts.
  bool read(const NormalizedText& text, std::string_view part) {
    going_ = true;
    clear();
    const char* const end = part.data() + part.size();
    for (const char* at = part.data(); at < end && going_;) {
      const Span source = text.source(at);
      add(utf8::decode(at, end), source);
    }
    if (going_) end_word();
    return going_;
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

}  // namespace

pumice_status token_spans(pumice_worker& worker, const char* text, std::size_t size, pumice_token* tokens,
                          std::size_t capacity, std::size_t& count) {
  const pumice_model& model = *worker.model;
  if (model.parameters.tokenizer != PUMICE_TOKENIZER_WORDPIECE) return PUMICE_NO_NATIVE_TOKENIZER;
  count = 0;
  TokenRules rules(model);
  const auto put = [&](std::uint32_t id, Span span) {
    if (rules.keeps(id)) {
      if (count < capacity) tokens[count] = {id, span.begin, span.end};
      ++count;
    }
    return rules.take();
  };
  Arena& arena = worker.arena;
  arena.reset();
  AlignedWords<decltype(put)> words(worker, put);
  if (!words.allocate()) return PUMICE_MEMORY_TOO_SMALL;
  const std::size_t mark = arena.mark();
  const std::string_view read(text, cut_chars(text, size, model.parameters.max_chars));
  AddedTokenCutter cutter(model.added_tokens, read);
  bool going = true;
  for (AddedTokenCutter::Part raw; going && cutter.next(raw);) {
    const auto begin = static_cast<std::size_t>(raw.text.data() - text);
    const Span whole{begin, begin + raw.text.size()};
    if (raw.is_token) {
      going = put(raw.id, whole);
      continue;
    }
    arena.reset(mark);
    NormalizedText normalized;
    const pumice_status status = normalize(model.normalizer, text, whole, arena, normalized);
    if (status != PUMICE_OK) return status;
    AddedTokenCutter normalized_cutter(model.normalized_tokens, normalized.text());
    for (AddedTokenCutter::Part part; going && normalized_cutter.next(part);) {
      going = part.is_token ? put(part.id, normalized.source(part.text)) : words.read(normalized, part.text);
    }
  }
  return PUMICE_OK;
}

}  // namespace pumice
