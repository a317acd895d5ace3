// Unigram (Kudo 2018): the best-scoring cut of a piece, by Viterbi, tie for tie as HF tokenizers finds it.
#include <algorithm>
#include <cstring>

#include "general.h"
#include "slice.h"
#include "utf8.h"

namespace pumice {
namespace {

// The model section, byte for byte; `scores` float64 follow, then, with kByteFallback, 256 ids of bytes.
struct UnigramHeader {
  std::uint32_t scores;
  std::uint32_t flags;
  double unknown_score;
};
static_assert(sizeof(UnigramHeader) == 16);

constexpr std::uint32_t kByteFallback = 1;
// Longer tokens are never found, which bounds the work per byte of text whatever a file says.
constexpr std::size_t kLongestToken = 256;

struct Scores {
  const double* of_token;
  std::uint32_t count;
  double unknown;
  const std::uint32_t* bytes;  // null: no byte fallback
};

Scores scores_of(const pumice_model& model) {
  const std::uint8_t* section = model.sections[PUMICE_SECTION_MODEL].bytes;
  UnigramHeader header;
  std::memcpy(&header, section, sizeof header);
  const auto* scores = reinterpret_cast<const double*>(section + sizeof header);
  const auto* bytes = reinterpret_cast<const std::uint32_t*>(scores + header.scores);
  return {scores, header.scores, header.unknown_score, header.flags & kByteFallback ? bytes : nullptr};
}

// The best cut of what ends at a byte of the piece; `length` bytes of its last token, 0 where none ends.
struct Best {
  double score;
  std::uint32_t id;
  std::uint32_t length;
};

// The first of two equal scores stays: what begins earlier, as the library does.
inline void offer(Best& best, double score, std::uint32_t id, std::uint32_t length) {
  if (best.length == 0 || score > best.score) best = {score, id, length};
}

unsigned first_char(const char* text, const char* end) {
  const char* cursor = text;
  return utf8::decode(cursor, end) == utf8::kInvalid ? 0 : static_cast<unsigned>(cursor - text);
}

// Fills best[1..size]; every boundary of a code point is reached, if only by the unknown token.
bool find_best(const pumice_model& model, const Scores& scores, std::string_view piece, Best* best) {
  const DoubleArray trie = model.vocabulary;
  const char* end = piece.data() + piece.size();
  std::memset(best, 0, (piece.size() + 1) * sizeof(Best));
  for (std::size_t at = 0; at < piece.size();) {
    const unsigned width = first_char(piece.data() + at, end);
    if (width == 0) return false;
    const double before = best[at].score;
    bool single = false;
    std::uint32_t node = DoubleArray::kRoot;
    const std::size_t last = std::min(piece.size(), at + kLongestToken);
    for (std::size_t i = at; i < last; ++i) {
      const auto byte = static_cast<unsigned char>(piece[i]);
      const std::uint32_t child = (trie.units[node].base & ~DoubleArray::kHasValue) ^ byte;
      if (byte == 0 || child >= trie.count || trie.units[child].parent != node) break;
      node = child;
      if (!(trie.units[node].base & DoubleArray::kHasValue)) continue;
      const std::uint32_t leaf = trie.units[node].base & ~DoubleArray::kHasValue;
      const std::uint32_t id = leaf < trie.count ? trie.units[leaf].base : kNone;
      if (id >= scores.count) break;  // no compiled model has it
      const auto length = static_cast<std::uint32_t>(i + 1 - at);
      offer(best[i + 1], scores.of_token[id] + before, id, length);
      single = single || length == width;
    }
    if (!single) offer(best[at + width], scores.unknown + before, model.parameters.unknown_id, width);
    at += width;
  }
  return true;
}

// Writes ids from the last to the first, and what they stand for where that is wanted.
struct Backwards {
  std::uint32_t* ids;
  Range* ranges;  // or null
  std::size_t at;

  void put(std::uint32_t id, std::size_t begin, std::size_t end) {
    ids[--at] = id;
    if (ranges != nullptr) ranges[at] = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }
};

// Ids of what no token spells, or what fused unknown pieces spell: the bytes from `begin` to `end`.
void put_unknown(const pumice_model& model, const Scores& scores, std::string_view piece, std::size_t begin,
                 std::size_t end, Backwards& found) {
  const std::string_view run = slice(piece, begin, end - begin);
  const auto match = model.vocabulary.longest_prefix(DoubleArray::kRoot, run.data(), run.size());
  if (match.length == run.size()) return found.put(match.value, begin, end);
  bool spelled = scores.bytes != nullptr;
  for (std::size_t i = 0; spelled && i < run.size(); ++i) {
    spelled = scores.bytes[static_cast<unsigned char>(run[i])] != kNone;
  }
  if (!spelled) return found.put(model.parameters.unknown_id, begin, end);
  for (std::size_t i = run.size(); i-- > 0;) found.put(scores.bytes[static_cast<unsigned char>(run[i])], begin, end);
}

}  // namespace

pumice_status unigram(const pumice_model& model, std::string_view piece, Arena& arena, Ids& ids, bool ranged) {
  const Scores scores = scores_of(model);
  const std::size_t most = piece.size();  // a token takes a byte or more
  Backwards found{arena.take<std::uint32_t>(most), ranged ? arena.take<Range>(most) : nullptr, most};
  auto* best = arena.take<Best>(piece.size() + 1);
  if (found.ids == nullptr || (ranged && found.ranges == nullptr) || best == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  if (!find_best(model, scores, piece, best)) return PUMICE_INVALID_UTF8;
  std::size_t run_end = 0;  // where unknown pieces that are to be fused end; 0: there are none
  for (std::size_t end = piece.size(); end > 0;) {
    const Best& last = best[end];
    const std::size_t begin = end - last.length;
    const bool unknown = last.id == model.parameters.unknown_id;
    if (unknown && run_end == 0) run_end = end;
    if (!unknown && run_end != 0) {
      put_unknown(model, scores, piece, end, run_end, found);
      run_end = 0;
    }
    if (!unknown) found.put(last.id, begin, end);
    end = begin;
  }
  if (run_end != 0) put_unknown(model, scores, piece, 0, run_end, found);
  ids = {found.ids + found.at, most - found.at, ranged ? found.ranges + found.at : nullptr};
  return PUMICE_OK;
}

pumice_status check_unigram(const pumice_model& model) {
  const Section& section = model.sections[PUMICE_SECTION_MODEL];
  if (section.bytes == nullptr) return PUMICE_MISSING_SECTION;
  if (section.size < sizeof(UnigramHeader)) return PUMICE_BAD_SECTION;
  UnigramHeader header;
  std::memcpy(&header, section.bytes, sizeof header);
  const bool valid = header.scores <= model.parameters.tokens && (header.flags & ~kByteFallback) == 0 &&
                     model.parameters.unknown_id < header.scores;
  if (!valid) return PUMICE_BAD_SECTION;
  const std::uint64_t bytes = header.flags & kByteFallback ? 256 * sizeof(std::uint32_t) : 0;
  const std::uint64_t size = sizeof header + std::uint64_t{header.scores} * sizeof(double) + bytes;
  return section.size == size ? PUMICE_OK : PUMICE_BAD_SECTION;
}

}  // namespace pumice
