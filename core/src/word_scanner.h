// Reads a text in one of the ways that word_route proves right: word by word, match by match, or as a whole.
#pragma once

#include <bit>

#include "cached_tokens.h"
#include "general.h"
#include "ids.h"
#include "split_blocks.h"
#include "split_patterns.h"
#include "worker_memory.h"

namespace pumice {

class WordScanner {
 public:
  WordScanner(pumice_worker& worker, TokenStream& stream)
      : model_(*worker.model), arena_(worker.arena), cache_(worker.narrow_words, worker.wide_words), stream_(stream) {}

  // Route::kWords over raw text. `first`: it begins where the whole text does.
  pumice_status read_words(std::string_view text, bool first) {
    const char* const end = text.data() + text.size();
    CachedTokens::Place places[kWaiting];
    for (const char* at = text.data(); at < end && going_;) {
      std::size_t count = 0;
      for (const char* from = at; count < kWaiting && from < end; ++count) {
        const char* const stop = word_end(from, end);
        places[count] = cache_.place_of({from, static_cast<std::size_t>(stop - from)}, end);
        from = stop;
      }
      for (std::size_t i = 0; i < count && going_ && places[i].begin == at; ++i) {
        const char* stop = at + places[i].size;
        const bool begins = at == text.data();
        // A first word is not normalised as others are; it is known by its first byte. Nor may the last word be.
        const bool cached = (!begins || (first && !is_low(*at))) && (stop != end || !model_.route.merges_spaces);
        if (!cached || !cache_.put(places[i], end, stream_)) {
          const pumice_status status = read_word(at, stop, {end, begins, first, cached});
          if (status != PUMICE_OK) return status;
        }
        at = stop;  // a word that is not closed has taken in others
      }
    }
    return PUMICE_OK;
  }

  // The other routes, over normalised text.
  pumice_status read_normalized(std::string_view text, bool first) {
    if (model_.route.route == Route::kPattern) return read_pattern(text);
    Pieces pieces;
    const pumice_status status = pre_tokenize(model_, text, first, arena_, pieces);
    return status == PUMICE_OK ? read_pieces(pieces) : status;
  }

  bool going() const { return going_; }

 private:
  // More than a model takes for a piece that the caches can hold.
  static constexpr std::size_t kPieceRoom = 4096;

  // Words that are asked for before the first is looked at.
  static constexpr std::size_t kWaiting = 32;

  struct Around {
    const char* end;  // of the text
    bool begins;      // the word begins the text
    bool first;       // and the text the whole text
    bool cached;      // what the word becomes is the same wherever it stands
  };

  static bool is_low(char c) { return static_cast<unsigned char>(c) <= ' '; }

  // The first byte from `at` on that is U+0020 or below.
  static const char* find_low(const char* at, const char* end) {
    constexpr std::uint64_t kOnes = 0x0101010101010101u;
    for (; end - at >= 8; at += 8) {
      std::uint64_t eight;
      std::memcpy(&eight, at, 8);
      const std::uint64_t low = (eight - (' ' + 1) * kOnes) & ~eight & 0x80 * kOnes;
      if (low != 0) return at + std::countr_zero(low) / 8;
    }
    while (at < end && !is_low(*at)) ++at;
    return at;
  }

  // Where the next word begins: at a byte that may begin one, after one above U+0020.
  const char* word_end(const char* at, const char* end) const {
    for (;;) {
      while (at < end && is_low(*at)) ++at;
      at = find_low(at, end);
      if (at == end || (model_.route.begins >> static_cast<unsigned char>(*at) & 1)) return at;
    }
  }

  // A word that is not closed takes in those that follow; twice as many bytes each time, so that all tries together
  // cost what the last does.
  pumice_status read_word(const char* at, const char*& stop, Around around) {
    std::string_view word;
    for (;;) {
      arena_.begin_word(static_cast<std::size_t>(stop - at));
      const bool last = stop == around.end;
      const auto size = static_cast<std::size_t>(stop - at);
      word = std::string_view(at, size);
      bool closed = false;
      const pumice_status status = normalize_word(model_, {around.begins, last}, arena_, word, closed);
      if (status != PUMICE_OK) return status;
      around.cached = around.cached && closed;
      if (closed || last) break;
      const bool half = size < static_cast<std::size_t>(around.end - at) / 2;
      stop = half ? word_end(at + 2 * size, around.end) : around.end;
    }
    Pieces pieces;
    const pumice_status status = pre_tokenize(model_, word, around.begins && around.first, arena_, pieces);
    if (status != PUMICE_OK) return status;
    const std::string_view raw(at, static_cast<std::size_t>(stop - at));
    if (!around.cached || raw.size() > CachedTokens::kLongest) return stream_pieces(pieces);
    FoundTokens found;
    const std::size_t mark = arena_.mark();
    for (std::size_t i = 0; i < pieces.count; ++i) {
      arena_.reset(mark);
      Ids ids;
      const std::string_view piece = pieces.pieces[i];
      if (!arena_.read(kModelReads * piece.size())) return PUMICE_TOO_MUCH_WORK;
      const pumice_status read = tokenize_piece(model_, piece, arena_, ids);
      if (read != PUMICE_OK) return read;
      for (std::size_t j = 0; j < ids.count; ++j) found.put(ids.ids[j], stream_.keeps(ids.ids[j]));
    }
    return put_found(raw, found) ? PUMICE_OK : stream_pieces(pieces);
  }

