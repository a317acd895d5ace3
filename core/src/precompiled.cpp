// SentencePiece's precompiled charsmap, as HF tokenizers applies it: whole grapheme clusters first.
//
// A cluster of fewer than six bytes becomes what the *shortest* key that it begins with maps to, and the
// rest of the cluster is lost; any other cluster, and one that no key begins, goes code point by code
// point. SentencePiece itself takes the longest key and knows no clusters: the library is the reference.
#include "aligned_text.h"
#include "general.h"
#include "graphemes.h"
#include "normalizer_steps.h"
#include "slice.h"

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

class PlainParts : public TextWriter {
 public:
  using TextWriter::TextWriter;
  void keep(std::string_view part) { copy(part); }
  void map(std::string_view part, std::string_view mapped) { put(mapped, part.data()); }
};

// Parts in the order of the text, aligned by counting code points, as the library counts them. What a part becomes
// takes its code points one by one: beyond them, characters share the last one's alignment; the last character takes
// those that are too many. Those of a part that becomes nothing go to the character before, even one that had none of
// its own; where there is none, nobody takes them, and all that follows is aligned with too early a character.
class AlignedParts {
 public:
  AlignedParts(Arena& arena, const AlignedText& from)
      : writer_(arena, from), next_(from.bytes.data()), end_(next_ + from.bytes.size()) {}

  void keep(std::string_view part) {
    const char* at = part.data();
    for (const char* const end = at + part.size(); at < end;) put(point(at, end), 1);
  }

  void map(std::string_view part, std::string_view mapped) {
    const auto count = [](std::string_view text) {
      std::size_t points = 0;
      for (const char c : text) points += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      return points;
    };
    const std::size_t had = count(part);
    const std::size_t has = count(mapped);
    const char* at = mapped.data();
    std::size_t i = 0;
    for (const char* const end = at + mapped.size(); at < end; ++i) put(point(at, end), i < had ? 1 : 0);
    if (has < had) taken_ += waits_ ? had - has : 0;
  }

  bool full() const { return writer_.full(); }

  AlignedText finish() {
    flush();
    return writer_.finish();
  }

 private:
  // The character at `at`, which is moved past it. A hostile file's strings may be no UTF-8.
  static std::string_view point(const char*& at, const char* end) {
    const char* const begin = at++;
    while (at < end && (static_cast<unsigned char>(*at) & 0xC0) == 0x80) ++at;
    return {begin, static_cast<std::size_t>(at - begin)};
  }

  // The character waits until it is known how many code points it takes.
  void put(std::string_view character, std::size_t taken) {
    flush();
    waiting_ = character;
    taken_ = taken;
    waits_ = true;
  }

  void flush() {
    if (!waits_) return;
    writer_.put(waiting_, taken_ == 0 ? last_ : next_);
    for (; taken_ > 0 && next_ < end_; --taken_) {
      last_ = next_;
      point(next_, end_);
    }
    waits_ = false;
  }

  AlignedWriter writer_;
  const char* next_;  // the first code point that is not taken
  const char* end_;
  const char* last_ = next_;  // the last that is
  std::string_view waiting_;
  std::size_t taken_ = 0;
  bool waits_ = false;
};

template <class Text>
using PartsOf = std::conditional_t<kAligned<Text>, AlignedParts, PlainParts>;

}  // namespace

template <class Text>
pumice_status apply_precompiled(const Step& step, Arena& arena, Text& text) {
  const Charsmap map = charsmap_of(step);
  const std::string_view read = bytes_of(text);
  PartsOf<Text> writer(arena, text);
  const char* end = read.data() + read.size();
  for (const char* cursor = read.data(); cursor < end && !writer.full();) {
    const char* kept = skip_ascii(map, cursor, end);
    writer.keep(std::string_view(cursor, static_cast<std::size_t>(kept - cursor)));
    if (kept == end) break;
    cursor = kept;
    const char* next = cluster_end(cursor, end);
    if (next == nullptr) return PUMICE_INVALID_UTF8;
    const std::string_view cluster(cursor, static_cast<std::size_t>(next - cursor));
    std::string_view mapped;
    if (cluster.size() < kShortCluster && transform(map, cluster, mapped)) {
      writer.map(cluster, mapped);
      cursor = next;
    }
    while (cursor < next) {
      const char* at = cursor;
      utf8::decode(cursor, next);
      const std::string_view point(at, static_cast<std::size_t>(cursor - at));
      transform(map, point, mapped) ? writer.map(point, mapped) : writer.keep(point);
    }
  }
  if (writer.full()) return PUMICE_MEMORY_TOO_SMALL;
  text = writer.finish();
  return PUMICE_OK;
}

template pumice_status apply_precompiled(const Step&, Arena&, std::string_view&);
template pumice_status apply_precompiled(const Step&, Arena&, AlignedText&);

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
