// BPE: the symbols of a piece merge by rank, then from the left, exactly as in Hugging Face tokenizers.
#include <algorithm>
#include <cstring>

#include "bpe_merges.h"
#include "general.h"

namespace pumice {
namespace {

constexpr std::uint32_t kGone = kNone - 1;  // `next` of a symbol that was merged into the one on its left

struct Symbol {
  std::uint32_t id;
  std::uint32_t previous;
  std::uint32_t next;
};

// The symbols that a piece is made of before any merge.
class Symbols {
 public:
  Symbols(const pumice_model& model, const BpeMerges& merges, Symbol* symbols)
      : model_(model), merges_(merges), symbols_(symbols) {}

  std::uint32_t read(std::string_view piece) {
    const char* const end = piece.data() + piece.size();
    for (const char* at = piece.data(); at < end;) {
      const char* next = at + 1;
      if (merges_.has(kByteLevel)) {
        const std::uint32_t id = merges_.header->byte_ids[static_cast<unsigned char>(*at)];
        id != kNone ? put_known(id) : put_unknown();
      } else {
        while (next < end && (static_cast<unsigned char>(*next) & 0xC0) == 0x80) ++next;
        read_character(at, next);
      }
      at = next;
    }
    flush();
    return count_;
  }

 private:
  void read_character(const char* at, const char* next) {
    std::uint32_t id;
    if (model_.vocabulary.find(at, static_cast<std::size_t>(next - at), id)) return put_known(id);
    if (!merges_.has(kByteFallback)) return put_unknown();
    const auto* ids = merges_.header->byte_ids;
    for (const char* byte = at; byte < next; ++byte) {
      if (ids[static_cast<unsigned char>(*byte)] == kNone) return put_unknown();
    }
    // As in the library, an unknown token that waits to be fused is not flushed: it comes after the bytes.
    for (const char* byte = at; byte < next; ++byte) put(ids[static_cast<unsigned char>(*byte)]);
  }

  void put_known(std::uint32_t id) {
    flush();
    put(id);
  }

  void put_unknown() {
    if (merges_.header->unknown_id == kNone) return;
    if (!merges_.has(kFuseUnknown)) flush();
    waits_ = true;
  }

  void flush() {
    if (waits_) put(merges_.header->unknown_id);
    waits_ = false;
  }

  void put(std::uint32_t id) {
    symbols_[count_] = {id, count_ - 1, count_ + 1};
    ++count_;
  }

  const pumice_model& model_;
  const BpeMerges& merges_;
  Symbol* symbols_;
  std::uint32_t count_ = 0;
  bool waits_ = false;
};

// A merge that may be due, of the symbol at the low 32 bits of `key` and its next; the high 32 are its rank.
// It is outdated once either of the two has merged with another: then what follows them is no longer `after`.
struct Due {
  std::uint64_t key;
  std::uint32_t id;
  std::uint32_t after;
};

class MergeQueue {
 public:
  MergeQueue(const BpeMerges& merges, Symbol* symbols, std::uint32_t count, Due* due)
      : merges_(merges), symbols_(symbols), count_(count), due_(due) {}

  void run() {
    constexpr std::uint32_t kAhead = 16;
    for (std::uint32_t i = 0; i + 1 < count_; ++i) {
      if (i + kAhead + 1 < count_) merges_.prefetch(symbols_[i + kAhead].id, symbols_[i + kAhead + 1].id);
      push(i);
    }
    while (size_ != 0) {
      std::pop_heap(due_, due_ + size_, is_later);
      const Due top = due_[--size_];
      const auto at = static_cast<std::uint32_t>(top.key);
      Symbol& left = symbols_[at];
      if (left.next == kGone || left.next >= count_) continue;
      Symbol& right = symbols_[left.next];
      if (right.next != top.after) continue;
      left.id = top.id;
      left.next = right.next;
      right.next = kGone;
      if (left.next < count_) symbols_[left.next].previous = at;
      if (at != 0) push(left.previous);
      if (left.next < count_) push(at);
    }
  }

 private:
  static bool is_later(const Due& a, const Due& b) { return a.key > b.key; }

  // The first symbol is never merged into another, and `at` has a next one.
  void push(std::uint32_t at) {
    const Symbol& right = symbols_[symbols_[at].next];
    const Merge* merge = merges_.find(symbols_[at].id, right.id);
    if (merge == nullptr) return;
    due_[size_++] = {std::uint64_t{merge->rank} << 32 | at, merge->id, right.next};
    std::push_heap(due_, due_ + size_, is_later);
  }

  const BpeMerges& merges_;
  Symbol* symbols_;
  std::uint32_t count_;
  Due* due_;
  std::uint32_t size_ = 0;
};

// Merges in a short row of symbols: the pairs that may merge beside them, searched for the lowest rank each time.
class ShortMerges {
 public:
  static constexpr std::uint32_t kMost = 128;  // beyond, searching costs more than a queue

