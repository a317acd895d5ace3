// BM25's half of mining: passages by token, and the best of them for each of many queries.
#include "postings.h"

#include <algorithm>

namespace pumice {
namespace {

struct Term {
  std::int32_t token, times;
  std::int64_t begin = 0, end = 0;  // of its postings

  std::int64_t postings() const { return end - begin; }
};

// The different tokens of a text, ascending.
void count_terms(const std::int32_t* begin, const std::int32_t* end, std::vector<std::int32_t>& ids,
                 std::vector<Term>& terms) {
  ids.assign(begin, end);
  std::sort(ids.begin(), ids.end());
  terms.clear();
  for (const std::int32_t id : ids) {
    if (!terms.empty() && terms.back().token == id) {
      ++terms.back().times;
    } else {
      terms.push_back({id, 1});
    }
  }
}

// Leaves the terms that count, the rarest first: a score is always summed in the same order.
void keep_asked(const Postings& postings, const AskedFor& asked, std::vector<Term>& terms) {
  for (Term& term : terms) {
    const auto token = static_cast<std::size_t>(term.token);
    if (term.token < 0 || token >= postings.tokens) continue;
    term.begin = postings.edges[token];
    term.end = postings.edges[token + 1];
  }
  std::erase_if(terms, [](const Term& term) { return term.postings() == 0; });
  const auto rarer = [](const Term& a, const Term& b) {
    return a.postings() != b.postings() ? a.postings() < b.postings() : a.token < b.token;
  };
  std::sort(terms.begin(), terms.end(), rarer);
  std::size_t kept = 0;
  for (std::int64_t sum = 0; kept < std::min(terms.size(), asked.tokens); ++kept) {
    sum += terms[kept].postings();
    if (kept > 0 && sum > asked.postings) break;
  }
  terms.resize(kept);
}

}  // namespace

Occurrences occurrences(const TokenTexts& texts, std::size_t tokens) {
  std::vector<std::int32_t> ids;
  std::vector<Term> terms, all;
  std::vector<std::int64_t> ends;
  Occurrences made;
  made.edges.assign(tokens + 1, 0);
  for (std::size_t i = 0; i < texts.count; ++i) {
    const std::int64_t text = texts.which[i];
    count_terms(texts.ids + texts.offsets[text], texts.ids + texts.offsets[text + 1], ids, terms);
    for (const Term& term : terms) ++made.edges[static_cast<std::size_t>(term.token) + 1];
    all.insert(all.end(), terms.begin(), terms.end());
    ends.push_back(static_cast<std::int64_t>(all.size()));
  }
  for (std::size_t token = 0; token < tokens; ++token) made.edges[token + 1] += made.edges[token];
  made.numbers.resize(all.size());
  made.times.resize(all.size());
  std::vector<std::int64_t> next(made.edges.begin(), made.edges.end() - 1);
  std::size_t at = 0;
  for (std::size_t i = 0; i < texts.count; ++i) {
    for (; at < static_cast<std::size_t>(ends[i]); ++at) {
      const auto place = static_cast<std::size_t>(next[static_cast<std::size_t>(all[at].token)]++);
      made.numbers[place] = static_cast<std::int32_t>(i);
      made.times[place] = all[at].times;
    }
  }
  return made;
}

void best_passages(const Postings& postings, const TokenTexts& queries, const AskedFor& asked, std::size_t depth,
                   std::int64_t* found) {
  std::fill(found, found + queries.count * depth, std::int64_t{-1});
  if (depth == 0) return;
  std::vector<std::int32_t> ids;
  std::vector<Term> terms;
  std::vector<float> scores(postings.passages, 0.0f);
  Ranked ranked(depth);
  const auto score_of = [&](std::int64_t at) -> float& {
    return scores[static_cast<std::size_t>(postings.numbers[at])];
  };
  for (std::size_t i = 0; i < queries.count; ++i) {
    const std::int64_t query = queries.which[i];
    count_terms(queries.ids + queries.offsets[query], queries.ids + queries.offsets[query + 1], ids, terms);
    keep_asked(postings, asked, terms);
    for (const Term& term : terms) {
      const auto times = static_cast<float>(term.times);
      for (std::int64_t at = term.begin; at < term.end; ++at) score_of(at) += postings.weights[at] * times;
    }
    // A passage is met once for each term that it shares, and offered the first time: then its score is 0 again. To
    // spare the frequent terms what only they could lift (MaxScore) took longer than it spared.
    for (const Term& term : terms) {
      for (std::int64_t at = term.begin; at < term.end; ++at) {
        float& score = score_of(at);
        if (score > 0 && score >= ranked.least()) ranked.offer(score, postings.numbers[at]);
        score = 0;
      }
    }
    std::int64_t* row = found + i * depth;
    ranked.finish([row](std::size_t place, const Scored& one) { row[place] = one.number; });
  }
}

}  // namespace pumice
