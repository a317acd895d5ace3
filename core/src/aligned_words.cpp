// Which bytes of a text BERT's words and their pieces stand for.
#include "aligned_words.h"

#include "unicode.h"
#include "utf8.h"
#include "wordpiece.h"

namespace pumice {

bool AlignedWords::allocate() {
  const std::size_t chars = model_.parameters.max_word_chars;
  bytes_ = worker_.arena.take<char>(4 * chars);
  sources_ = worker_.arena.take<Span>(4 * chars);
  ends_ = worker_.arena.take<std::uint32_t>(chars);
  return bytes_ != nullptr && sources_ != nullptr && ends_ != nullptr;
}

pumice_status AlignedWords::read(const AlignedText& text, bool& going) {
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

void AlignedWords::add(char32_t c, Span source) {
  const std::uint8_t properties = unicode::properties(c);
  if (properties & (unicode::kWhitespace | unicode::kPunctuation)) end_word();
  if (!going_ || (properties & unicode::kWhitespace)) return;
  append(c, source);
  if (properties & unicode::kPunctuation) end_word();
}

void AlignedWords::append(char32_t c, Span source) {
  if (!started_) whole_.begin = source.begin;
  whole_.end = source.end;
  started_ = true;
  if (chars_++ >= model_.parameters.max_word_chars) return;
  for (unsigned left = utf8::encode(c, bytes_ + size_); left > 0; --left) sources_[size_++] = source;
}

void AlignedWords::end_word() {
  if (!started_) return;
  const Word word{bytes_, size_, chars_ > model_.parameters.max_word_chars};
  const std::uint32_t count = wordpiece(model_, word, worker_.pieces, ends_);
  for (std::uint32_t i = 0; i < count && going_; ++i) {
    const std::size_t begin = i == 0 ? whole_.begin : sources_[ends_[i - 1]].begin;
    const std::size_t end = i + 1 == count ? whole_.end : sources_[ends_[i] - 1].end;
    going_ = spans_.put(worker_.pieces[i], Span{begin, end});
  }
  clear();
}

void AlignedWords::clear() {
  size_ = chars_ = 0;
  started_ = false;
}

}  // namespace pumice
