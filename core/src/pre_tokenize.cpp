// pre_tokenizer.json's steps over a text.
#include "aligned_text.h"
#include "general.h"
#include "metaspace.h"
#include "pre_tokenizer_steps.h"
#include "split_patterns.h"
#include "unicode_classes.h"

namespace pumice {
namespace {

// One character of the wanted classes.
auto one_of(std::uint8_t wanted) {
  return [wanted](const char* at, const char* end) {
    const char* next = at;
    return unicode::next_class(next, end) & wanted ? next : at;
  };
}

// \w+|[^\w\s]+
const char* match_word(const char* at, const char* end) {
  const auto kind = [end](const char*& next) {
    const std::uint8_t found = unicode::next_class(next, end);
    return found & unicode::kWordCharacter ? 1 : found & unicode::kSpace ? 0 : 2;
  };
  const char* cursor = at;
  const int first = kind(cursor);
  if (first == 0) return at;
  while (cursor < end) {
    const char* next = cursor;
    if (kind(next) != first) break;
    cursor = next;
  }
  return cursor;
}

auto literal(std::string_view wanted) {
  return [wanted](const char* at, const char* end) {
    const bool found = static_cast<std::size_t>(end - at) >= wanted.size() && *at == wanted[0] &&
                       std::memcmp(at, wanted.data(), wanted.size()) == 0;
    return found ? at + wanted.size() : at;
  };
}

bool split_bert(std::string_view piece, PieceList& list) {
  const char* const end = piece.data() + piece.size();
  const char* word = piece.data();
  for (const char* at = word; at < end;) {
    const char* next = at;
    const std::uint8_t found = unicode::next_class(next, end);
    if (found & (unicode::kSpace | unicode::kPunctuationMark)) {
      const bool stays = found & unicode::kPunctuationMark;
      if (!list.add(word, at) || (stays && !list.add(at, next))) return false;
      word = next;
    }
    at = next;
  }
  return list.add(word, end);
}

bool split_piece(const Step& step, std::string_view piece, PieceList& list) {
  switch (step.operation) {
    case kBert:
      return split_bert(piece, list);
    case kWhitespace:
      return split(piece, Behavior::kRemoved, true, list, match_word);
    case kWhitespaceSplit:
      return split(piece, Behavior::kRemoved, false, list, one_of(unicode::kSpace));
    case kPunctuation:
      return split(piece, behavior_of(step), false, list, one_of(unicode::kPunctuationMark));
    case kDigits:
      return split(piece, behavior_of(step), false, list, one_of(unicode::kNumeric));
    case kSplitLiteral: {
      const std::string_view wanted(reinterpret_cast<const char*>(step.data) + 8, step.size - 8);
      return split(piece, behavior_of(step), word_at(step, 1) != 0, list, literal(wanted));
    }
    case kSplitPattern: {
      const auto pattern = static_cast<SplitPattern>(word_at(step, 2));
      return split(piece, behavior_of(step), word_at(step, 1) != 0, list,
                   [pattern](const char* at, const char* end) { return match_pattern(pattern, at, end); });
    }
  }
  return list.add(piece.data(), piece.data() + piece.size());
}

// ByteLevel's add_prefix_space: each piece that does not begin with a space is given one.
template <class Text>
bool prefix_space(Arena& arena, Text& text, Pieces& pieces) {
  RoomOf<Text> room(arena, text, bytes_of(text).size() + pieces.count);
  if (!room.exists()) return false;
  for (std::size_t i = 0; i < pieces.count; ++i) {
    std::string_view& piece = pieces.pieces[i];
    const char* const begin = room.at();
    if (piece[0] != ' ') room.put(" ", piece.data());
    room.copy(piece);
    piece = std::string_view(begin, static_cast<std::size_t>(room.at() - begin));
  }
  text = room.text();
  return true;
}

template <class Text>
pumice_status run_step(const Step& step, bool first, Arena& arena, Text& text, Pieces& pieces) {
  for (std::size_t i = 0; i < pieces.count; ++i) {
    if (!arena.read(pieces.pieces[i].size())) return PUMICE_TOO_MUCH_WORK;
  }
  if (step.operation >= kFirstMetaspaceOperation) return apply_metaspace(step, first, arena, text, pieces);
  if (step.operation == kPrefixSpace) return prefix_space(arena, text, pieces) ? PUMICE_OK : PUMICE_MEMORY_TOO_SMALL;
  PieceList list(arena);
  for (std::size_t i = 0; i < pieces.count; ++i) {
    if (!split_piece(step, pieces.pieces[i], list)) return PUMICE_MEMORY_TOO_SMALL;
  }
  pieces = list.pieces();
  return PUMICE_OK;
}

bool is_valid(const Step& step) {
  if (step.operation >= kFirstMetaspaceOperation) return is_metaspace(step);
  const bool behaves = step.size >= 4 && word_at(step, 0) < kBehaviors;
  const bool inverts = behaves && step.size >= 8 && word_at(step, 1) <= 1;
  switch (step.operation) {
    case kBert:
    case kWhitespace:
    case kWhitespaceSplit:
    case kPrefixSpace:
      return step.size == 0;
    case kPunctuation:
    case kDigits:
      return behaves && step.size == 4;
    case kSplitLiteral:
      return inverts && step.size > 8 && step.size <= 8 + kLongestPattern;
    case kSplitPattern:
      return inverts && step.size == 12 && word_at(step, 2) < kSplitPatterns;
  }
  return false;
}

}  // namespace

template <class Text>
pumice_status pre_tokenize(const pumice_model& model, Text& text, bool first, Arena& arena, Pieces& pieces) {
  const Section& section = model.sections[PUMICE_SECTION_PRE_TOKENIZER];
  pieces.pieces = arena.take<std::string_view>(1);
  if (pieces.pieces == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  pieces.pieces[0] = bytes_of(text);
  pieces.count = bytes_of(text).empty() ? 0 : 1;
  Program program(section.bytes, section.size);
  pumice_status status = PUMICE_OK;
  for (Step step; status == PUMICE_OK && program.next(step);) status = run_step(step, first, arena, text, pieces);
  return status;
}

template pumice_status pre_tokenize(const pumice_model&, std::string_view&, bool, Arena&, Pieces&);
template pumice_status pre_tokenize(const pumice_model&, AlignedText&, bool, Arena&, Pieces&);

pumice_status check_pre_tokenizer(const Section& section) {
  if (!is_program(section.bytes, section.size)) return PUMICE_BAD_SECTION;
  Program program(section.bytes, section.size);
  for (Step step; program.next(step);) {
    if (!is_valid(step)) return PUMICE_BAD_SECTION;
  }
  return PUMICE_OK;
}

}  // namespace pumice
