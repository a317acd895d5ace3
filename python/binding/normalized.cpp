// Runs a normalizer section over one text, for the added tokens that are looked for in normalised text.
#include "normalized.h"

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "general.h"

namespace pumice {
namespace {

constexpr std::size_t kFirstScratch = 1 << 13;
constexpr std::size_t kMostScratch = std::size_t{1} << 27;

}  // namespace

std::string normalized(std::string_view program, std::string_view text) {
  pumice_model model{};
  Section& section = model.sections[PUMICE_SECTION_NORMALIZER];
  if (!program.empty()) section = {reinterpret_cast<const std::uint8_t*>(program.data()), program.size()};
  if (check_normalizer(section) != PUMICE_OK) throw std::invalid_argument("not a normalizer");
  for (std::size_t words = kFirstScratch; words <= kMostScratch; words *= 4) {
    std::vector<std::uint64_t> scratch(words);
    Arena arena(scratch.data(), words * sizeof(std::uint64_t));
    arena.begin(text.size());
    std::string_view result = text;
    const pumice_status status = normalize(model, result, arena);
    if (status == PUMICE_OK) return std::string(result);
    if (status != PUMICE_MEMORY_TOO_SMALL || arena.exhausted()) break;
  }
  throw std::invalid_argument("the text cannot be normalised");
}

}  // namespace pumice
