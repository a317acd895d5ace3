// BERT's normalizer over a whole text, for tokens that are found in the normalised text; the oracle is the steps'.
#include <bit>
#include <cstring>

#include "normalizer.h"
#include "normalizer_steps.h"
#include "utf8.h"

namespace pumice {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101u;
constexpr std::uint64_t kHighBits = 0x80 * kOnes;

// For eight bytes below 0x80: the high bit of each that is a control character.
std::uint64_t controls(std::uint64_t eight) {
  const std::uint64_t below_space = ~((eight | kHighBits) - ' ' * kOnes);
  const std::uint64_t is_delete = eight + kOnes;
  return (below_space | is_delete) & kHighBits;
}

std::uint64_t lowercase_ascii(std::uint64_t eight) {
  const std::uint64_t from_a = eight + (0x80 - 'A') * kOnes;
  const std::uint64_t past_z = eight + (0x7F - 'Z') * kOnes;
  return eight | (from_a & ~past_z & kHighBits) >> 2;
}

// One code point after the other, as long as none is moved: marks that outlive strip_accents and have a combining
// class are sorted with their neighbours.
class BertText {
 public:
  BertText(const BertNormalizer& normalizer, Arena& arena)
      : normalizer_(normalizer), arena_(arena), left_(arena.left()), begin_(arena.take<char>(left_)), at_(begin_) {}

  // PUMICE_OK though `moves()`: then what was written is of no use.
  pumice_status read(std::string_view text) {
    const char* const end = text.data() + text.size();
    for (const char* cursor = text.data(); cursor < end && !moves_;) {
      if (room() < kMostOfOne) return PUMICE_MEMORY_TOO_SMALL;
      if (end - cursor >= 8 && eight_ascii(cursor)) {
        cursor += 8;
        continue;
      }
      if (static_cast<unsigned char>(*cursor) < 0x80) {
        put_ascii(*cursor++);
        continue;
      }
      const char* const begin = cursor;
      const char32_t c = utf8::decode(cursor, end);
      if (c == utf8::kInvalid) return PUMICE_INVALID_UTF8;
      put(c, begin, static_cast<std::size_t>(cursor - begin));
    }
    return PUMICE_OK;
  }

  bool moves() const { return moves_; }

  // Gives the rest back to the arena.
  std::string_view finish() {
    const auto size = static_cast<std::size_t>(at_ - begin_);
    arena_.shrink(begin_, size);
    return {begin_, size};
  }

 private:
  // What a code point may become: two spaces, and parts of which each is lower-cased to four bytes and four.
  static constexpr std::size_t kMostOfOne = 2 + 4 * unicode::kMaxDecomposition * unicode::kMaxLowercase;

  std::size_t room() const { return left_ - static_cast<std::size_t>(at_ - begin_); }

  bool eight_ascii(const char* cursor) {
    std::uint64_t eight;
    std::memcpy(&eight, cursor, 8);
    if ((eight & kHighBits) != 0) return false;
    if (normalizer_.has(kCleanText) && controls(eight) != 0) return false;
    if (normalizer_.has(kLowercase)) eight = lowercase_ascii(eight);
    std::memcpy(at_, &eight, 8);
    at_ += 8;
    return true;
  }

  void put_ascii(char byte) {
    const auto c = static_cast<unsigned char>(byte);
    const AsciiClass kind = normalizer_.ascii_class[c];
    if (kind == AsciiClass::kRemoved) return;
    const bool cleaned = kind == AsciiClass::kSpace && normalizer_.has(kCleanText);
    *at_++ = cleaned ? ' ' : normalizer_.ascii_lower[c];
  }

  void put(char32_t c, const char* bytes, std::size_t size) {
    const std::uint8_t properties = unicode::properties(c);
    if ((properties & ~unicode::kPunctuation) == 0) {
      std::memcpy(at_, bytes, size);
      at_ += size;
      return;
    }
    if (normalizer_.has(kCleanText)) {
      if (properties & unicode::kRemoved) return;
      if (properties & unicode::kWhitespace) {
        *at_++ = ' ';
        return;
      }
    }
    const bool spaced = normalizer_.has(kChineseChars) && (properties & unicode::kChinese);
    if (spaced) *at_++ = ' ';
    if (normalizer_.has(kStripAccents)) {
      char32_t parts[unicode::kMaxDecomposition];
      const unsigned count = unicode::decompose(c, parts);
      for (unsigned i = 0; i < count; ++i) strip(parts[i]);
    } else {
      lowercase(c);
    }
    if (spaced) *at_++ = ' ';
  }

  void strip(char32_t c) {
    const std::uint8_t properties = unicode::properties(c);
    if (properties & unicode::kNonspacingMark) return;
    moves_ = moves_ || (properties & unicode::kCombines);
    lowercase(c);
  }

  void lowercase(char32_t c) {
    char32_t lower[unicode::kMaxLowercase] = {c};
    const unsigned count = normalizer_.has(kLowercase) ? unicode::lowercase(c, lower) : 1;
    for (unsigned i = 0; i < count; ++i) at_ += utf8::encode(lower[i], at_);
  }

  const BertNormalizer& normalizer_;
  Arena& arena_;
  std::size_t left_;
  char* begin_;
  char* at_;
  bool moves_ = false;
};

// The same as passes over the text.
pumice_status run_passes(const BertNormalizer& normalizer, Arena& arena, std::string_view& text) {
  const auto pass = [&](BertFlag flag, std::uint32_t operation) {
    return normalizer.has(flag) ? map_code_points(operation, arena, text) : PUMICE_OK;
  };
  pumice_status status = pass(kCleanText, kCleanTextStep);
  if (status == PUMICE_OK) status = pass(kChineseChars, kSpaceChineseStep);
  if (status == PUMICE_OK && normalizer.has(kStripAccents)) status = to_normal_form(false, false, arena, text);
  if (status == PUMICE_OK) status = pass(kStripAccents, kDropNonspacingStep);
  if (status == PUMICE_OK) status = pass(kLowercase, kLowercaseStep);
  return status;
}

}  // namespace

pumice_status normalize(const BertNormalizer& normalizer, Arena& arena, std::string_view& text) {
  const std::size_t mark = arena.mark();
  BertText written(normalizer, arena);
  const pumice_status status = written.read(text);
  if (status != PUMICE_OK) return status;
  if (!written.moves()) {
    text = written.finish();
    return PUMICE_OK;
  }
  arena.reset(mark);
  return run_passes(normalizer, arena, text);
}

}  // namespace pumice