  // Remembers a word and puts its tokens; false if it has more of them than are known or wanted.
  bool put_found(std::string_view word, const FoundTokens& found) {
    if (found.total > FoundTokens::kMost || !stream_.fits(found.total)) return false;
    cache_.remember(word, found);
    stream_.put_many(found.ids, found.kept, found.total);
    return true;
  }

  pumice_status read_pattern(std::string_view text) {
    if (model_.route.prefix_space && !text.empty() && text[0] != ' ') {
      char* copy = arena_.take<char>(text.size() + 1);
      if (copy == nullptr) return PUMICE_MEMORY_TOO_SMALL;
      copy[0] = ' ';
      std::memcpy(copy + 1, text.data(), text.size());
      text = std::string_view(copy, text.size() + 1);
    }
    const auto pattern = static_cast<SplitPattern>(model_.route.pattern);
    const SplitBlocks blocks(pattern, model_.kernels->classify);
    const bool in_blocks = blocks.pays();
    const char* const end = text.data() + text.size();
    const std::size_t mark = arena_.mark();
    CachedTokens::Place places[kWaiting + SplitBlocks::kBlock];
    for (const char* at = text.data(); at < end && going_;) {
      std::size_t count = 0;
      const auto add = [&](const char* next) {
        places[count++] = cache_.place_of({at, static_cast<std::size_t>(next - at)}, end);
        at = next;
      };
      while (count < kWaiting && at < end) {
        // Most apostrophes stand before a contraction, which is no block's.
        std::uint64_t starts = in_blocks && *at != '\'' ? blocks.starts(at, static_cast<std::size_t>(end - at)) : 0;
        if (starts == 0) {
          const char* const next = match_letters(at, end);
          add(next != at ? next : match_pattern(pattern, at, end));
        }
        for (const char* const block = at; starts != 0; starts &= starts - 1) add(block + std::countr_zero(starts));
      }
      for (std::size_t i = 0; i < count && going_; ++i) {
        const pumice_status status = read_piece(places[i], end, mark);
        if (status != PUMICE_OK) return status;
      }
    }
    return PUMICE_OK;
  }

  pumice_status read_pieces(const Pieces& pieces) {
    const std::size_t mark = arena_.mark();
    for (std::size_t i = 0; i < pieces.count && going_; ++i) {
      const std::string_view piece = pieces.pieces[i];
      const char* const end = piece.data() + piece.size();
      const pumice_status status = read_piece(cache_.place_of(piece, end), end, mark);
      if (status != PUMICE_OK) return status;
    }
    return PUMICE_OK;
  }

  // A piece's tokens depend on nothing but its bytes, which can be read up to `end`.
  pumice_status read_piece(const CachedTokens::Place& place, const char* end, std::size_t mark) {
    const std::string_view piece = place.word();
    arena_.reset(mark);
    // A piece that is known needs neither: both are asked for all the same, so that known or not gives one answer.
    if (!arena_.read(kModelReads * piece.size())) return PUMICE_TOO_MUCH_WORK;
    if (arena_.left() < kPieceRoom) return PUMICE_MEMORY_TOO_SMALL;
    if (cache_.put(place, end, stream_)) return PUMICE_OK;
    Ids ids;
    const pumice_status status = tokenize_piece(model_, piece, arena_, ids);
    if (status != PUMICE_OK) return status;
    if (piece.size() <= CachedTokens::kLongest) {
      FoundTokens found;
      for (std::size_t i = 0; i < ids.count; ++i) found.put(ids.ids[i], stream_.keeps(ids.ids[i]));
      if (put_found(piece, found)) return PUMICE_OK;
    }
    stream(ids);
    return PUMICE_OK;
  }

  pumice_status stream_pieces(const Pieces& pieces) {
    const std::size_t mark = arena_.mark();
    for (std::size_t i = 0; i < pieces.count && going_; ++i) {
      arena_.reset(mark);
      const std::string_view piece = pieces.pieces[i];
      if (!arena_.read(kModelReads * piece.size())) return PUMICE_TOO_MUCH_WORK;
      Ids ids;
      const pumice_status status = tokenize_piece(model_, piece, arena_, ids);
      if (status != PUMICE_OK) return status;
      stream(ids);
    }
    return PUMICE_OK;
  }

  void stream(const Ids& ids) {
    if (kRoomForSpeed && stream_.fits(ids.count)) {
      for (std::size_t i = 0; i < ids.count; ++i) stream_.put_fitting(ids.ids[i]);
      return stream_.take_known(static_cast<std::uint32_t>(ids.count));
    }
    for (std::size_t i = 0; i < ids.count && going_; ++i) going_ = stream_.put(ids.ids[i]);
  }

  const pumice_model& model_;
  Arena& arena_;
  CachedTokens cache_;
  TokenStream& stream_;
  bool going_ = true;
};

}  // namespace pumice
