// Which tokens of a BPE vocabulary are what their own text merges to: the core finds these without merging.
#include "whole_pieces.h"

#include <stdexcept>

#include "general.h"

namespace pumice {
namespace {

// Symbols, the queue of merges and ids of a piece, per byte.
constexpr std::size_t kScratchPerByte = 64;

Section section_of(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace

std::vector<bool> merges_whole(std::string_view model, std::string_view vocabulary,
                               const std::vector<std::string_view>& texts, const std::vector<std::uint32_t>& ids) {
  pumice_model view{};
  view.sections[PUMICE_SECTION_MODEL] = section_of(model);
  view.vocabulary.units = reinterpret_cast<const DoubleArray::Unit*>(vocabulary.data());
  view.vocabulary.count = static_cast<std::uint32_t>(vocabulary.size() / sizeof(DoubleArray::Unit));
  if (check_bpe(view) != PUMICE_OK || texts.size() != ids.size()) throw std::invalid_argument("not a BPE model");
  std::vector<bool> whole(texts.size());
  std::vector<std::uint64_t> scratch;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t words = (texts[i].size() + 1) * kScratchPerByte / sizeof(std::uint64_t);
    if (scratch.size() < words) scratch.resize(words);
    Arena arena(scratch.data(), scratch.size() * sizeof(std::uint64_t));
    Ids found;
    if (bpe(view, texts[i], arena, found) != PUMICE_OK) throw std::invalid_argument("a token is too long");
    whole[i] = found.count == 1 && found.ids[0] == ids[i];
  }
  return whole;
}

}  // namespace pumice