  ShortMerges(const BpeMerges& merges, const Symbol* symbols, std::uint32_t count) : merges_(merges), count_(count) {
    for (std::uint32_t i = 0; i < count; ++i) ids_[i] = symbols[i].id;
    for (std::uint32_t i = 0; i + 1 < count; ++i) merges_.prefetch(ids_[i], ids_[i + 1]);
    for (std::uint32_t i = 0; i + 1 < count; ++i) look_up(i);
  }

  // Writes the ids that are left, and returns how many.
  std::uint32_t run(std::uint32_t* ids) {
    while (count_ > 1) {
      const std::uint32_t at = lowest();
      if (orders_[at] == order_of(kNone)) break;
      ids_[at] = merged_[at];
      --count_;
      const std::size_t moved = count_ - at - 1;
      std::memmove(ids_ + at + 1, ids_ + at + 2, moved * sizeof *ids_);
      std::memmove(orders_ + at, orders_ + at + 1, moved * sizeof *orders_);
      std::memmove(merged_ + at, merged_ + at + 1, moved * sizeof *merged_);
      if (at != 0) merges_.prefetch(ids_[at - 1], ids_[at]);  // waited for together with the next
      if (at + 1 < count_) look_up(at);
      if (at != 0) look_up(at - 1);
    }
    std::memcpy(ids, ids_, count_ * sizeof *ids);
    return count_;
  }

 private:
  // A rank as a signed number: what every processor can compare in vectors.
  static std::int32_t order_of(std::uint32_t rank) { return static_cast<std::int32_t>(rank ^ 0x80000000u); }

  // Of equal ranks the leftmost.
  std::uint32_t lowest() const {
    std::int32_t order = orders_[0];
    for (std::uint32_t i = 1; i + 1 < count_; ++i) order = orders_[i] < order ? orders_[i] : order;
    std::uint32_t at = 0;
    while (orders_[at] != order) ++at;
    return at;
  }

  void look_up(std::uint32_t at) {
    const Merge* merge = merges_.find(ids_[at], ids_[at + 1]);
    orders_[at] = order_of(merge != nullptr ? merge->rank : kNone);
    merged_[at] = merge != nullptr ? merge->id : kNone;
  }

  const BpeMerges& merges_;
  std::uint32_t count_;
  std::uint32_t ids_[kMost];
  std::int32_t orders_[kMost];   // of the pair of a symbol and its next; kNone's where the two do not merge
  std::uint32_t merged_[kMost];  // what they become
};

}  // namespace

pumice_status bpe(const pumice_model& model, std::string_view piece, Arena& arena, Ids& ids) {
  ids.ids = arena.take<std::uint32_t>(1);
  if (ids.ids == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  ids.count = 1;
  if (model.vocabulary.find(piece.data(), piece.size(), ids.ids[0])) return PUMICE_OK;
  if (piece.size() >= kGone / 2) return PUMICE_MEMORY_TOO_SMALL;
  const BpeMerges merges(model.sections[PUMICE_SECTION_MODEL]);
  auto* symbols = arena.take<Symbol>(piece.size());
  if (symbols == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  const std::uint32_t count = Symbols(model, merges, symbols).read(piece);
  arena.shrink(symbols, count);
  if (count <= ShortMerges::kMost) {
    ids.ids = arena.take<std::uint32_t>(count);
    if (ids.ids == nullptr) return PUMICE_MEMORY_TOO_SMALL;
    ids.count = ShortMerges(merges, symbols, count).run(ids.ids);
    return PUMICE_OK;
  }
  // Every merge takes one from the queue and a symbol from the piece, and adds at most two to the queue.
  auto* due = arena.take<Due>(2 * std::size_t{count});
  ids.ids = arena.take<std::uint32_t>(count);
  if (due == nullptr || ids.ids == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  MergeQueue(merges, symbols, count, due).run();
  ids.count = 0;
  for (std::uint32_t i = 0; i < count; i = symbols[i].next) ids.ids[ids.count++] = symbols[i].id;
  return PUMICE_OK;
}

pumice_status check_bpe(const pumice_model& model) {
  const Section& section = model.sections[PUMICE_SECTION_MODEL];
  if (section.bytes == nullptr) return PUMICE_MISSING_SECTION;
  if (section.size < sizeof(BpeHeader)) return PUMICE_BAD_SECTION;
  const BpeHeader& header = *BpeMerges(section).header;
  const bool valid = (header.flags & ~kBpeFlags) == 0 && header.slot_bits <= 26 && header.probes <= kMaxProbes &&
                     section.size == sizeof(BpeHeader) + (sizeof(Merge) << header.slot_bits);
  return valid ? PUMICE_OK : PUMICE_BAD_SECTION;
}

}  // namespace pumice
