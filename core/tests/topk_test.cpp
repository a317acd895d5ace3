// pumice_nearest and pumice_rescore against brute force, on random codes in random blocks.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "../src/simd/code_kernels.h"
#include "pumice.h"

namespace {

std::mt19937_64 random_bits(5);
int failures = 0;

std::size_t width_of(std::uint32_t dim, std::uint32_t type) { return type == PUMICE_VECTOR_I8 ? dim : (dim + 7) / 8; }

std::size_t below(std::size_t most) { return random_bits() % most; }

struct Query {
  std::vector<std::uint8_t> bytes;
  std::uint32_t type;
};

struct Passages {
  std::uint32_t dim, type;
  std::size_t width, count;
  std::vector<std::uint8_t> codes;
  std::vector<float> scales;
  std::vector<std::uint8_t> left_out;
  bool scaled, filtered;
};

std::vector<std::uint8_t> random_code(std::uint32_t dim, std::uint32_t type) {
  std::vector<std::uint8_t> code(width_of(dim, type));
  for (std::uint8_t& byte : code) byte = static_cast<std::uint8_t>(random_bits());
  if (type == PUMICE_VECTOR_BINARY && dim % 8 != 0) code.back() &= static_cast<std::uint8_t>(0xFF << (8 - dim % 8));
  return code;
}

Passages random_passages(std::uint32_t dim, std::uint32_t type) {
  Passages made = {dim, type, width_of(dim, type), below(900), {}, {}, {}, below(2) == 1, below(2) == 1};
  const std::size_t different = 1 + below(made.count + 1);  // the fewer, the more equal scores
  std::vector<std::vector<std::uint8_t>> codes;
  for (std::size_t i = 0; i < different; ++i) codes.push_back(random_code(dim, type));
  for (std::size_t i = 0; i < made.count; ++i) {
    const std::vector<std::uint8_t>& code = codes[below(different)];
    made.codes.insert(made.codes.end(), code.begin(), code.end());
    made.scales.push_back(static_cast<float>(below(5)) / 4.0f);
  }
  made.left_out.resize(made.count / 8 + 1);
  for (std::uint8_t& byte : made.left_out) byte = static_cast<std::uint8_t>(random_bits() & random_bits());
  return made;
}

int bit(const std::uint8_t* code, std::size_t at) { return code[at / 8] >> (7 - at % 8) & 1; }

float score_of(const Passages& passages, const Query& query, std::size_t i) {
  const std::uint8_t* code = passages.codes.data() + i * passages.width;
  std::int32_t score = 0;
  for (std::size_t at = 0; at < passages.dim; ++at) {
    const int asked = query.type == PUMICE_VECTOR_I8 ? static_cast<std::int8_t>(query.bytes[at])
                                                     : 2 * bit(query.bytes.data(), at) - 1;
    const int stored = passages.type == PUMICE_VECTOR_I8 ? static_cast<std::int8_t>(code[at]) : 2 * bit(code, at) - 1;
    score += asked * stored;
  }
  return passages.scaled ? static_cast<float>(score) * passages.scales[i] : static_cast<float>(score);
}

void order(std::vector<pumice_hit>& hits) {
  std::sort(hits.begin(), hits.end(), [](const pumice_hit& a, const pumice_hit& b) {
    return a.score != b.score ? a.score > b.score : a.position < b.position;
  });
}

void expect_same(const std::vector<pumice_hit>& found, const std::vector<pumice_hit>& wanted, const char* what) {
  const bool same = std::equal(
      found.begin(), found.end(), wanted.begin(), wanted.end(),
      [](const pumice_hit& a, const pumice_hit& b) { return a.position == b.position && a.score == b.score; });
  if (same) return;
  std::printf("%s differs from brute force: %zu of %zu\n", what, found.size(), wanted.size());
  ++failures;
}

// The codes in blocks of random sizes, each described for the core.
std::vector<pumice_codes> blocks_of(const Passages& passages) {
  std::vector<pumice_codes> blocks;
  for (std::size_t from = 0; from < passages.count;) {
    // Bits of the passages left out begin a byte.
    const std::size_t count = std::min(passages.count - from, 8 * (1 + below(80)));
    blocks.push_back({passages.codes.data() + from * passages.width, passages.dim, passages.type, count,
                      static_cast<std::uint32_t>(from), passages.scaled ? passages.scales.data() + from : nullptr,
                      passages.filtered ? passages.left_out.data() + from / 8 : nullptr});
    from += count;
  }
  return blocks;
}

void compare(std::uint32_t dim, std::uint32_t type, std::uint32_t query_type) {
  const Passages passages = random_passages(dim, type);
  const Query query = {random_code(dim, query_type), query_type};
  const pumice_code_query asked = {query.bytes.data(), query.type};
  const std::size_t k = 1 + below(passages.count + 10);
  std::vector<pumice_hit> wanted, found(k);
  for (std::size_t i = 0; i < passages.count; ++i) {
    if (passages.filtered && (passages.left_out[i / 8] >> (i % 8) & 1) != 0) continue;
    wanted.push_back({static_cast<std::uint32_t>(i), score_of(passages, query, i)});
  }
  order(wanted);
  wanted.resize(std::min(k, wanted.size()));
  std::size_t count = 0;
  const std::vector<pumice_codes> blocks = blocks_of(passages);
  for (const pumice_codes& block : blocks) {
    if (pumice_nearest(&block, &asked, found.data(), k, &count) != PUMICE_OK) ++failures;
  }
  found.resize(count);
  expect_same(found, wanted, "pumice_nearest");
  for (pumice_hit& hit : found) hit.score = static_cast<float>(below(9));
  for (const pumice_codes& block : blocks) pumice_rescore(&block, &asked, found.data(), found.size());
  expect_same(found, wanted, "pumice_rescore");
}

// The kernels that this processor runs against the portable ones.
void compare_kernels(std::size_t width) {
  using namespace pumice::simd;
  std::vector<std::uint8_t> codes(width * 50), query(width);
  for (std::uint8_t& byte : codes) byte = static_cast<std::uint8_t>(random_bits());
  for (std::uint8_t& byte : query) byte = static_cast<std::uint8_t>(random_bits());
  const CodeList list = {codes.data(), width, 50};
  const auto* values = reinterpret_cast<const std::int8_t*>(query.data());
  std::int32_t portable[50], chosen[50];
  const auto same = [&] { failures += !std::equal(portable, portable + 50, chosen); };
  kPortableCodes.count_bits(query.data(), list, portable);
  code_kernels().count_bits(query.data(), list, chosen);
  same();
  kPortableCodes.dot_bytes(values, list, portable);
  code_kernels().dot_bytes(values, list, chosen);
  same();
  const CodeList bits = {codes.data(), (width + 7) / 8, 50};
  kPortableCodes.add_by_sign(values, width, bits, portable);
  code_kernels().add_by_sign(values, width, bits, chosen);
  same();
}

void refuses_what_is_wrong() {
  const std::uint8_t code[8] = {};
  pumice_hit hit;
  std::size_t found = 0;
  const pumice_codes good = {code, 8, PUMICE_VECTOR_I8, 1, 0, nullptr, nullptr};
  const pumice_code_query asked = {code, PUMICE_VECTOR_I8};
  const auto refused = [&](const pumice_codes& codes, const pumice_code_query& query) {
    failures += pumice_nearest(&codes, &query, &hit, 1, &found) != PUMICE_BAD_ARGUMENT;
    failures += pumice_rescore(&codes, &query, &hit, 0) != PUMICE_BAD_ARGUMENT;
  };
  refused({code, 0, PUMICE_VECTOR_I8, 1, 0, nullptr, nullptr}, asked);
  refused({code, 70000, PUMICE_VECTOR_I8, 1, 0, nullptr, nullptr}, asked);
  refused({code, 8, PUMICE_VECTOR_F32, 1, 0, nullptr, nullptr}, asked);
  refused({code, 8, PUMICE_VECTOR_I8, 2, UINT32_MAX - 1, nullptr, nullptr}, asked);
  refused({nullptr, 8, PUMICE_VECTOR_I8, 1, 0, nullptr, nullptr}, asked);
  refused(good, {code, PUMICE_VECTOR_BINARY});
  refused(good, {nullptr, PUMICE_VECTOR_I8});
  found = 2;
  failures += pumice_nearest(&good, &asked, &hit, 1, &found) != PUMICE_BAD_ARGUMENT;
}

}  // namespace

int main() {
  for (int round = 0; round < 300; ++round) {
    const std::uint32_t common[] = {64, 128, 256, 512};
    const auto dim = static_cast<std::uint32_t>(below(2) ? common[below(4)] : 1 + below(300));
    compare(dim, PUMICE_VECTOR_I8, PUMICE_VECTOR_I8);
    compare(dim, PUMICE_VECTOR_BINARY, PUMICE_VECTOR_BINARY);
    compare(dim, PUMICE_VECTOR_BINARY, PUMICE_VECTOR_I8);
    compare_kernels(1 + below(700));
  }
  refuses_what_is_wrong();
  std::printf(failures == 0 ? "search compared\n" : "%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
