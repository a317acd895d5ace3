// The fast way through a text for BERT's WordPiece: 64 bytes at a time, words from the cache where it has them.
#pragma once

#include <bit>
#include <cstring>

#include "pre_tokenizer.h"
#include "prefetch.h"
#include "simd/kernels.h"
#include "word_cache.h"
#include "wordpiece.h"

namespace pumice {

// Reads a text and puts its token ids into a stream. Words of ASCII bytes are told apart by masks; a word that
// holds anything else is read, up to the next ASCII space or punctuation, by the exact tables of BertWords.
class BertScanner {
 public:
  BertScanner(pumice_worker& worker, TokenStream& stream)
      : worker_(worker), model_(*worker.model), stream_(stream), classify_(model_.kernels->classify) {}

  pumice_status read(const char* text, const char* end) {
    const char* at = text;
    while (at < end && going_) {
      const char* next = nullptr;
      const pumice_status status = read_block(at, end, next);
      if (status != PUMICE_OK) return status;
      at = next;
    }
    return PUMICE_OK;
  }

  bool going() const { return going_; }

 private:
  static constexpr std::size_t kBlock = 64;
  static constexpr std::size_t kCollected = 64;  // tokens of a word that the cache may not be able to hold

  // Reads the words that end in the block at `at`, and a word with special bytes to its end; `next` is where the
  // following word, white space or block begins.
  pumice_status read_block(const char* at, const char* end, const char*& next) {
    const auto left = static_cast<std::size_t>(end - at);
    // A short word's key is read past the word, so a block near the end is copied to where that can be done.
    char padded[kBlock + ShortWords::kBytes];
    const char* block = at;
    if (left < sizeof padded) {
      std::memset(padded, ' ', sizeof padded);
      std::memcpy(padded, at, left);
      block = padded;
    }
    simd::ByteMasks masks;
    classify_(model_.byte_classes, block, masks);
    const std::uint64_t tokens = masks.word | masks.punctuation;
    const std::uint64_t continues = masks.word & (masks.word << 1);
    std::uint64_t starts = tokens & ~continues;
    std::size_t stop = left < kBlock ? left : kBlock;
    const std::size_t special = masks.special != 0 ? static_cast<std::size_t>(std::countr_zero(masks.special)) : kBlock;
    if (special < stop) stop = special;
    // A word that touches the stop is not read here: it goes on there, or may.
    if (stop != left && stop > 0 && (masks.word >> (stop - 1) & 1)) {
      const std::uint64_t before = starts & ((std::uint64_t{2} << (stop - 1)) - 1);
      stop = kBlock - 1 - static_cast<std::size_t>(std::countl_zero(before));
    }
    if (stop < kBlock) starts &= (std::uint64_t{1} << stop) - 1;
    const pumice_status read = read_words(block, starts, continues);
    if (read != PUMICE_OK || !going_) return read;
    next = at + stop;
    if (stop == left) return PUMICE_OK;
    if (stop != 0 && special == kBlock) return PUMICE_OK;  // the block's last word is read with the next block
    const char* word_end = find_end(next, end);
    const pumice_status status = long_word(next, static_cast<std::size_t>(word_end - next), false);
    next = word_end;
    return status;
  }

  // The words of a block: `starts` has their first bytes, `continues` all others. First where each would be in the
  // cache, so that the memory is on its way, then what is there.
  pumice_status read_words(const char* block, std::uint64_t starts, std::uint64_t continues) {
    const ShortWords& cache = worker_.short_words;
    struct {
      ShortWords::Key key;
      const ShortWords::Entry* set;
      std::uint8_t begin, size;
    } words[kBlock];
    std::size_t count = 0;
    while (starts != 0) {
      const auto begin = static_cast<unsigned>(std::countr_zero(starts));
      starts &= starts - 1;
      const auto size = 1 + static_cast<unsigned>(std::countr_one(continues >> begin >> 1));
      auto& word = words[count++];
      word.begin = static_cast<std::uint8_t>(begin);
      word.size = static_cast<std::uint8_t>(size);
      if (!cache.exists() || size > ShortWords::kBytes) continue;
      word.key = ShortWords::key_in(block + begin, size);
      word.set = cache.set_of(word.key);
      prefetch(word.set);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto& word = words[i];
      pumice_status status;
      if (!cache.exists() || word.size > ShortWords::kBytes) {
        status = long_word(block + word.begin, word.size, true);
      } else {
        const ShortWords::Entry* entry = ShortWords::find(word.set, word.key);
        const bool here = entry != nullptr && entry->total != ShortWords::kElsewhere;
        if (here && stream_.fits(entry->total)) {
          stream_.put_known<ShortWords::kTokens>(entry->ids, entry->kept, entry->total);
          continue;
        }
        status = entry == nullptr ? new_word(block + word.begin, word.size, true)
                                  : long_word(block + word.begin, word.size, true);
      }
      if (status != PUMICE_OK || !going_) return status;
    }
    return PUMICE_OK;
  }

