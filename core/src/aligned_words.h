// BERT's pre-tokenizer and WordPiece over aligned code points.
#pragma once

#include <cstdint>

#include "aligned_text.h"
#include "pumice.h"
#include "token_spans.h"
#include "worker_memory.h"

namespace pumice {

class AlignedWords {
 public:
  AlignedWords(pumice_worker& worker, const char* original, TokenSpans& spans)
      : worker_(worker), model_(*worker.model), original_(original), spans_(spans) {}

  bool allocate();

  // `going` is false once no further token counts. A hostile model's added tokens may cut a code point in two.
  pumice_status read(const AlignedText& text, bool& going);

 private:
  void add(char32_t c, Span source);
  void append(char32_t c, Span source);
  void end_word();
  void clear();

  pumice_worker& worker_;
  const pumice_model& model_;
  const char* original_;
  TokenSpans& spans_;
  char* bytes_ = nullptr;          // the word, as far as the vocabulary's longest word goes
  Span* sources_ = nullptr;        // of each of its bytes
  std::uint32_t* ends_ = nullptr;  // of its pieces, in its bytes
  Span whole_{};                   // of the word, whatever its length
  std::size_t size_ = 0;
  std::size_t chars_ = 0;
  bool started_ = false;
  bool going_ = true;
};

}  // namespace pumice
