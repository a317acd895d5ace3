// Texts of random characters through the binding's RunTable; built with -fsanitize=address,undefined.
#include "../../python/binding/run_table.h"

#include <cstdint>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr unsigned kRounds = 300;
constexpr std::size_t kTexts = 40;
// Letters, what lies between them, pairs, a capital sigma, four bytes; also what the cutting looks at by lead byte.
const std::vector<std::string> kCharacters{"a",  "Z",  "7",  " ",   "_",  ".",  "é",  "ª",  "²",  "«",  "Σ", "я",
                                           "東", "京", "한", "が",  "ー", "々", "。", "　", "、", "ก",  "น", "ｱ",
                                           "Ｆ", "！", "—",  "‍", "⁰",  "€",  "𠀀", "🙂", "é",  "\n", "0"};

// What a run stands for here: a number for each of its bytes, some alike.
std::vector<std::uint32_t> numbers_of(std::string_view run) {
  std::vector<std::uint32_t> numbers;
  for (const char byte : run) numbers.push_back(static_cast<unsigned char>(byte) % 50);
  return numbers;
}

int fail(const char* what) {
  std::fprintf(stderr, "run_table_test: %s\n", what);
  return 1;
}

}  // namespace

int main() {
  std::mt19937 dice(1);
  pumice::RunTable table;
  std::map<std::string, int> met;
  for (unsigned round = 0; round < kRounds; ++round) {
    std::vector<std::string> texts(kTexts);
    for (std::string& text : texts) {
      for (unsigned left = dice() % (round == 0 ? 5000 : 60); left > 0; --left)
        text += kCharacters[dice() % kCharacters.size()];
    }
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    table.cut(views);
    for (std::size_t i = 0; i < table.unknown(); ++i) {
      const std::string_view run = table.unknown(i);
      if (run.empty() || ++met[std::string(run)] > 1) return fail("an empty run, or one asked for twice");
      const std::vector<std::uint32_t> numbers = numbers_of(run);
      table.learn(i, numbers.data(), numbers.size());
    }
    const pumice::TextTerms terms = table.count();
    if (terms.offsets.size() != kTexts + 1 || terms.offsets.back() != static_cast<std::int64_t>(terms.numbers.size()) ||
        terms.times.size() != terms.numbers.size())
      return fail("columns of unequal lengths");
    for (std::size_t i = 0; i < kTexts; ++i) {
      std::map<std::uint32_t, int> seen;
      for (std::int64_t at = terms.offsets[i]; at < terms.offsets[i + 1]; ++at) {
        const auto place = static_cast<std::size_t>(at);
        if (++seen[terms.numbers[place]] > 1 || terms.times[place] < 1) return fail("a number twice, or of no times");
      }
    }
  }
  // What was learned is new again.
  table.cut({"word"});
  for (std::size_t i = 0; i < table.unknown(); ++i) table.learn(i, numbers_of(table.unknown(i)).data(), 1);
  table.count();
  table.cut({"word"});
  if (table.unknown() != 0) return fail("a run forgotten");
  table.clear();
  table.cut({"word"});
  return table.unknown() == 1 ? 0 : fail("not cleared");
}
