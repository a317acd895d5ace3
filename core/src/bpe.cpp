// BPE: the symbols of a piece merge by rank, then from the left, exactly as in Hugging Face tokenizers.
#include <algorithm>
#include <cstring>

#include "bpe_longest.h"
#include "bpe_merging.h"
#include "general.h"

namespace pumice {
namespace {

constexpr std::size_t kLongestPiece = UINT32_MAX / 2;

// UTF-8 bytes of the character that byte-level BPE writes for a byte: U+0100 and up for those that are not printable.
constexpr std::uint32_t byte_level_size(unsigned char byte) { return byte > 0x20 && byte < 0x7F ? 1 : 2; }

// The symbols that a piece is made of before any merge.
class Symbols {
 public:
  // `sizes`, where given, gets how many bytes each symbol has in the library, which counts those of byte-level
  // characters, and none of what leaves no trace.
  Symbols(const pumice_model& model, const BpeMerges& merges, Symbol* symbols, std::uint32_t* sizes)
      : model_(model), merges_(merges), symbols_(symbols), sizes_(sizes) {}

  std::uint32_t read(std::string_view piece) {
    const char* const end = piece.data() + piece.size();
    for (const char* at = piece.data(); at < end;) {
      const char* next = at + 1;
      if (merges_.has(kByteLevel)) {
        const auto byte = static_cast<unsigned char>(*at);
        const std::uint32_t id = merges_.header->byte_ids[byte];
        id != kNone ? put_known(id, byte_level_size(byte)) : put_unknown(byte_level_size(byte));
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
    const auto size = static_cast<std::uint32_t>(next - at);
    if (model_.vocabulary.find(at, size, id)) return put_known(id, size);
    if (!merges_.has(kByteFallback)) return put_unknown(size);
    const auto* ids = merges_.header->byte_ids;
    for (const char* byte = at; byte < next; ++byte) {
      if (ids[static_cast<unsigned char>(*byte)] == kNone) return put_unknown(size);
    }
    // As in the library, an unknown token that waits to be fused is not flushed: it comes after the bytes.
    for (const char* byte = at; byte < next; ++byte) put(ids[static_cast<unsigned char>(*byte)], 1);
  }

  void put_known(std::uint32_t id, std::uint32_t size) {
    flush();
    put(id, size);
  }

  void put_unknown(std::uint32_t size) {
    if (merges_.header->unknown_id == kNone) return;
    if (!merges_.has(kFuseUnknown)) flush();
    waiting_ += size;
  }

  void flush() {
    if (waiting_ != 0) put(merges_.header->unknown_id, waiting_);
    waiting_ = 0;
  }

  void put(std::uint32_t id, std::uint32_t size) {
    symbols_[count_] = {id, count_ - 1, count_ + 1};
    if (sizes_ != nullptr) sizes_[count_] = size;
    ++count_;
  }

  const pumice_model& model_;
  const BpeMerges& merges_;
  Symbol* symbols_;
  std::uint32_t* sizes_;
  std::uint32_t count_ = 0;
  std::uint32_t waiting_ = 0;  // bytes of unknown characters whose token is yet to be put
};

// Where in the piece symbols lie, one after the other: the library adds up their sizes.
class SymbolBytes {
 public:
  SymbolBytes(const BpeMerges& merges, std::string_view piece) : merges_(merges), piece_(piece) {}

  // The bytes of what `count` symbols have become.
  Range next(const std::uint32_t* sizes, std::uint32_t count) {
    const std::size_t begin = end_;
    for (std::uint32_t i = 0; i < count; ++i) end_ += sizes[i];
    return {byte_at(begin), byte_at(end_ - 1) + 1};
  }

 private:
  // The byte whose character has the one at `place`, which never falls.
  std::uint32_t byte_at(std::size_t place) {
    if (!merges_.has(kByteLevel)) return static_cast<std::uint32_t>(place);
    for (; byte_ + 1 < piece_.size(); ++byte_) {
      const std::uint32_t size = byte_level_size(static_cast<unsigned char>(piece_[byte_]));
      if (place < before_ + size) break;
      before_ += size;
    }
    return static_cast<std::uint32_t>(byte_);
  }

  const BpeMerges& merges_;
  std::string_view piece_;
  std::size_t end_ = 0;     // of the last symbol, in the library's bytes
  std::size_t byte_ = 0;    // of the piece
  std::size_t before_ = 0;  // the library's bytes before it
};

pumice_status whole(std::string_view piece, Arena& arena, Ids& ids) {
  ids.ranges = arena.take<Range>(1);
  if (ids.ranges == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  ids.ranges[0] = {0, static_cast<std::uint32_t>(piece.size())};
  return PUMICE_OK;
}

// A piece of at most kStack bytes is read without the arena.
constexpr std::size_t kStack = 256;

template <class T>
std::span<const T> values(const Section& section) {
  return {reinterpret_cast<const T*>(section.bytes), section.size / sizeof(T)};
}

// The longest tokens of a piece; ids.count is 0 where it is to be merged.
pumice_status read_longest(const pumice_model& model, const BpeMerges& merges, std::string_view piece, Arena& arena,
                           Ids& ids, bool ranged) {
  const Section& section = model.sections[PUMICE_SECTION_TOKEN_PARTS];
  ids.count = 0;
  if (section.bytes == nullptr) return PUMICE_OK;
  std::uint32_t stack_ends[kStack];
  std::uint64_t stack_dead[kStack / 64 + 1] = {};
  const bool is_short = piece.size() <= kStack;
  ids.ids = arena.take<std::uint32_t>(piece.size());
  auto* ends = is_short ? stack_ends : arena.take<std::uint32_t>(piece.size());
  auto* dead = is_short ? stack_dead : arena.take<std::uint64_t>(piece.size() / 64 + 1);
  if (ids.ids == nullptr || ends == nullptr || dead == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  if (!is_short) std::memset(dead, 0, (piece.size() / 64 + 1) * sizeof *dead);
  std::span<const TokenBorders> borders;
  if (kRoomForSpeed) borders = values<TokenBorders>(model.sections[PUMICE_SECTION_TOKEN_BORDERS]);
  const LongestTokens reader(model.vocabulary, merges, values<TokenParts>(section), borders);
  ids.count = reader.read(piece, ids.ids, ends, dead);
  if (!ranged || ids.count == 0) return PUMICE_OK;
  ids.ranges = arena.take<Range>(ids.count);
  if (ids.ranges == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  for (std::size_t i = 0; i < ids.count; ++i) ids.ranges[i] = {i == 0 ? 0 : ends[i - 1], ends[i]};
  return PUMICE_OK;
}

}  // namespace

pumice_status bpe(const pumice_model& model, std::string_view piece, Arena& arena, Ids& ids, bool ranged) {
  ids.ids = arena.take<std::uint32_t>(1);
  if (ids.ids == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  ids.count = 1;
  // Reading from the left finds it too, where there is any.
  const bool reads = kRoomForSpeed && model.sections[PUMICE_SECTION_TOKEN_PARTS].bytes != nullptr;
  const bool known = reads && piece.size() <= LongestTokens::kLongest;
  if (!known && model.vocabulary.find(piece.data(), piece.size(), ids.ids[0]))
    return ranged ? whole(piece, arena, ids) : PUMICE_OK;
  if (piece.size() >= kLongestPiece) return PUMICE_MEMORY_TOO_SMALL;
  const BpeMerges merges(model.sections[PUMICE_SECTION_MODEL]);
  const std::size_t mark = arena.mark();
  const pumice_status status = read_longest(model, merges, piece, arena, ids, ranged);
  if (status != PUMICE_OK || ids.count != 0) return status;
  arena.reset(mark);
  auto* sizes = ranged ? arena.take<std::uint32_t>(piece.size()) : nullptr;
  auto* symbols = arena.take<Symbol>(piece.size());
  if (symbols == nullptr || (ranged && sizes == nullptr)) return PUMICE_MEMORY_TOO_SMALL;
  const std::uint32_t count = Symbols(model, merges, symbols, sizes).read(piece);
  arena.shrink(symbols, count);
  if (count <= ShortMerges::kMost && !ranged) {
    ids.ids = arena.take<std::uint32_t>(count);
    if (ids.ids == nullptr) return PUMICE_MEMORY_TOO_SMALL;
    ids.count = ShortMerges(merges, symbols, count).run(ids.ids);
    return PUMICE_OK;
  }
  MergeTree tree(merges, symbols, count, arena);
  ids.ids = arena.take<std::uint32_t>(count);
  if (!tree.exists() || ids.ids == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  if (count > 1) tree.run();
  ids.ranges = ranged ? arena.take<Range>(count) : nullptr;
  if (ranged && ids.ranges == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  ids.count = 0;
  SymbolBytes bytes(merges, piece);
  for (std::uint32_t i = 0; i < count; i = symbols[i].next) {
    if (ranged) ids.ranges[ids.count] = bytes.next(sizes + i, std::min(symbols[i].next, count) - i);
    ids.ids[ids.count++] = symbols[i].id;
  }
  return PUMICE_OK;
}

pumice_status check_bpe(const pumice_model& model) {
  const Section& section = model.sections[PUMICE_SECTION_MODEL];
  if (section.bytes == nullptr) return PUMICE_MISSING_SECTION;
  if (section.size < sizeof(BpeHeader)) return PUMICE_BAD_SECTION;
  const BpeHeader& header = *BpeMerges(section).header;
  const bool valid = (header.flags & ~kBpeFlags) == 0 && header.slot_bits <= 26 && header.probes <= kMaxProbes &&
                     section.size == sizeof(BpeHeader) + (sizeof(Merge) << header.slot_bits);
  const Section& parts = model.sections[PUMICE_SECTION_TOKEN_PARTS];
  const Section& borders = model.sections[PUMICE_SECTION_TOKEN_BORDERS];
  static_assert(sizeof(TokenParts) == sizeof(TokenBorders));
  // Borders are of the same tokens: one that they let stand is looked up among the parts next.
  const bool parted = parts.size % sizeof(TokenParts) == 0 && (borders.size == 0 || borders.size == parts.size) &&
                      parts.size / sizeof(TokenParts) <= model.parameters.tokens;
  return valid && parted ? PUMICE_OK : PUMICE_BAD_SECTION;
}

}  // namespace pumice
