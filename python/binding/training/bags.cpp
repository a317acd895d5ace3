// A batch's tokens by token and by text.
#include "bags.h"

#include <algorithm>

namespace pumice::training {
namespace {

// Each row's occurrences once a text; `places` are theirs within their texts. Returns what each counts.
std::vector<std::int64_t> merge(TokenBags& bags, const std::vector<std::int32_t>& places,
                                const CountsOfTokens& counts) {
  const auto told = [](const std::vector<std::int64_t>& numbers, std::size_t index) {
    return numbers.empty() ? 1 : numbers[std::min(index, numbers.size() - 1)];
  };
  std::vector<std::int64_t> merged;
  std::size_t kept = 0;
  for (std::size_t row = 0; row < bags.rows.size(); ++row) {
    const auto begin = static_cast<std::size_t>(bags.row_offsets[row]);
    const auto end = static_cast<std::size_t>(bags.row_offsets[row + 1]);
    bags.row_offsets[row] = static_cast<std::int32_t>(kept);
    for (std::size_t i = begin; i < end;) {
      const std::int32_t text = bags.texts[i];
      std::int64_t sum = 0;
      for (std::size_t before = 0; i < end && bags.texts[i] == text; ++i, ++before)
        sum += told(counts.repeats, before) * told(counts.places, static_cast<std::size_t>(places[i]));
      bags.texts[kept++] = text;
      merged.push_back(sum);
    }
  }
  bags.row_offsets.back() = static_cast<std::int32_t>(kept);
  bags.texts.resize(kept);
  return merged;
}

// The merged occurrences again, by text.
void by_text(TokenBags& bags, const std::vector<std::int64_t>& counts, std::size_t texts) {
  std::vector<std::int64_t> totals(texts, 0);
  bags.offsets.assign(texts + 1, 0);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto text = static_cast<std::size_t>(bags.texts[i]);
    ++bags.offsets[text + 1];
    totals[text] += counts[i];
  }
  for (std::size_t text = 0; text < texts; ++text) bags.offsets[text + 1] += bags.offsets[text];
  std::vector<std::int32_t> next(bags.offsets.begin(), bags.offsets.end() - 1);
  bags.ids.resize(counts.size());
  bags.by_text.resize(counts.size());
  bags.by_token.resize(counts.size());
  for (std::size_t row = 0; row < bags.rows.size(); ++row) {
    for (auto i = static_cast<std::size_t>(bags.row_offsets[row]);
         i < static_cast<std::size_t>(bags.row_offsets[row + 1]); ++i) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(bags.texts[i])]++);
      bags.ids[at] = bags.rows[row];
      bags.by_text[at] = bags.by_token[i] = static_cast<float>(counts[i]);
    }
  }
  bags.totals.assign(totals.begin(), totals.end());
}

}  // namespace

TokenBags bags_of(const TokensOfTexts& tokens, const CountsOfTokens& counts) {
  const auto total = static_cast<std::size_t>(tokens.offsets[tokens.texts]);
  const std::int32_t most = total == 0 ? -1 : *std::max_element(tokens.ids, tokens.ids + total);
  std::vector<std::int32_t> next(static_cast<std::size_t>(most) + 1, 0);
  for (std::size_t i = 0; i < total; ++i) ++next[static_cast<std::size_t>(tokens.ids[i])];
  TokenBags made;
  std::int32_t end = 0;
  for (std::size_t id = 0; id < next.size(); ++id) {
    const std::int32_t count = next[id];
    next[id] = end;
    if (count == 0) continue;
    made.rows.push_back(static_cast<std::int32_t>(id));
    made.row_offsets.push_back(end);
    end += count;
  }
  made.row_offsets.push_back(end);
  made.texts.resize(total);
  std::vector<std::int32_t> places(counts.alike() ? 0 : total);
  for (std::size_t text = 0; text < tokens.texts; ++text) {
    const auto begin = static_cast<std::size_t>(tokens.offsets[text]);
    for (std::size_t i = begin; i < static_cast<std::size_t>(tokens.offsets[text + 1]); ++i) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(tokens.ids[i])]++);
      made.texts[at] = static_cast<std::int32_t>(text);
      if (!places.empty()) places[at] = static_cast<std::int32_t>(i - begin);
    }
  }
  if (!counts.alike()) by_text(made, merge(made, places, counts), tokens.texts);
  return made;
}

}  // namespace pumice::training
