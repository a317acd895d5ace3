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

// Ids of what no token spells, or what fused unknown pieces spell; `at` is where the last id goes plus one.
std::size_t put_unknown(const pumice_model& model, const Scores& scores, std::string_view run, std::uint32_t* ids,
                        std::size_t at) {
  const auto match = model.vocabulary.longest_prefix(DoubleArray::kRoot, run.data(), run.size());
  if (match.length == run.size()) {
    ids[--at] = match.value;
    return at;
  }
  bool spelled = scores.bytes != nullptr;
  for (std::size_t i = 0; spelled && i < run.size(); ++i) {
    spelled = scores.bytes[static_cast<unsigned char>(run[i])] != kNone;
  }
  if (!spelled) {
    ids[--at] = model.parameters.unknown_id;
    return at;
  }
  for (std::size_t i = run.size(); i-- > 0;) ids[--at] = scores.bytes[static_cast<unsigned char>(run[i])];
  return at;
}

}  // namespace

pumice_status unigram(const pumice_model& model, std::string_view piece, Arena& arena, Ids& ids) {
  const Scores scores = scores_of(model);
  auto* found = arena.take<std::uint32_t>(piece.size());  // a token takes a byte or more
  auto* best = arena.take<Best>(piece.size() + 1);
  if (found == nullptr || best == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  if (!find_best(model, scores, piece, best)) return PUMICE_INVALID_UTF8;
  std::size_t at = piece.size();
  std::size_t run_end = 0;  // where unknown pieces that are to be fused end; 0: there are none
  for (std::size_t end = piece.size(); end > 0;) {
    const Best& last = best[end];
    const std::size_t begin = end - last.length;
    const bool unknown = last.id == model.parameters.unknown_id;
    if (unknown && run_end == 0) run_end = end;
    if (!unknown && run_end != 0) {
      at = put_unknown(model, scores, slice(piece, end, run_end - end), found, at);
      run_end = 0;
    }
    if (!unknown) found[--at] = last.id;
    end = begin;
  }
  if (run_end != 0) at = put_unknown(model, scores, slice(piece, 0, run_end), found, at);
  ids = {found + at, piece.size() - at};
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
