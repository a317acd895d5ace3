// A set's ways compared with WebAssembly's SIMD: two keys of 8 bytes a register.
#include "instructions.h"

#ifdef PUMICE_WASM_SIMD
#include <wasm_simd128.h>

#include <bit>

#include "find_blocks.h"

namespace pumice::simd {
namespace {

struct Two {
  static bool little(const LittleWords::Set& set, std::uint64_t key, FoundWord& found) {
    const v128_t wanted = wasm_i64x2_splat(static_cast<std::int64_t>(key));
    const v128_t first = wasm_i64x2_eq(wasm_v128_load(set.keys), wanted);
    const v128_t second = wasm_i64x2_eq(wasm_v128_load(set.keys + 2), wanted);
    // A word may be twice in a set, with the same ids.
    const v128_t two =
        wasm_v128_or(wasm_v128_and(wasm_v128_load(set.ids), first), wasm_v128_and(wasm_v128_load(set.ids + 2), second));
    const v128_t ids = wasm_v128_or(two, wasm_i64x2_shuffle(two, two, 1, 0));
    // One token where the second is kNoToken, two where it is not.
    const v128_t none = wasm_i32x4_eq(ids, wasm_i32x4_splat(-1));
    const v128_t counts =
        wasm_v128_xor(wasm_i32x4_const(0, 0, 0, 0x0202), wasm_v128_and(none, wasm_i32x4_const(0, 0, 0, 0x0303)));
    const v128_t low = wasm_v128_and(ids, wasm_i32x4_const(-1, -1, 0, 0));
    wasm_v128_store(&found, wasm_v128_or(low, counts));
    return wasm_v128_any_true(wasm_v128_or(first, second));
  }

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

constexpr FindWords kWasmFind = {find_little<Two>, find_short<Two>};

}  // namespace pumice::simd
#endif
