// Texts' tokens, each once with what all of its occurrences count: counted and found again in one look-up.
#include "merge_tokens.h"

#include <algorithm>

namespace pumice::simd {
namespace {

// Counting and merging look a token up once between them.
class TokenMerger {
 public:
  // For texts of `longest` tokens.
  TokenMerger(const TokenCounts& counts, std::size_t longest) : multipliers_(counts.multipliers), seen_(counts.seen) {
    write(counts.rule.repeats, longest, repeats_);
    write(counts.rule.positions, longest, positions_);
  }

  std::size_t merge(std::uint32_t* tokens, std::size_t count, std::int16_t* multipliers) {
    std::uint32_t next = 1;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t token = tokens[i];
      const std::uint32_t place = seen_[token];  // from 1 on
      // Every other token came before: no branch may guess it, which a choice between two values can become.
      std::uint32_t is_new = 0u - ((place - 1) >> 31);
#ifdef __GNUC__
      asm("" : "+r"(is_new));
#endif
      const std::uint32_t at = place | (next & is_new);
      next -= is_new;
      seen_[token] = static_cast<std::uint8_t>(at);
      tokens[at - 1] = token;
      const std::uint64_t entry = entries_[at];
      const std::int32_t counts = repeats_[static_cast<std::uint32_t>(entry)] * positions_[i];
      const std::int32_t part = (multipliers_[token] * counts + kHalf) >> (2 * kWholeBits);
      entries_[at] = entry + (static_cast<std::uint64_t>(part) << 32) + 1;
    }
    const std::size_t found = next - 1;
    std::size_t written = found;
    for (std::size_t i = 0; i < found; ++i) {
      const std::uint32_t token = tokens[i];
      seen_[token] = 0;
      auto sum = static_cast<std::int32_t>(entries_[i + 1] >> 32);
      entries_[i + 1] = 0;
      // No more parts than occurrences.
      for (; sum > INT16_MAX; sum -= INT16_MAX) tokens[written] = token, multipliers[written++] = INT16_MAX;
      for (; sum < INT16_MIN; sum -= INT16_MIN) tokens[written] = token, multipliers[written++] = INT16_MIN;
      multipliers[i] = static_cast<std::int16_t>(sum);
    }
    return written;
  }

 private:
  static constexpr std::int32_t kHalf = 1 << (2 * kWholeBits - 1);

  // What the first, second, ... counts.
  static void write(const Counts& rule, std::size_t count, std::uint16_t* out) {
    const std::size_t told = std::min(count, rule.size + 1);
    out[0] = kWholeCount;
    for (std::size_t i = 1; i < told; ++i) out[i] = rule.numbers[i - 1];
    if (told < count) std::fill(out + told, out + count, static_cast<std::uint16_t>(rule.of(told)));
  }

  const std::int16_t* const multipliers_;
  std::uint8_t* const seen_;
  std::uint16_t repeats_[kMostMerged];
  std::uint16_t positions_[kMostMerged];
  std::uint64_t entries_[kMostMerged + 1] = {};  // of a place: how often its token came, and above that its sum
};

}  // namespace

void merge_tokens(const TokenCounts& counts, const TokenTexts& texts, std::int16_t* multipliers, std::size_t* kept) {
  const auto each = [&texts](auto&& use) {
    std::size_t from = 0;
    for (std::size_t i = 0; i < texts.texts; from = texts.ends[i++]) use(i, from, texts.ends[i] - from);
  };
  std::size_t longest = 1;
  each([&](std::size_t, std::size_t, std::size_t count) {
    if (count <= kMostMerged) longest = std::max(longest, count);
  });
  TokenMerger merger(counts, longest);
  each([&](std::size_t i, std::size_t from, std::size_t count) {
    kept[i] = count > kMostMerged ? 0 : merger.merge(texts.tokens + from, count, multipliers + from);
  });
}

}  // namespace pumice::simd
