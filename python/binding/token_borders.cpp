// Which tokens of a BPE vocabulary may merge across a border, for the core to see at a glance that most do not.
#include "token_borders.h"

#include <algorithm>
#include <span>
#include <stdexcept>

#include "general.h"

namespace pumice {
namespace {

constexpr std::uint32_t kUnclear = 1;  // of TokenBorders: bit 0

// A merge that one of two tokens takes part in.
struct Partner {
  std::uint32_t token;  // the other one
  std::uint32_t time;
};

// By token its merges, by rising time.
using Partners = std::vector<std::vector<Partner>>;

struct Reach {
  std::uint32_t own = 0;
  std::uint32_t partners = 0;
};

// What a token's end (or beginning) may merge with: that of itself, of its last (or first) part until it was merged,
// of that one's, and so on. `inner`: which part is at the border.
Reach reach(std::span<const TokenParts> parts, const Partners& partners, std::uint32_t TokenParts::* inner,
            std::uint32_t token) {
  Reach found;
  std::uint32_t until = kNone;
  for (;;) {
    for (const Partner& partner : partners[token]) {
      if (partner.time > until) break;
      found.own |= border_bit(token);
      found.partners |= border_bit(partner.token);
    }
    until = parts[token].time;
    if (until == 0) return found;
    token = parts[token].*inner;
  }
}

bool are_valid(std::span<const TokenParts> parts) {
  return std::all_of(parts.begin(), parts.end(), [&](const TokenParts& one) {
    if (one.time == 0 || one.time == kNone) return true;
    const auto earlier = [&](std::uint32_t part) { return part < parts.size() && parts[part].time < one.time; };
    return earlier(one.left) && earlier(one.right);
  });
}

}  // namespace

std::vector<TokenBorders> token_borders(std::string_view model, std::string_view parts_section) {
  pumice_model view{};
  Section& section = view.sections[PUMICE_SECTION_MODEL];
  section = {reinterpret_cast<const std::uint8_t*>(model.data()), model.size()};
  const std::span<const TokenParts> parts(reinterpret_cast<const TokenParts*>(parts_section.data()),
                                          parts_section.size() / sizeof(TokenParts));
  if (check_bpe(view) != PUMICE_OK || !are_valid(parts)) throw std::invalid_argument("not a BPE model");
  const BpeMerges merges(section);
  Partners on_right(parts.size()), on_left(parts.size());
  for (std::size_t slot = 0; slot <= merges.mask(); ++slot) {
    const Merge& merge = merges.slots[slot];
    if (merge.left >= parts.size() || merge.right >= parts.size()) continue;
    on_right[merge.left].push_back({merge.right, merge.rank + 1});
    on_left[merge.right].push_back({merge.left, merge.rank + 1});
  }
  for (Partners* partners : {&on_right, &on_left}) {
    for (std::vector<Partner>& of_one : *partners)
      std::sort(of_one.begin(), of_one.end(), [](const Partner& a, const Partner& b) { return a.time < b.time; });
  }
  std::vector<TokenBorders> borders;
  borders.reserve(parts.size());
  for (std::uint32_t token = 0; token < parts.size(); ++token) {
    if (parts[token].time == kNone) {
      borders.push_back({kUnclear, kUnclear, kUnclear, kUnclear});
      continue;
    }
    const Reach end = reach(parts, on_right, &TokenParts::right, token);
    const Reach begin = reach(parts, on_left, &TokenParts::left, token);
    borders.push_back({end.partners | kUnclear, end.own | kUnclear, begin.own, begin.partners});
  }
  return borders;
}

}  // namespace pumice