  // The next ASCII white space or punctuation.
  const char* find_end(const char* at, const char* end) const {
    for (; at < end; ++at) {
      const auto byte = static_cast<unsigned char>(*at);
      if (byte >= 0x80) continue;
      const AsciiClass kind = model_.normalizer.ascii_class[byte];
      if (kind == AsciiClass::kSpace || kind == AsciiClass::kPunctuation) break;
    }
    return at;
  }

  // Any stretch between ASCII white space and punctuation, or a single punctuation character; `ascii`: it is one word.
  pumice_status long_word(const char* word, std::size_t size, bool ascii) {
    // A key ends with zeros: a word with a NUL of its own has none.
    const bool cached =
        size <= LongWords::kBytes && worker_.long_words.exists() && (ascii || std::memchr(word, 0, size) == nullptr);
    if (!cached) return stream_word(word, size);
    if (size <= ShortWords::kBytes && !ascii) {
      const ShortWords::Key key = ShortWords::key_of(word, size);
      const ShortWords::Entry* entry = ShortWords::find(worker_.short_words.set_of(key), key);
      if (entry == nullptr) return new_word(word, size, ascii);
      if (entry->total != ShortWords::kElsewhere && stream_.fits(entry->total)) {
        stream_.put_known<ShortWords::kTokens>(entry->ids, entry->kept, entry->total);
        return PUMICE_OK;
      }
    }
    const LongWords::Key key = LongWords::key_of(word, size);
    const LongWords::Entry* entry = LongWords::find(worker_.long_words.set_of(key), key);
    if (entry == nullptr) return new_word(word, size, ascii);
    if (!stream_.fits(entry->total)) return stream_word(word, size);
    stream_.put_known<LongWords::kTokens>(entry->ids, entry->kept, entry->total);
    return PUMICE_OK;
  }

  // A word of at most LongWords::kBytes that the caches do not have.
  pumice_status new_word(const char* word, std::size_t size, bool ascii) {
    Collected found;
    auto collect = [&](const Word& read) {
      const std::uint32_t count = wordpiece(model_, read, worker_.pieces);
      for (std::uint32_t i = 0; i < count; ++i) found.put(worker_.pieces[i], stream_);
      return found.total <= kCollected;
    };
    if (ascii) {
      char lower[LongWords::kBytes];
      for (std::size_t i = 0; i < size; ++i) {
        lower[i] = model_.normalizer.ascii_lower[static_cast<unsigned char>(word[i])];
      }
      collect(Word{lower, size, size > model_.parameters.max_word_chars});
    } else {
      BertWords words(model_.normalizer, worker_.word, collect);
      // Not UTF-8: an error only if a token before it is not the last that counts.
      if (words.read(word, word + size) != PUMICE_OK) return stream_word(word, size);
    }
    if (found.total > kCollected || !stream_.fits(found.total)) return stream_word(word, size);
    remember(word, size, found);
    stream_.put_many(found.ids, found.kept, found.total);
    return PUMICE_OK;
  }

  // Without the caches: a word of any length and any number of tokens.
  pumice_status stream_word(const char* word, std::size_t size) {
    auto on_word = [&](const Word& read) {
      const std::uint32_t count = wordpiece(model_, read, worker_.pieces);
      for (std::uint32_t i = 0; i < count; ++i) {
        if (!stream_.put(worker_.pieces[i])) return false;
      }
      return true;
    };
    BertWords words(model_.normalizer, worker_.word, on_word);
    const pumice_status status = words.read(word, word + size);
    going_ = words.going();
    return status;
  }

  struct Collected {
    std::uint32_t ids[kCollected];
    std::uint16_t kept = 0;
    std::uint16_t total = 0;

    void put(std::uint32_t id, const TokenStream& stream) {
      ++total;
      if (!stream.keeps(id) || kept == kCollected) return;
      ids[kept++] = id;
    }
  };

  // A short word of many tokens is put where long words are, and its own place says so.
  void remember(const char* word, std::size_t size, const Collected& found) {
    const bool few = found.kept <= ShortWords::kTokens;
    if (!few && found.kept > LongWords::kTokens) return;
    if (size <= ShortWords::kBytes) {
      auto& entry = worker_.short_words.insert(ShortWords::key_of(word, size));
      std::memcpy(entry.ids, found.ids, sizeof entry.ids);
      entry.kept = few ? found.kept : 0;
      entry.total = few ? found.total : ShortWords::kElsewhere;
      if (few) return;
    }
    auto& entry = worker_.long_words.insert(LongWords::key_of(word, size));
    std::memcpy(entry.ids, found.ids, sizeof entry.ids);
    entry.kept = found.kept;
    entry.total = found.total;
  }

  pumice_worker& worker_;
  const pumice_model& model_;
  TokenStream& stream_;
  simd::Classify classify_;
  bool going_ = true;
};

}  // namespace pumice
