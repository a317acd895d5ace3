// Lays a sorted set of keys out as the double array that core/src/double_array.h reads.
#include "double_array_build.h"

#include <cstddef>
#include <stdexcept>

namespace pumice {
namespace {

constexpr std::uint32_t kBlock = 256;      // children of a node share a block: they differ in the low byte only
constexpr std::uint32_t kOpenBlocks = 16;  // free units of older blocks are given up, which bounds the search
constexpr std::uint32_t kLine = 8;         // units of a cache line
constexpr std::uint32_t kNobody = 0xFFFFFFFFu;

class Builder {
 public:
  Builder(const std::vector<TrieKey>& keys, bool near_parents) : keys_(keys), near_parents_(near_parents) {
    add_block();
    take(DoubleArray::kRoot);
  }

  std::vector<DoubleArray::Unit> build() {
    pending_.push_back({0, keys_.size(), 0, DoubleArray::kRoot});
    while (!pending_.empty()) {
      const Range range = pending_.back();
      pending_.pop_back();
      place(range);
    }
    return std::move(units_);
  }

 private:
  // Keys [begin, end) share their first `depth` bytes, which lead to `node`.
  struct Range {
    std::size_t begin, end, depth;
    std::uint32_t node;
  };

  static std::uint32_t label(const TrieKey& key, std::size_t depth) {
    return depth == key.bytes.size() ? 0 : static_cast<unsigned char>(key.bytes[depth]);
  }

  void place(const Range& range) {
    labels_.clear();
    starts_.clear();
    for (std::size_t i = range.begin; i < range.end; ++i) {
      const std::uint32_t next = label(keys_[i], range.depth);
      if (labels_.empty() || labels_.back() != next) {
        labels_.push_back(next);
        starts_.push_back(i);
      }
    }
    starts_.push_back(range.end);
    const std::uint32_t near = near_parents_ ? find_near(range.node) : kNobody;
    const std::uint32_t base = near != kNobody ? near : find_base();
    const bool ends_here = labels_.front() == 0;
    units_[range.node].base = base | (ends_here ? DoubleArray::kHasValue : 0);
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      const std::uint32_t child = base ^ labels_[i];
      take(child);
      units_[child].parent = range.node;
      if (labels_[i] == 0) units_[child].base = keys_[starts_[i]].value;
    }
    for (std::size_t i = labels_.size(); i-- > 0;) {  // reversed: the stack then visits keys in order
      if (labels_[i] != 0) pending_.push_back({starts_[i], starts_[i + 1], range.depth + 1, base ^ labels_[i]});
    }
  }

  // Where the last child fits into the cache line of its parent, which a search has already waited for.
  std::uint32_t find_near(std::uint32_t node) const {
    const std::uint32_t line = node / kLine * kLine;
    for (std::uint32_t unit = line; unit < line + kLine && line >= closed_; ++unit) {
      const std::uint32_t base = unit ^ labels_.back();
      if (!taken_[unit] && base >= closed_ && fits(base)) return base;
    }
    return kNobody;
  }

  std::uint32_t find_base() {
    for (std::uint32_t unit = first_free_; unit != kNobody; unit = next_free_[unit]) {
      if (const std::uint32_t base = unit ^ labels_.front(); fits(base)) return base;
    }
    add_block();
    return static_cast<std::uint32_t>(units_.size()) - kBlock;
  }

  bool fits(std::uint32_t base) const {
    for (const std::uint32_t label : labels_) {
      if (taken_[base ^ label]) return false;
    }
    return true;
  }

  void add_block() {
    const auto begin = static_cast<std::uint32_t>(units_.size());
    if (begin >= DoubleArray::kHasValue - kBlock) throw std::invalid_argument("too many keys for a double array");
    units_.resize(begin + kBlock, {0, kNobody});
    taken_.resize(begin + kBlock, false);
    next_free_.resize(begin + kBlock, kNobody);
    previous_free_.resize(begin + kBlock, kNobody);
    for (std::uint32_t unit = begin; unit < begin + kBlock; ++unit) link(unit);
    if (begin >= kOpenBlocks * kBlock) {
      const std::uint32_t closed = begin - kOpenBlocks * kBlock;
      for (std::uint32_t unit = closed; unit < closed + kBlock; ++unit) {
        if (!taken_[unit]) unlink(unit);
      }
      closed_ = closed + kBlock;
    }
  }

  void link(std::uint32_t unit) {
    previous_free_[unit] = last_free_;
    (last_free_ == kNobody ? first_free_ : next_free_[last_free_]) = unit;
    last_free_ = unit;
  }

  void unlink(std::uint32_t unit) {
    const std::uint32_t previous = previous_free_[unit];
    const std::uint32_t next = next_free_[unit];
    (previous == kNobody ? first_free_ : next_free_[previous]) = next;
    (next == kNobody ? last_free_ : previous_free_[next]) = previous;
  }

  void take(std::uint32_t unit) {
    taken_[unit] = true;
    unlink(unit);
  }

  const std::vector<TrieKey>& keys_;
  const bool near_parents_;
  std::vector<DoubleArray::Unit> units_;
  std::vector<bool> taken_;
  std::vector<std::uint32_t> next_free_, previous_free_;
  std::uint32_t first_free_ = kNobody, last_free_ = kNobody;
  std::uint32_t closed_ = 0;  // units before it are given up
  std::vector<Range> pending_;
  std::vector<std::uint32_t> labels_;
  std::vector<std::size_t> starts_;
};

}  // namespace

std::vector<DoubleArray::Unit> build_double_array(const std::vector<TrieKey>& keys, bool near_parents) {
  if (keys.empty()) throw std::invalid_argument("a double array needs at least one key");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].bytes.empty() || keys[i].bytes.find('\0') != std::string_view::npos) {
      throw std::invalid_argument("a key is empty or holds a NUL");
    }
    if (i > 0 && !(keys[i - 1].bytes < keys[i].bytes)) throw std::invalid_argument("keys are not sorted or repeat");
  }
  return Builder(keys, near_parents).build();
}

}  // namespace pumice
