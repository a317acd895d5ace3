// Normalizer steps that look at one code point at a time.
#include "aligned_text.h"
#include "general.h"
#include "normal_forms.h"
#include "normalizer_steps.h"
#include "unicode.h"

namespace pumice {
namespace {

template <class Text, class Map>
pumice_status map_each(Arena& arena, Text& text, Map map) {
  WriterOf<Text> writer(arena, text);
  const std::string_view read = bytes_of(text);
  const char* end = read.data() + read.size();
  for (const char* cursor = read.data(); cursor < end && !writer.full();) {
    const char* at = cursor;
    const char32_t c = utf8::decode(cursor, end);
    if (c == utf8::kInvalid) return PUMICE_INVALID_UTF8;
    map(writer, c, std::string_view(at, static_cast<std::size_t>(cursor - at)));
  }
  if (writer.full()) return PUMICE_MEMORY_TOO_SMALL;
  text = writer.finish();
  return PUMICE_OK;
}

// tokenizers' Nmt normalizer, after SentencePiece's nmt rules.
bool nmt_removes(char32_t c) {
  return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
}

bool nmt_spaces(char32_t c) {
  return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
         c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
}

template <class Writer>
void put_lowercase(Writer& writer, char32_t c, std::string_view as_written) {
  if (c < 0x80) {
    writer.put_ascii(static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c), as_written.data());
    return;
  }
  if (!(unicode::properties(c) & unicode::kLowercases)) return writer.copy(as_written);
  char32_t lower[unicode::kMaxLowercase];
  const unsigned count = unicode::lowercase(c, lower);
  for (unsigned i = 0; i < count; ++i) writer.put(lower[i], as_written.data());
}

}  // namespace

template <class Text>
pumice_status map_code_points(std::uint32_t operation, Arena& arena, Text& text) {
  using View = std::string_view;
  switch (operation) {
    case kCleanTextStep:
      return map_each(arena, text, [](auto& writer, char32_t c, View as_written) {
        const std::uint8_t properties = unicode::properties(c);
        if (properties & unicode::kRemoved) return;
        properties& unicode::kWhitespace ? writer.put_ascii(' ', as_written.data()) : writer.copy(as_written);
      });
    case kSpaceChineseStep:
      return map_each(arena, text, [](auto& writer, char32_t c, View as_written) {
        const bool spaced = (unicode::properties(c) & unicode::kChinese) != 0;
        if (spaced) writer.put_ascii(' ', as_written.data());
        writer.copy(as_written);
        if (spaced) writer.put_ascii(' ', as_written.data());
      });
    case kDropNonspacingStep:
      return map_each(arena, text, [](auto& writer, char32_t c, View as_written) {
        if (!(unicode::properties(c) & unicode::kNonspacingMark)) writer.copy(as_written);
      });
    case kStripAccentsStep:
      return map_each(arena, text, [](auto& writer, char32_t c, View as_written) {
        if (c < 0x80 || !(unicode::kForms[c] & unicode::kAccent)) writer.copy(as_written);
      });
    case kLowercaseStep:
      return map_each(arena, text,
                      [](auto& writer, char32_t c, View as_written) { put_lowercase(writer, c, as_written); });
    default:
      return map_each(arena, text, [](auto& writer, char32_t c, View as_written) {
        if (nmt_removes(c)) return;
        nmt_spaces(c) ? writer.put_ascii(' ', as_written.data()) : writer.copy(as_written);
      });
  }
}

template pumice_status map_code_points(std::uint32_t, Arena&, std::string_view&);
template pumice_status map_code_points(std::uint32_t, Arena&, AlignedText&);

}  // namespace pumice
