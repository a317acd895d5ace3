// A set's ways compared with WebAssembly's SIMD: two keys of 8 bytes a register.
#include "instructions.h"

#ifdef PUMICE_WASM_SIMD
#include <wasm_simd128.h>

#include <bit>

#include "find_blocks.h"

namespace pumice::simd {
namespace {

// A constant that the engine keeps in a register, which it does not do with those that it can see.
v128_t kept(v128_t x) {
  asm("" : "+r"(x));
  return x;
}

// Where the sets of four words are, in bytes from the first set on.
v128_t offsets_of(const std::uint64_t* keys, v128_t factors, unsigned shift) {
  static_assert(sizeof(LittleWords::Set) == 64 && LittleWords::kHashBits == 32);
  const v128_t first = wasm_i32x4_dot_i16x8(wasm_v128_load(keys), factors);
  const v128_t second = wasm_i32x4_dot_i16x8(wasm_v128_load(keys + 2), factors);
  const v128_t sums =
      wasm_i32x4_add(wasm_i32x4_shuffle(first, second, 0, 2, 4, 6), wasm_i32x4_shuffle(first, second, 1, 3, 5, 7));
  const v128_t hashes = wasm_i32x4_mul(sums, wasm_u32x4_splat(LittleWords::kSpread));
  return wasm_i32x4_shl(wasm_u32x4_shr(hashes, shift), 6);
}

std::size_t find_little_wasm(const LittleWords& words, const WordList& list, FoundWord* found, std::uint16_t* missed) {
  std::uint32_t offsets[WordList::kRoom];
  const std::size_t count = list.count;
  constexpr const std::int16_t* kFactors = LittleWords::kFactors;
  const v128_t factors = kept(wasm_i16x8_make(kFactors[0], kFactors[1], kFactors[2], kFactors[3], kFactors[0],
                                              kFactors[1], kFactors[2], kFactors[3]));
  const unsigned shift = words.shift();
  for (std::size_t i = 0; i < count; i += 4) wasm_v128_store(offsets + i, offsets_of(list.low + i, factors, shift));
  const auto* const sets = reinterpret_cast<const char*>(words.sets());
  for (std::size_t i = 0; i < count; ++i) prefetch(sets + offsets[i]);
  const v128_t ones = kept(wasm_i32x4_splat(-1));
  const v128_t two = kept(wasm_i8x16_splat(2));
  std::size_t misses = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& set = *reinterpret_cast<const LittleWords::Set*>(sets + offsets[i]);
    const v128_t wanted = wasm_v128_load64_splat(list.low + i);
    const v128_t first = wasm_i64x2_eq(wasm_v128_load(set.keys), wanted);
    const v128_t second = wasm_i64x2_eq(wasm_v128_load(set.keys + 2), wanted);
    // A word may be twice in a set, with the same ids.
    const v128_t either =
        wasm_v128_or(wasm_v128_and(wasm_v128_load(set.ids), first), wasm_v128_and(wasm_v128_load(set.ids + 2), second));
    const v128_t ids = wasm_v128_or(either, wasm_i64x2_shuffle(either, either, 1, 0));
    // One token where the second is kNoToken, two where it is not; `starts`, which nothing reads here, is as it comes.
    const v128_t counts = wasm_i8x16_add(wasm_i32x4_eq(ids, ones), two);
    wasm_v128_store(&found[i], wasm_i32x4_shuffle(ids, counts, 0, 1, 2, 7));
    missed[misses] = static_cast<std::uint16_t>(i);
    misses += 1 - (static_cast<std::size_t>(wasm_v128_any_true(wasm_v128_or(first, second))) &
                   static_cast<std::size_t>(list.high[i] == 0));
  }
  return misses;
}

struct Ways {
  static std::size_t way_of(const ShortWords::Entry* set, const ShortWords::Key& key) {
    const v128_t wanted = wasm_v128_load(key.words);
    std::uint32_t ways = 1u << ShortWords::kWays;
    for (unsigned way = 0; way < ShortWords::kWays; ++way) {
      const bool same = wasm_i64x2_all_true(wasm_i64x2_eq(wanted, wasm_v128_load(set[way].key.words)));
      ways |= static_cast<std::uint32_t>(same) << way;
    }
    return static_cast<std::size_t>(std::countr_zero(ways));
  }
};

}  // namespace

constexpr FindWords kWasmFind = {find_little_wasm, find_short<Ways>};

}  // namespace pumice::simd
#endif
