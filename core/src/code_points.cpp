// Normalizer steps that look at one code point at a time.
#include "general.h"
#include "normal_forms.h"
#include "normalizer_steps.h"
#include "text_writer.h"
#include "unicode.h"

namespace pumice {
namespace {

template <class Map>
pumice_status map_each(Arena& arena, std::string_view& text, Map map) {
  TextWriter writer(arena);
  const char* end = text.data() + text.size();
  for (const char* cursor = text.data(); cursor < end && !writer.full();) {
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

void put_lowercase(TextWriter& writer, char32_t c, std::string_view as_written) {
  if (c < 0x80) {
    writer.put_ascii(static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c));
    return;
  }
  if (!(unicode::properties(c) & unicode::kLowercases)) return writer.put(as_written);
  char32_t lower[unicode::kMaxLowercase];
  const unsigned count = unicode::lowercase(c, lower);
  for (unsigned i = 0; i < count; ++i) writer.put(lower[i]);
}

}  // namespace

pumice_status map_code_points(std::uint32_t operation, Arena& arena, std::string_view& text) {
  using View = std::string_view;
  switch (operation) {
    case kCleanTextStep:
      return map_each(arena, text, [](TextWriter& writer, char32_t c, View as_written) {
        const std::uint8_t properties = unicode::properties(c);
        if (properties & unicode::kRemoved) return;
        writer.put(properties & unicode::kWhitespace ? View(" ") : as_written);
      });
    case kSpaceChineseStep:
      return map_each(arena, text, [](TextWriter& writer, char32_t c, View as_written) {
        const bool spaced = (unicode::properties(c) & unicode::kChinese) != 0;
        if (spaced) writer.put_ascii(' ');
        writer.put(as_written);
        if (spaced) writer.put_ascii(' ');
      });
    case kDropNonspacingStep:
      return map_each(arena, text, [](TextWriter& writer, char32_t c, View as_written) {
        if (!(unicode::properties(c) & unicode::kNonspacingMark)) writer.put(as_written);
      });
    case kStripAccentsStep:
      return map_each(arena, text, [](TextWriter& writer, char32_t c, View as_written) {
        if (c < 0x80 || !(unicode::kForms[c] & unicode::kAccent)) writer.put(as_written);
      });
    case kLowercaseStep:
      return map_each(arena, text, put_lowercase);
    default:
      return map_each(arena, text, [](TextWriter& writer, char32_t c, View as_written) {
        if (!nmt_removes(c)) writer.put(nmt_spaces(c) ? View(" ") : as_written);
      });
  }
}

}  // namespace pumice
