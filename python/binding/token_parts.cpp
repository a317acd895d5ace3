// What the tokens of a BPE vocabulary are merged of: the core finds those that merge whole without merging.
#include "token_parts.h"

#include <stdexcept>

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

// Merges as docs/format.md says, without haste.
TokenParts parts_of(const BpeMerges& merges, std::vector<std::uint32_t> symbols, std::uint32_t id) {
  TokenParts parts = {kNone, kNone, 0, 0, 0};
  while (symbols.size() > 1) {
    const Merge* first = nullptr;
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const Merge* merge = merges.find(symbols[i], symbols[i + 1]);
      if (merge == nullptr || (first != nullptr && first->rank <= merge->rank)) continue;
      first = merge;
      at = i;
    }
    if (first == nullptr) return kNotWhole;
    parts = {first->left, first->right, first->rank + 1, 0, 0};
    symbols[at] = first->id;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  return !symbols.empty() && symbols[0] == id ? parts : kNotWhole;
}

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
    const TokenParts parts = !is_long ? parts_of(merges, symbols_of(merges, view.vocabulary, texts[i]), ids[i])
                             : merges_whole(view, texts[i], ids[i]) ? kWhole
                                                                    : kNotWhole;
    words.insert(words.end(), {parts.left, parts.right, parts.time});
  }
  return words;
}

}  // namespace pumice
