// Every kernel that this processor runs gives the portable kernel's bits, on random rows, weights and bytes.
#include "../src/simd/kernels.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "../fuzz/utf8_reference.h"
#include "../src/simd/distinct_rows.h"
#include "../src/simd/instructions.h"
#include "../src/simd/merge_tokens.h"

namespace {

using namespace pumice::simd;

constexpr std::size_t kRounds = 400;
int failures = 0;
std::mt19937_64 random_bits(7);

void expect(bool same, const char* what, std::size_t detail) {
  if (same) return;
  std::printf("%s differs from the portable kernel at %zu\n", what, detail);
  ++failures;
}

// A table of any bits that are finite as numbers, and a list of its rows with others ahead.
template <class Value>
struct Rows {
  std::vector<Value> table;
  std::vector<std::uint32_t> rows;
  RowList list;

  Rows() {
    const std::size_t dim = 1 + random_bits() % 700;
    const std::size_t stride = dim + random_bits() % 5;
    const std::size_t height = 1 + random_bits() % 50;
    table.resize(height * stride);
    for (Value& value : table) {
      const std::uint64_t bits = random_bits();
      std::memcpy(&value, &bits, sizeof value);
      if constexpr (sizeof(Value) == 4) value = static_cast<Value>(static_cast<double>(bits % 2000001) / 1e6 - 1);
      if constexpr (sizeof(Value) == 2) value = static_cast<Value>(value & 0xBFFF);  // neither infinity nor NaN
    }
    const std::size_t ahead = random_bits() % 20;
    const std::size_t count = random_bits() % (kMostIntegerRows + 1);
    rows.resize(count + ahead);
    for (std::uint32_t& row : rows) row = static_cast<std::uint32_t>(random_bits() % height);
    list = {table.data(), stride, rows.data(), count, ahead, dim, random_bits() % 2 == 0};
  }
};

// As many codes as lie in so many bytes, less some that do not fill the last.
std::size_t packed_dim(std::size_t bytes, unsigned bits) {
  const std::size_t codes = bytes * 8 / bits;
  return codes - random_bits() % (8 / bits);
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class Value>
void compare_floats(const char* name, AddRows portable, AddRows kernel) {
  for (std::size_t round = 0; round < kRounds; ++round) {
    const Rows<Value> rows;
    std::vector<float> weights(rows.list.count);
    for (float& weight : weights) weight = static_cast<float>(random_bits() % 1000) / 333.0f;
    const float* given = round % 2 ? weights.data() : nullptr;
    std::vector<float> wanted(rows.list.dim, 0.25f), found(rows.list.dim, 0.25f);
    portable(wanted.data(), given, rows.list);
    kernel(found.data(), given, rows.list);
    expect(same_bits(wanted, found), name, round);
  }
}

// The largest rows and multipliers among them, which only just do not overflow.
void compare_integers(const char* name, AddIntegerRows kernel) {
  for (std::size_t round = 0; round < kRounds; ++round) {
    Rows<std::int8_t> rows;
    std::vector<std::int16_t> multipliers(rows.list.count);
    for (std::int16_t& multiplier : multipliers) multiplier = static_cast<std::int16_t>(random_bits());
    if (round % 4 == 0) {
      std::fill(rows.table.begin(), rows.table.end(), std::int8_t{-128});
      std::fill(multipliers.begin(), multipliers.end(), round % 8 ? INT16_MIN : INT16_MAX);
    }
    std::vector<std::int32_t> wanted(rows.list.dim, rows.list.first ? 77 : 0), found(wanted);
    kPortableRows.add_rows_i8(wanted.data(), multipliers.data(), rows.list);
    kernel(found.data(), multipliers.data(), rows.list);
    expect(same_bits(wanted, found), name, round);
  }
}

// The same of packed rows, whose list counts bytes from row to row; what they add is held to the codes one by one.
void compare_packed(const char* name, AddIntegerRows portable, AddIntegerRows kernel, unsigned bits) {
  for (std::size_t round = 0; round < kRounds; ++round) {
    Rows<std::uint8_t> rows;
    rows.list.dim = packed_dim(rows.list.dim, bits);
    std::vector<std::int16_t> multipliers(rows.list.count);
    for (std::int16_t& multiplier : multipliers) multiplier = static_cast<std::int16_t>(random_bits());
    if (round % 4 == 0) {
      std::fill(rows.table.begin(), rows.table.end(), static_cast<std::uint8_t>(round % 8 ? 0 : 255));
      std::fill(multipliers.begin(), multipliers.end(), round % 16 < 8 ? INT16_MIN : INT16_MAX);
    }
    std::vector<std::int32_t> wanted(rows.list.dim, 3), found(rows.list.dim, 3);
    portable(wanted.data(), multipliers.data(), rows.list);
    kernel(found.data(), multipliers.data(), rows.list);
    expect(same_bits(wanted, found), name, round);
    const std::size_t d = random_bits() % rows.list.dim;
    std::int64_t sum = rows.list.first ? 0 : 3;
    for (std::size_t i = 0; i < rows.list.count; ++i) {
      const std::uint8_t* row = rows.table.data() + rows.list.rows[i] * rows.list.stride;
      int value = 0;
      for (unsigned bit = 0; bit < bits; ++bit) value |= (row[(d * bits + bit) / 8] >> (d * bits + bit) % 8 & 1) << bit;
      sum += std::int64_t{multipliers[i]} * (2 * value - (1 << bits) + 1);
    }
    expect(sum == found[d], name, d);
  }
}

void compare_vectors(const char* name, const RowKernels& kernels) {
  for (std::size_t round = 0; round < kRounds; ++round) {
    const std::size_t n = 1 + random_bits() % 700;
    std::vector<float> x(n), wanted(n), found(n);
    std::vector<std::int32_t> integers(n);
    for (float& value : x) value = static_cast<float>(static_cast<double>(random_bits() % 2000001) / 1e6 - 1);
    if (round % 8 == 0) std::fill(x.begin(), x.end(), 0.0f);
    if (round % 8 == 1) x[n / 2] = -1e30f;
    if (round % 8 == 2) x[n / 2] = 1e-40f;
    for (std::int32_t& value : integers) value = static_cast<std::int32_t>(random_bits());
    const auto* numbers = reinterpret_cast<const std::uint32_t*>(integers.data());
    expect(kPortableRows.largest(numbers, n) == kernels.largest(numbers, n), name, round);
    const float squares[] = {kPortableRows.sum_of_squares(x.data(), n), kernels.sum_of_squares(x.data(), n)};
    expect(std::memcmp(squares, squares + 1, sizeof *squares) == 0, name, round);
    kPortableRows.scale(x.data(), 0.3f, n, wanted.data());
    kernels.scale(x.data(), 0.3f, n, found.data());
    expect(same_bits(wanted, found), name, round);
    std::vector<float> room(n + 16);
    float* const past = room.data() + random_bits() % 16;
    kernels.scale_past_caches(x.data(), 0.3f, n, past);
    kernels.fence();
    expect(std::memcmp(wanted.data(), past, n * sizeof *past) == 0, name, round);
    std::vector<std::uint8_t> codes(2 * n), others(2 * n);
    kPortableRows.to_halves(x.data(), n, codes.data());
    kernels.to_halves(x.data(), n, others.data());
    expect(same_bits(codes, others), name, round);
    kPortableRows.to_bits(x.data(), n, codes.data());
    kernels.to_bits(x.data(), n, others.data());
    expect(same_bits(codes, others), name, round);
    std::vector<std::int8_t> bytes(n), other_bytes(n);
    kPortableRows.to_bytes(x.data(), n, bytes.data());
    kernels.to_bytes(x.data(), n, other_bytes.data());
    expect(same_bits(bytes, other_bytes), name, round);
    kPortableRows.to_floats(integers.data(), 1e-7f, n, wanted.data());
    kernels.to_floats(integers.data(), 1e-7f, n, found.data());
    expect(same_bits(wanted, found), name, round);
  }
}

void compare_classes(const char* name, Classify kernel) {
  for (std::size_t round = 0; round < 2000; ++round) {
    ByteClasses classes;
    for (auto* set : {&classes.word, &classes.punctuation, &classes.special}) {
      for (std::uint8_t& low : set->low) low = static_cast<std::uint8_t>(random_bits());
    }
    char text[64];
    for (char& byte : text) byte = static_cast<char>(random_bits());
    ByteMasks wanted, found;
    classify_portable(classes, text, wanted);
    kernel(classes, text, found);
    expect(std::memcmp(&wanted, &found, sizeof wanted) == 0, name, round);
  }
}

// Classes as a model's are: disjoint, and a space is in none.
ByteClasses disjoint_classes() {
  ByteClasses classes{};
  for (unsigned byte = 0; byte < 128; ++byte) {
    const auto bit = static_cast<std::uint8_t>(1u << (byte >> 4));
    const std::uint64_t kind = random_bits() % 16;
    AsciiSet* sets[] = {&classes.word, &classes.punctuation, &classes.special};
    if (kind < 13 && byte != ' ') sets[kind < 9 ? 0 : kind < 12 ? 1 : 2]->low[byte & 15] |= bit;
  }
  return classes;
}

// Texts that end anywhere, at the end of their memory, in lists with words of others.
void compare_lists(const char* name, ListWords kernel) {
  const auto wanted = std::make_unique<WordList>(), found = std::make_unique<WordList>();
  for (std::size_t round = 0; round < 5000; ++round) {
    const ByteClasses classes = disjoint_classes();
    const std::size_t beyond = random_bits() % 40;  // one byte in so many may be beyond ASCII
    std::vector<char> text(random_bits() % (round % 4 == 0 ? 2000 : 200));
    for (char& byte : text) {
      byte = static_cast<char>(random_bits() % (beyond != 0 && random_bits() % beyond == 0 ? 256 : 128));
    }
    if (round % 8 == 0) std::fill(text.begin(), text.end(), 'a');
    const std::size_t before = random_bits() % 300;
    wanted->count = found->count = before;
    const char *at = text.data(), *end = at + text.size();
    const bool same_stop = list_words_portable(classes, at, end, *wanted) == kernel(classes, at, end, *found);
    expect(same_stop && found->count == wanted->count, name, round);
    for (std::size_t i = before; i < std::min(wanted->count, found->count); ++i) {
      const bool same_place = wanted->begin[i] == found->begin[i] && wanted->size[i] == found->size[i];
      expect(same_place && wanted->low[i] == found->low[i] && wanted->high[i] == found->high[i], name, round);
    }
  }
}

// Words of few letters, so that many are in the caches and some are twice in a set.
void compare_finds(const char* name, const FindWords& find) {
  using namespace pumice;
  constexpr unsigned kBits = 3;
  const auto list = std::make_unique<WordList>();
  for (std::size_t round = 0; round < 2000; ++round) {
    std::vector<LittleWords::Set> sets(std::size_t{1} << kBits);
    std::vector<ShortWords::Entry> entries(ShortWords::kWays << kBits);
    LittleWords little_words;
    ShortWords short_words;
    little_words.adopt(sets.data(), kBits);
    short_words.adopt(entries.data(), kBits);
    const auto word = [](std::uint64_t bytes) {
      std::uint64_t letters = 0;
      for (std::uint64_t i = 0; i < bytes && i < 8; ++i) letters |= (1 + random_bits() % 2) << 8 * i;
      return letters;
    };
    for (std::size_t i = 0; i < 60; ++i) {
      const std::uint64_t little = word(1 + random_bits() % 4);
      const std::uint32_t ids[2] = {static_cast<std::uint32_t>(little * 0x9E3779B9u), 7};
      little_words.insert(little, ids, 1 + little % 2);
      const ShortWords::Key key = {{word(1 + random_bits() % 2), word(random_bits() % 2)}};
      ShortWords::Entry& entry = short_words.insert(key);
      for (std::uint32_t& id : entry.ids) id = static_cast<std::uint32_t>(random_bits());
      entry.kept = static_cast<std::uint8_t>(random_bits() % 5);
      entry.total = random_bits() % 4 == 0 ? ShortWords::kElsewhere : entry.kept;
      entry.starts = static_cast<std::uint16_t>(random_bits());
    }
    list->count = random_bits() % WordList::kRoom;
    for (std::size_t i = 0; i < list->count; ++i) {
      list->low[i] = word(1 + random_bits() % 4);
      list->high[i] = word(random_bits() % 2);
      list->size[i] = random_bits() % 8 == 0 ? 17 : 16;
    }
    struct Result {
      FoundWord found[WordList::kRoom] = {};
      std::uint16_t missed[WordList::kRoom] = {};
      std::size_t unknown = 0, new_words = 0;
    };
    const auto look_up = [&](const FindWords& kernel) {
      auto result = std::make_unique<Result>();
      result->unknown = kernel.in_little(little_words, *list, result->found, result->missed);
      // What is found of the others does not count, nor what lies behind a found word's tokens.
      for (std::size_t i = 0; i < result->unknown; ++i) result->found[result->missed[i]] = {};
      for (std::size_t i = 0; i < list->count; ++i) {
        FoundWord& found = result->found[i];
        std::fill(found.ids + std::min<std::size_t>(found.kept, ShortWords::kTokens), std::end(found.ids), 0);
        found.starts = 0;
      }
      result->new_words = kernel.in_short(short_words, *list, result->found, result->missed, result->unknown);
      return result;
    };
    const auto wanted = look_up(kPortableFind), got = look_up(find);
    const bool same_words = got->unknown == wanted->unknown && got->new_words == wanted->new_words &&
                            std::equal(wanted->missed, wanted->missed + wanted->new_words, got->missed);
    expect(same_words && std::memcmp(wanted->found, got->found, sizeof got->found) == 0, name, round);
  }
}

// Each token once, with what pumice::TextCounter says of its occurrences one by one.
void compare_merges() {
  constexpr std::size_t kTokens = 300;
  std::int16_t multipliers[kTokens];
  std::uint8_t numbers[1024], seen[kTokens] = {}, counted[kTokens] = {};
  for (std::size_t round = 0; round < 10 * kRounds; ++round) {
    for (auto& multiplier : multipliers) multiplier = static_cast<std::int16_t>(random_bits());
    for (auto& number : numbers) number = static_cast<std::uint8_t>(random_bits() | (round % 2 ? 0 : 0xF0));
    const auto below = [&](unsigned count) { return static_cast<std::size_t>(random_bits() % count); };
    const pumice::CountingRule rule = {{numbers, 1 + below(255)}, {numbers, below(300)}};
    const std::size_t kinds = 1 + random_bits() % (round % 4 ? 20 : kTokens), count = random_bits() % (kMostMerged + 2);
    std::uint32_t tokens[kMostMerged + 1];
    std::int16_t merged[kMostMerged + 1];
    std::int64_t sums[kTokens] = {};
    pumice::TextCounter counter(rule, counted, kTokens);
    for (std::size_t i = 0; i < count; ++i) {
      tokens[i] = static_cast<std::uint32_t>(random_bits() % kinds);
      sums[tokens[i]] += (std::int64_t{multipliers[tokens[i]]} * counter.next(tokens[i]) + 32768) >> 16;
    }
    counter.end(tokens, count);
    // As two texts; the second is empty, or all that there is.
    const std::size_t ends[] = {round % 3 ? count : 0, count};
    const bool merges = count <= kMostMerged;
    std::size_t kept[2];
    merge_tokens({multipliers, rule, seen}, {tokens, ends, 2}, merged, kept);
    const std::size_t written = kept[0] + kept[1];
    for (std::size_t i = 0; i < written; ++i) sums[tokens[i]] -= merged[i];
    const auto is_zero = [](auto x) { return x == 0; };
    expect(merges ? written <= count && std::all_of(sums, sums + kTokens, is_zero) : written == 0, "merged tokens",
           round);
    expect(std::all_of(seen, seen + kTokens, is_zero), "what was seen", round);
  }
}

void add_portable(std::int32_t* sum, const std::int16_t* multipliers, const RowList& list) {
  kPortableRows.add_rows_i8(sum, multipliers, list);
}

// Each first three bytes, each fourth that tells one range from the next, wherever a block may end; then long texts of
// which a byte is changed.
void compare_utf8(const char* name, ValidUtf8 valid) {
  constexpr unsigned char kFourth[] = {0, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
  const auto compare = [&](std::string_view text, std::size_t detail) {
    if (valid(text.data(), text.size()) != pumice::fuzz::is_utf8(text)) expect(false, name, detail);
  };
  std::string text;
  for (std::uint32_t three = 0; three < 1u << 24; ++three) {
    // Not all of those that begin with ASCII: what comes after it begins anew.
    if (three >> 16 < 0x80 && three >> 16 != 0 && three >> 16 != 0x7F) continue;
    const std::size_t before = three * 7 % 70;
    text.assign(before, 'a');
    for (unsigned shift = 24; shift != 0; shift -= 8) text.push_back(static_cast<char>(three >> (shift - 8)));
    for (std::size_t size = before + 1; size <= text.size(); ++size) compare({text.data(), size}, three);
    if (three >> 16 < 0xE0) continue;
    for (const unsigned char fourth : kFourth) {
      text.resize(before + 3);
      text.push_back(static_cast<char>(fourth));
      compare(text, three);
      text.append(three % 40, 'z');
      compare(text, three);
    }
  }
  const std::string characters[] = {"a",
                                    "\xC2\x80",
                                    "\xD1\x84",
                                    "\xE0\xA0\x80",
                                    "\xE6\x97\xA5",
                                    "\xED\x9F\xBF",
                                    "\xF0\x9F\x98\x80",
                                    "\xF4\x8F\xBF\xBF"};
  for (std::size_t round = 0; round < 100 * kRounds; ++round) {
    text.clear();
    for (std::size_t left = random_bits() % 120; left > 0; --left) text += characters[random_bits() % 8];
    expect(valid(text.data(), text.size()), name, round);
    if (text.empty()) continue;
    text[random_bits() % text.size()] = static_cast<char>(random_bits());
    compare(text, round);
  }
}

void compare_all(const char* name, const Kernels& all) {
  const RowKernels& rows = *all.rows;
  const PackedKernels& packed = *all.packed;
  compare_floats<float>(name, kPortableRows.add_rows_f32, rows.add_rows_f32);
  compare_floats<std::uint16_t>(name, kPortableRows.add_rows_f16, rows.add_rows_f16);
  compare_integers(name, rows.add_rows_i8);
  compare_packed(name, kPortablePacked.add_rows_1, packed.add_rows_1, 1);
  compare_packed(name, kPortablePacked.add_rows_2, packed.add_rows_2, 2);
  compare_packed(name, kPortablePacked.add_rows_4, packed.add_rows_4, 4);
  compare_vectors(name, rows);
  compare_classes(name, all.classify);
  compare_lists(name, all.list_words);
  compare_finds(name, *all.find);
  std::printf("%s compared\n", name);
}

}  // namespace

int main() {
  compare_integers("distinct rows", add_distinct_rows<add_portable>);
  compare_merges();
#if defined(PUMICE_X86)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
    compare_all("avx2", {&kAvx2Rows, &kAvx2Packed, classify_avx2, list_words_avx2, &kAvx2Find});
    compare_utf8("avx2 utf8", valid_utf8_avx2);
  }
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    compare_all("avx512", {&kAvx512Rows, &kAvx512Packed, classify_avx512, list_words_avx2, &kAvx512Find});
  }
  if (__builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw")) {
    compare_lists("avx512 vbmi2", list_words_avx512);
  }
#elif defined(PUMICE_NEON)
  compare_all("neon", {&kNeonRows, &kNeonPacked, classify_neon, list_words_neon, &kPortableFind});
#elif defined(PUMICE_WASM_SIMD)
  compare_all("wasm", {&kWasmRows, &kWasmPacked, classify_wasm, list_words_wasm, &kWasmFind});
#endif
  compare_all("chosen", kernels());
  return failures == 0 ? 0 : 1;
}
