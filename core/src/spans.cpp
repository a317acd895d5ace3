// Which bytes of a text each token stands for: a second, slow reading, checked against HF tokenizers' offsets.
//
// The tokenizers library aligns every code point of the normalised text with one of the original. Deleting a
// code point, mapping it and lower-casing it keep the alignment; what a code point expands to shares it. One
// rule is odd: sorting combining marks moves the marks and leaves the alignments where they were, so the n-th
// mark of a run is aligned with the n-th one as written. Hence the run is sorted whole here, also the marks
// that are then dropped, which the hot path never stores.
#include "spans.h"

#include <cstdint>
#include <cstring>

#include "worker.h"

namespace pumice {
namespace {

struct Span {
  std::size_t begin;
  std::size_t end;
};

// A code point of the normalised text and the bytes it is aligned with.
struct Aligned {
  Span source;
  char32_t point;
  std::uint8_t combining_class;  // 0 where accents stay: nothing is sorted then
  bool inserted;                 // by a decomposition, after its first code point
};

struct AlignedText {
  Aligned* points = nullptr;
  std::size_t count = 0;
  std::size_t capacity = 0;

  void push(const Aligned& point) {
    if (count < capacity) points[count] = point;
    ++count;
  }
};

// Clean text, space Chinese, decompose: BERT's normalizer up to the sort of the marks.
pumice_status decompose(const BertNormalizer& normalizer, const char* text, Span segment, AlignedText& out) {
  const char* cursor = text + segment.begin;
  const char* end = text + segment.end;
  while (cursor < end) {
    const auto begin = static_cast<std::size_t>(cursor - text);
    const char32_t c = utf8::decode(cursor, end);
    if (c == utf8::kInvalid) return PUMICE_INVALID_UTF8;
    const Span source{begin, static_cast<std::size_t>(cursor - text)};
    const std::uint8_t properties = unicode::properties(c);
    if (normalizer.has(kCleanText) && (properties & unicode::kRemoved)) continue;
    const bool spaced = normalizer.has(kChineseChars) && (properties & unicode::kChinese);
    if (spaced) out.push({source, U' ', 0, false});
    if (normalizer.has(kStripAccents)) {
      char32_t parts[unicode::kMaxDecomposition];
      const unsigned count = unicode::decompose(c, parts);
      for (unsigned i = 0; i < count; ++i) out.push({source, parts[i], unicode::combining_class(parts[i]), i > 0});
    } else {
      out.push({source, c, 0, false});
    }
    if (spaced) out.push({source, U' ', 0, false});
  }
  return PUMICE_OK;
}

// Sorts one run of marks by class, stably; the alignments stay in the order of the text. `before` is what an
// inserted mark shares where no mark of the run as written stands before it.
void sort_run(Aligned* run, std::size_t size, Span before, Aligned* sorted) {
  std::size_t place[256] = {};
  for (std::size_t i = 0; i < size; ++i) ++place[run[i].combining_class];
  std::size_t next = 0;
  for (std::size_t& count : place) {
    const std::size_t begin = next;
    next += count;
    count = begin;
  }
  for (std::size_t i = 0; i < size; ++i) sorted[place[run[i].combining_class]++] = run[i];
  std::size_t written = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (!sorted[i].inserted) {
      while (run[written].inserted) ++written;  // as many are left as `sorted` holds
      before = run[written++].source;
    }
    sorted[i].source = before;
  }
  std::memcpy(run, sorted, size * sizeof(Aligned));
}

pumice_status sort_marks(AlignedText& text, Arena& arena) {
  const std::size_t mark = arena.mark();
  for (std::size_t i = 0; i < text.count;) {
    std::size_t end = i;
    while (end < text.count && text.points[end].combining_class != 0) ++end;
    if (end - i > 1) {
      auto* sorted = arena.take<Aligned>(end - i);
      if (sorted == nullptr) return PUMICE_MEMORY_TOO_SMALL;
      sort_run(text.points + i, end - i, text.points[i > 0 ? i - 1 : i].source, sorted);
      arena.reset(mark);
    }
    i = end + 1;
  }
  return PUMICE_OK;
}

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
  bool read(const AlignedText& text) {
    going_ = true;
    clear();
    for (std::size_t i = 0; i < text.count && going_; ++i) {
      const Aligned& aligned = text.points[i];
      const bool strips = model_.normalizer.has(kStripAccents);
      if (strips && (unicode::properties(aligned.point) & unicode::kNonspacingMark)) continue;
      char32_t lower[unicode::kMaxLowercase] = {aligned.point};
      const unsigned count = model_.normalizer.has(kLowercase) ? unicode::lowercase(aligned.point, lower) : 1;
      for (unsigned j = 0; j < count && going_; ++j) add(lower[j], aligned.source);
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
  Span span{};
  const auto sink = [&](std::uint32_t id) {
    if (count < capacity) tokens[count] = {id, span.begin, span.end};
    ++count;
  };
  TokenStream<decltype(sink)> stream(model, sink);
  const auto put = [&](std::uint32_t id, Span of) {
    span = of;
    return stream.put(id);
  };
  Arena& arena = worker.arena;
  arena.reset();
  AlignedWords<decltype(put)> words(worker, put);
  if (!words.allocate()) return PUMICE_MEMORY_TOO_SMALL;
  const std::size_t mark = arena.mark();
  const std::size_t end = cut_chars(text, size, model.parameters.max_chars);
  for (std::size_t at = 0; at < end;) {
    const AddedTokenMatch added = find_added_token(model, text + at, text + end);
    const auto stop = static_cast<std::size_t>(added.begin - text);
    arena.reset(mark);
    AlignedText aligned;
    aligned.capacity = arena.left() / sizeof(Aligned);
    if (aligned.capacity > 0) --aligned.capacity;  // what alignment may cost
    aligned.points = arena.take<Aligned>(aligned.capacity);
    pumice_status status = decompose(model.normalizer, text, {at, stop}, aligned);
    if (status == PUMICE_OK && aligned.count > aligned.capacity) status = PUMICE_MEMORY_TOO_SMALL;
    if (status != PUMICE_OK) return status;
    arena.shrink(aligned.points, aligned.count);
    status = sort_marks(aligned, arena);
    if (status != PUMICE_OK) return status;
    if (!words.read(aligned) || stop == end) break;
    if (!put(added.id, {stop, stop + added.length})) break;
    at = stop + added.length;
  }
  return PUMICE_OK;
}

}  // namespace pumice
