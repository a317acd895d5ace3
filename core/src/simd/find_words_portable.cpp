// Sets looked through without instructions of their own: the oracle of the other kernels.
#include "find_blocks.h"

namespace pumice::simd {
namespace {

struct OneByOne {
  static bool little(const LittleWords::Set& set, std::uint64_t key, FoundWord& found) {
    std::uint64_t ids[LittleWords::kWays];
    std::memcpy(ids, set.ids, sizeof ids);
    // No branch, and the same ids again where a word is twice in a set.
    std::uint64_t hit = 0, both = 0;
    for (std::size_t way = 0; way < LittleWords::kWays; ++way) {
      const std::uint64_t same = set.keys[way] == key ? ~std::uint64_t{0} : 0;
      hit |= same;
      both |= same & ids[way];
    }
    std::memcpy(found.ids, &both, sizeof both);
    found.kept = found.total = found.ids[1] == LittleWords::kNoToken ? 1 : 2;
    return hit != 0;
  }

  static std::size_t way_of(const ShortWords::Entry* set, const ShortWords::Key& key) {
    std::size_t way = 0;
    while (way < ShortWords::kWays && !(set[way].key == key)) ++way;
    return way;
  }
};

}  // namespace

constexpr FindWords kPortableFind = {find_little<OneByOne>, find_short<OneByOne>};

}  // namespace pumice::simd
