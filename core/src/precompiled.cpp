// SentencePiece's precompiled charsmap, as HF tokenizers applies it: whole grapheme clusters first.
//
// A cluster of fewer than six bytes becomes what the *shortest* key that it begins with maps to, and the
// rest of the cluster is lost; any other cluster, and one that no key begins, goes code point by code
// point. SentencePiece itself takes the longest key and knows no clusters: the library is the reference.
#include "general.h"
#include "graphemes.h"
#include "normalizer_steps.h"
#include "slice.h"
#include "text_writer.h"

namespace pumice {
namespace {

constexpr std::size_t kAsciiBits = 16;
constexpr std::size_t kShortCluster = 6;
constexpr std::size_t kLongestString = 1024;  // bounds how much longer a hostile file can make a text

// The file's bytes: bits of ASCII, u32 size of the trie, its units, strings that end with a NUL.
struct Charsmap {
  const std::uint8_t* changed_ascii;
  const std::uint32_t* units;
  std::uint32_t count;
  std::string_view strings;
};

Charsmap charsmap_of(const Step& step) {
  std::uint32_t trie_size;
  std::memcpy(&trie_size, step.data + kAsciiBits, sizeof trie_size);
  const std::uint8_t* trie = step.data + kAsciiBits + sizeof trie_size;
  const auto* strings = reinterpret_cast<const char*>(trie + trie_size);
  const std::size_t size = step.size - kAsciiBits - sizeof trie_size - trie_size;
  return {step.data, reinterpret_cast<const std::uint32_t*>(trie), trie_size / 4, {strings, size}};
}

// A unit of Darts-clone (Yata): a label, whether a key ends at it, the offset of its children.
constexpr std::uint32_t label(std::uint32_t unit) { return unit & (0x80000000u | 0xFF); }
constexpr bool has_leaf(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }
constexpr std::uint32_t offset(std::uint32_t unit) { return (unit >> 10) << ((unit & 0x200) >> 6); }

// What the shortest key that `text` begins with maps to. Every index is compared: the trie is the file's.
bool transform(const Charsmap& map, std::string_view text, std::string_view& out) {
  std::uint32_t node = offset(map.units[0]);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    node ^= byte;
    if (byte == 0 || node >= map.count || label(map.units[node]) != byte) return false;
    const std::uint32_t unit = map.units[node];
    node ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (node >= map.count) return false;
    const std::uint32_t at = map.units[node] & 0x7FFFFFFFu;
    if (at > map.strings.size()) return false;
    const std::string_view string = slice(map.strings, at);
    out = slice(string, 0, string.find('\0'));
    return true;
  }
  return false;
}

bool keeps_ascii(const Charsmap& map, unsigned char byte) {
  return byte < 0x80 && !(map.changed_ascii[byte >> 3] >> (byte & 7) & 1);
}

// ASCII from `cursor` on that stays: what is followed by ASCII or nothing is a cluster of its own.
const char* skip_ascii(const Charsmap& map, const char* cursor, const char* end) {
  while (cursor < end && keeps_ascii(map, static_cast<unsigned char>(*cursor)) &&
         (cursor + 1 == end || static_cast<unsigned char>(cursor[1]) < 0x80)) {
    ++cursor;
  }
  return cursor;
}

// The end of the cluster that begins at `begin`, or null where it is not UTF-8.
const char* cluster_end(const char* begin, const char* end) {
  const char* cursor = begin;
  char32_t c = utf8::decode(cursor, end);
  if (c == utf8::kInvalid) return nullptr;
  unicode::GraphemeCluster cluster(c);
  while (cursor < end) {
    const char* at = cursor;
    c = utf8::decode(cursor, end);
    if (c == utf8::kInvalid) return nullptr;
    if (!cluster.take(c)) return at;
  }
  return end;
}

}  // namespace

pumice_status apply_precompiled(const Step& step, Arena& arena, std::string_view& text) {
  const Charsmap map = charsmap_of(step);
  TextWriter writer(arena);
  const char* end = text.data() + text.size();
  for (const char* cursor = text.data(); cursor < end && !writer.full();) {
    const char* kept = skip_ascii(map, cursor, end);
    writer.put(std::string_view(cursor, static_cast<std::size_t>(kept - cursor)));
    if (kept == end) break;
    cursor = kept;
    const char* next = cluster_end(cursor, end);
    if (next == nullptr) return PUMICE_INVALID_UTF8;
    const std::string_view cluster(cursor, static_cast<std::size_t>(next - cursor));
    std::string_view mapped;
    if (cluster.size() < kShortCluster && transform(map, cluster, mapped)) {
      writer.put(mapped);
      cursor = next;
    }
    while (cursor < next) {
      const char* at = cursor;
      utf8::decode(cursor, next);
      const std::string_view point(at, static_cast<std::size_t>(cursor - at));
      writer.put(transform(map, point, mapped) ? mapped : point);
    }
  }
  if (writer.full()) return PUMICE_MEMORY_TOO_SMALL;
  text = writer.finish();
  return PUMICE_OK;
}

bool keeps_space(const Step& step) {
  const Charsmap map = charsmap_of(step);
  const std::uint32_t node = offset(map.units[0]) ^ ' ';
  return node >= map.count || label(map.units[node]) != ' ';
}

bool makes_space(const Step& step, char ascii) {
  std::string_view mapped;
  return transform(charsmap_of(step), std::string_view(&ascii, 1), mapped) && mapped == " ";
}

bool is_precompiled(const Step& step) {
  std::uint32_t trie_size;
  if (step.size < kAsciiBits + sizeof trie_size) return false;
  std::memcpy(&trie_size, step.data + kAsciiBits, sizeof trie_size);
  const std::size_t most = step.size - kAsciiBits - sizeof trie_size;
  if (trie_size == 0 || trie_size % 4 != 0 || trie_size > most) return false;
  std::string_view strings = charsmap_of(step).strings;
  while (strings.size() > kLongestString) {
    const std::size_t nul = strings.find('\0');
    if (nul > kLongestString) return false;
    strings.remove_prefix(nul + 1);
  }
  return true;
}

}  // namespace pumice
