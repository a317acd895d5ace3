// Which bytes of a text each token stands for: a second, slow reading, checked against HF tokenizers' offsets.
#include "spans.h"

#include <cstdint>

#include "aligned_words.h"
#include "alignment.h"
#include "general.h"
#include "slice.h"
#include "token_spans.h"
#include "worker.h"

namespace pumice {
namespace {

// The other tokenizers' pre-tokenizer and model over normalised text.
pumice_status read_stages(const pumice_model& model, const char* original, AlignedText text, bool first, Arena& arena,
                          TokenSpans& spans, bool& going) {
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
      going = spans.put(ids.ids[j], span_of(original, text, slice(piece, range.begin, range.end - range.begin)));
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
  TokenSpans spans(model, tokens, capacity);
  Arena& arena = worker.arena;
  const bool is_wordpiece = model.parameters.tokenizer == PUMICE_TOKENIZER_WORDPIECE;
  if (!is_wordpiece && !is_utf8(read)) return PUMICE_INVALID_UTF8;
  is_wordpiece ? arena.reset() : arena.begin(read.size());
  AlignedWords words(worker, text, spans);
  if (is_wordpiece && !words.allocate()) return PUMICE_MEMORY_TOO_SMALL;
  const std::size_t mark = arena.mark();
  AddedTokenCutter cutter(model.added_tokens, read);
  pumice_status status = PUMICE_OK;
  bool going = true;
  for (AddedTokenCutter::Part raw; status == PUMICE_OK && going && cutter.next(raw);) {
    const auto begin = static_cast<std::size_t>(raw.text.data() - text);
    const Span whole{begin, begin + raw.text.size()};
    if (raw.is_token) {
      going = spans.put(raw.id, whole);
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
        going = spans.put(part.id, span_of(text, normalized, part.text));
      } else if (is_wordpiece) {
        status = words.read(part_of(normalized, part.text), going);
      } else {
        status = read_stages(model, text, part_of(normalized, part.text), first, arena, spans, going);
      }
    }
  }
  if (status == PUMICE_MEMORY_TOO_SMALL && !is_wordpiece && arena.exhausted()) status = PUMICE_TOO_MUCH_WORK;
  count = spans.count();
  return status == PUMICE_OK && !spans.valid() ? PUMICE_BAD_SECTION : status;
}

}  // namespace pumice
