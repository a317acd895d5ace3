// What the tokens of a BPE vocabulary are merged of: the core finds those that merge whole without merging.
#include "token_parts.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "bpe_longest.h"
#include "general.h"

namespace pumice {
namespace {

constexpr TokenParts kNotWhole = {kNone, kNone, kNone, 0, 0};
constexpr TokenParts kWhole = {kNone, kNone, 1, 0, 0};
// Symbols, the queue of merges and ids of a piece, per byte.
constexpr std::size_t kScratchPerByte = 64;

Section section_of(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

// A piece of text's symbols, or none where a byte or a character has no token.
std::vector<std::uint32_t> symbols_of(const BpeMerges& merges, const DoubleArray& vocabulary, std::string_view text) {
  std::vector<std::uint32_t> symbols;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 1;
    std::uint32_t id = kNone;
    if (merges.has(kByteLevel)) {
      id = merges.header->byte_ids[static_cast<unsigned char>(text[at])];
    } else {
      while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xC0) == 0x80) ++size;
      if (!vocabulary.find(text.data() + at, size, id)) id = kNone;
    }
    if (id == kNone) return {};
    symbols.push_back(id);
    at += size;
  }
  return symbols;
}

// Merges as docs/format.md says. Each pair is looked up once, so that a token costs two look-ups a symbol and a
// comparison of ranks a pair of symbols, of which there are kLongest at most.
class Merging {
 public:
  Merging(const BpeMerges& merges, std::vector<std::uint32_t> symbols)
      : merges_(merges), symbols_(std::move(symbols)), found_(symbols_.size()), ranks_(symbols_.size()) {
    for (std::size_t i = 0; i + 1 < symbols_.size(); ++i) look_up(i);
  }

  TokenParts parts_of(std::uint32_t id) {
    TokenParts parts = {kNone, kNone, 0, 0, 0};
    while (symbols_.size() > 1) {
      const std::size_t at = first();
      const Merge* const merge = found_[at];
      if (merge == nullptr) return kNotWhole;
      parts = {merge->left, merge->right, merge->rank + 1, 0, 0};
      symbols_[at] = merge->id;
      remove(symbols_, at + 1);
      remove(found_, at);
      remove(ranks_, at);
      if (at + 1 < symbols_.size()) look_up(at);
      if (at != 0) look_up(at - 1);
    }
    return !symbols_.empty() && symbols_[0] == id ? parts : kNotWhole;
  }

 private:
  // The pair that merges first: of the lowest rank, the leftmost; any where none merges.
  std::size_t first() const {
    const std::size_t pairs = symbols_.size() - 1;
    std::uint32_t lowest = kNone;
    for (std::size_t i = 0; i < pairs; ++i) lowest = std::min(lowest, ranks_[i]);
    std::size_t at = 0;
    while (ranks_[at] != lowest) ++at;
    return at;
  }

  void look_up(std::size_t at) {
    found_[at] = merges_.find(symbols_[at], symbols_[at + 1]);
    ranks_[at] = found_[at] == nullptr ? kNone : found_[at]->rank;
  }

  template <class Value>
  static void remove(std::vector<Value>& values, std::size_t at) {
    values.erase(values.begin() + static_cast<std::ptrdiff_t>(at));
  }

  const BpeMerges& merges_;
  std::vector<std::uint32_t> symbols_;
  std::vector<const Merge*> found_;   // of each symbol and its next one
  std::vector<std::uint32_t> ranks_;  // theirs; kNone where the two do not merge
};

bool merges_whole(const pumice_model& model, std::string_view text, std::uint32_t id) {
  std::vector<std::uint64_t> scratch((text.size() + 1) * kScratchPerByte / sizeof(std::uint64_t));
  Arena arena(scratch.data(), scratch.size() * sizeof(std::uint64_t));
  Ids found;
  if (bpe(model, text, arena, found) != PUMICE_OK) throw std::invalid_argument("a token is too long");
  return found.count == 1 && found.ids[0] == id;
}

}  // namespace

std::vector<std::uint32_t> token_parts(std::string_view model, std::string_view vocabulary,
                                       const std::vector<std::string_view>& texts,
                                       const std::vector<std::uint32_t>& ids) {
  pumice_model view{};
  view.sections[PUMICE_SECTION_MODEL] = section_of(model);
  view.vocabulary.units = reinterpret_cast<const DoubleArray::Unit*>(vocabulary.data());
  view.vocabulary.count = static_cast<std::uint32_t>(vocabulary.size() / sizeof(DoubleArray::Unit));
  if (check_bpe(view) != PUMICE_OK || texts.size() != ids.size()) throw std::invalid_argument("not a BPE model");
  const BpeMerges merges(view.sections[PUMICE_SECTION_MODEL]);
  std::vector<std::uint32_t> words;
  words.reserve(3 * texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool is_long = texts[i].size() > LongestTokens::kLongest;
    const TokenParts parts = !is_long ? Merging(merges, symbols_of(merges, view.vocabulary, texts[i])).parts_of(ids[i])
                             : merges_whole(view, texts[i], ids[i]) ? kWhole
                                                                    : kNotWhole;
    words.insert(words.end(), {parts.left, parts.right, parts.time});
  }
  return words;
}

}  // namespace pumice
