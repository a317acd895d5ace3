// Every kernel that this processor runs gives the portable kernel's bits, on random rows, weights and bytes.
#include "../src/simd/kernels.h"

#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "../src/simd/instructions.h"

namespace {

using namespace pumice::simd;

int failures = 0;
std::mt19937_64 random_bits(7);

void expect(bool same, const char* what, std::size_t detail) {
  if (same) return;
  std::printf("%s differs from the portable kernel at %zu\n", what, detail);
  ++failures;
}

// Rows of any bits that are finite as floats; sums and weights of every size.
template <class Value>
void compare(const char* name, AddRows portable, AddRows kernel, bool may_be_plain) {
  for (std::size_t round = 0; round < 400; ++round) {
    const std::size_t dim = 1 + random_bits() % 700;
    const std::size_t stride = dim + random_bits() % 5;
    const std::size_t rows = 1 + random_bits() % 50;
    std::vector<Value> table(rows * stride);
    for (Value& value : table) {
      const std::uint64_t bits = random_bits();
      std::memcpy(&value, &bits, sizeof value);
      if constexpr (sizeof(Value) == 4) value = static_cast<Value>(static_cast<double>(bits % 2000001) / 1e6 - 1);
      if constexpr (sizeof(Value) == 2) value = static_cast<Value>(value & 0xBFFF);  // neither infinity nor NaN
    }
    std::vector<std::uint32_t> list(random_bits() % 300);
    std::vector<float> weights(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      list[i] = static_cast<std::uint32_t>(random_bits() % rows);
      weights[i] = static_cast<float>(random_bits() % 1000) / 333.0f;
    }
    const bool plain = may_be_plain && round % 2;
    const RowList task = {table.data(), stride, list.data(), plain ? nullptr : weights.data(), list.size(), dim};
    std::vector<float> wanted(dim, 0.25f), found(dim, 0.25f);
    portable(wanted.data(), task);
    kernel(found.data(), task);
    expect(std::memcmp(wanted.data(), found.data(), dim * sizeof(float)) == 0, name, round);
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

void compare_all(const char* name, AddRows f32, AddRows f16, AddRows i8, Classify classify) {
  compare<float>(name, add_rows_f32_portable, f32, true);
  compare<std::uint16_t>(name, add_rows_f16_portable, f16, false);
  compare<std::int8_t>(name, add_rows_i8_portable, i8, false);
  compare_classes(name, classify);
  std::printf("%s compared\n", name);
}

}  // namespace

int main() {
#ifdef PUMICE_X86
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
    compare_all("avx2", add_rows_f32_avx2, add_rows_f16_avx2, add_rows_i8_avx2, classify_avx2);
  }
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    compare_all("avx512", add_rows_f32_avx512, add_rows_f16_avx512, add_rows_i8_avx512, classify_avx512);
  }
#endif
  const Kernels& chosen = kernels();
  compare_all("chosen", chosen.add_rows_f32, chosen.add_rows_f16, chosen.add_rows_i8, chosen.classify);
  return failures == 0 ? 0 : 1;
}
