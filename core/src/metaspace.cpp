// Metaspace: spaces become a visible character that begins a piece.
#include "metaspace.h"

#include <cstring>

#include "aligned_text.h"
#include "slice.h"
#include "utf8.h"

namespace pumice {
namespace {

// Data of kMetaspace: when a piece gets a replacement in front, whether pieces are cut, the character's UTF-8.
enum Prepend : std::uint8_t { kNever, kAlways, kFirst };
constexpr std::size_t kHead = 4;

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

// Takes room for `count` pieces, hands the old ones to `cut(piece, out)` and keeps what it returns.
template <class Cut>
pumice_status cut_pieces(Arena& arena, std::size_t count, Pieces& pieces, Cut cut) {
  auto* out = arena.take<std::string_view>(count);
  if (out == nullptr) return PUMICE_MEMORY_TOO_SMALL;
  std::string_view* end = out;
  for (std::size_t i = 0; i < pieces.count; ++i) {
    end = cut(pieces.pieces[i], end);
    if (end == nullptr) return PUMICE_INVALID_UTF8;
  }
  pieces = {out, static_cast<std::size_t>(end - out)};
  return PUMICE_OK;
}

}  // namespace

template <class Text>
pumice_status apply_metaspace(const Step& step, bool first, Arena& arena, Text& text, Pieces& pieces) {
  const std::string_view mark = metaspace_mark(step);
  const bool prepends = step.data[0] == kAlways || (step.data[0] == kFirst && first);
  std::size_t most_pieces = 0;
  std::size_t most_bytes = 0;
  for (std::size_t i = 0; i < pieces.count; ++i) {
    const std::string_view piece = pieces.pieces[i];
    constexpr std::size_t kMost = SIZE_MAX / 16;  // which a 32-bit machine can reach
    if (most_bytes > kMost || piece.size() > kMost - most_bytes) return PUMICE_MEMORY_TOO_SMALL;
    const std::size_t spaces = count_of(piece, " ");
    most_pieces += spaces + count_of(piece, mark) + 2;
    most_bytes += piece.size() + spaces * (mark.size() - 1) + mark.size();
  }
  RoomOf<Text> room(arena, text, most_bytes);
  if (!room.exists()) return PUMICE_MEMORY_TOO_SMALL;
  const pumice_status status =
      cut_pieces(arena, most_pieces, pieces, [&](std::string_view piece, std::string_view* out) {
        if (piece.empty()) return out;
        const char* begin = room.at();
        const auto put_mark = [&](const char* from) {
          if (step.data[1] && room.at() != begin) {
            *out++ = {begin, static_cast<std::size_t>(room.at() - begin)};
            begin = room.at();
          }
          room.put(mark, from);
        };
        if (prepends && piece[0] != ' ' && !piece.starts_with(mark)) put_mark(piece.data());
        for (std::size_t at = 0; at < piece.size();) {
          if (piece[at] == ' ') {
            put_mark(piece.data() + at);
            ++at;
          } else if (piece[at] == mark[0] && slice(piece, at).starts_with(mark)) {
            put_mark(piece.data() + at);
            at += mark.size();
          } else {
            room.copy_byte(piece.data() + at++);
          }
        }
        *out++ = {begin, static_cast<std::size_t>(room.at() - begin)};
        return out;
      });
  text = room.text();
  return status;
}

template pumice_status apply_metaspace(const Step&, bool, Arena&, std::string_view&, Pieces&);
template pumice_status apply_metaspace(const Step&, bool, Arena&, AlignedText&, Pieces&);

bool metaspace_cuts(const Step& step) { return step.data[1] != 0; }

bool metaspace_is_first_only(const Step& step) { return step.data[0] == kFirst; }

std::string_view metaspace_mark(const Step& step) {
  return {reinterpret_cast<const char*>(step.data + kHead), step.size - kHead};
}

bool is_metaspace(const Step& step) {
  if (step.operation != kMetaspace || step.size <= kHead || step.size > kHead + 4) return false;
  const char* mark = reinterpret_cast<const char*>(step.data + kHead);
  const char* end = reinterpret_cast<const char*>(step.data + step.size);
  const bool whole = utf8::decode(mark, end) != utf8::kInvalid && mark == end;
  return whole && step.data[0] <= kFirst && step.data[1] <= 1 && step.data[2] == 0 && step.data[3] == 0;
}

}  // namespace pumice
