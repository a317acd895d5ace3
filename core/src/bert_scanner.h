// The fast way through a text for BERT's WordPiece: 64 bytes at a time, words from the cache where it has them.
#pragma once

#include <bit>
#include <cstring>

#include "added_tokens.h"
#include "ids.h"
#include "pre_tokenizer.h"
#include "prefetch.h"
#include "simd/kernels.h"
#include "word_batch.h"
#include "wordpiece.h"
#include "worker_memory.h"

namespace pumice {

// Reads a text and puts its token ids into a stream. Words of ASCII bytes are told apart by masks; a word that
// holds anything else is read, up to the next ASCII space or punctuation, by the exact tables of BertWords.
// Where the worker has room for it and no normalized token can begin in a word, words wait in its WordBatch.
// Otherwise normalized tokens, if they begin in words, are looked for in words that may begin one.
class BertScanner {
 public:
  BertScanner(pumice_worker& worker, TokenStream& stream, std::string_view text)
      : worker_(worker),
        model_(*worker.model),
        stream_(stream),
        classify_(model_.kernels->classify),
        text_(text),
        cutter_(model_.normalized_tokens, text) {}

  // Words may be left waiting in the worker's batch: call flush() before anything else puts tokens.
  pumice_status read() {
    const char* at = text_.data();
    const char* const end = at + text_.size();
    if (worker_.batch != nullptr && !model_.tokens_begin_words) return read_batched(at, end);
    while (at < end && going_) {
      const char* next = nullptr;
      const pumice_status status = read_block(at, end, next);
      if (status != PUMICE_OK) return status;
      at = next;
    }
    return PUMICE_OK;
  }

  bool going() const { return going_; }

  // Puts the tokens of the words that wait, ending the texts before this one.
  void flush() {
    WordBatch& batch = *worker_.batch;
    batch.look_up(*model_.kernels->find, worker_.little_words, worker_.short_words,
                  [&](std::size_t i, FoundWord& found) { learn(batch.list.begin[i], batch.list.size[i], found); });
    std::size_t from = 0;
    for (std::size_t text = 0; text < batch.texts; ++text) {
      TokenStream stream(model_, stream_.sink());
      BertScanner(worker_, stream, {}).put_found(from, batch.ends[text]);
      stream_.sink().end_text();
      from = batch.ends[text];
    }
    put_found(from, batch.list.count);
    batch.list.count = 0;
    batch.texts = 0;
  }

 private:
  static constexpr std::size_t kBlock = 64;
  static constexpr std::size_t kCollected = 64;  // tokens of a word that the cache may not be able to hold

  static constexpr std::size_t kLastStart = ShortWords::kStarts - 1;

  struct Collected {
    std::uint32_t ids[kCollected];  // of which more than `kept` may be copied
    std::uint16_t kept = 0;
    std::uint16_t total = 0;

    void put(std::uint32_t id, const TokenStream& stream) {
      ++total;
      if (!stream.keeps(id) || kept == kCollected) return;
      ids[kept++] = id;
    }
  };

  pumice_status read_batched(const char* at, const char* end) {
    simd::WordList& list = worker_.batch->list;
    const simd::ListWords list_words = model_.kernels->list_words;
    for (;;) {
      at = list_words(model_.byte_classes, at, end, list);
      if (list.count < simd::WordList::kFull && at == end) return PUMICE_OK;
      const bool full = list.count >= simd::WordList::kFull;
      flush();
      if (!going_) return PUMICE_OK;
      if (full) continue;
      const char* word_end = find_end(at, end);
      const pumice_status status = long_word(at, static_cast<std::size_t>(word_end - at), false);
      if (status != PUMICE_OK || !going_) return status;
      at = word_end;
    }
  }

  // Puts the tokens of words of the batch, which are this text's.
  void put_found(std::size_t from, std::size_t to) {
    const simd::WordList& words = worker_.batch->list;
    const FoundWord* found = worker_.batch->found;
    if (stream_.limited()) {
      std::uint32_t known = 0, most = 0;  // a word has no more tokens than bytes
      for (std::size_t i = from; i < to; ++i) {
        const bool here = found[i].kept != FoundWord::kNot;
        known += here ? found[i].tokens() : 0u;
        most += here ? found[i].tokens() : words.size[i];
      }
      if (!stream_.fits(most)) {
        for (std::size_t i = from; i < to && going_; ++i) long_word(words.begin[i], words.size[i], true);
        return;
      }
      stream_.take_known(known);
    }
    std::uint32_t* out = stream_.sink().room_for(FoundWord::kMostIds * (to - from));
    for (std::size_t i = from; i < to; ++i) {
      std::memcpy(out, &found[i], sizeof found[i]);  // its ids, the last one aside
      if (found[i].kept < FoundWord::kMostIds) {
        out += found[i].kept;
      } else if (found[i].kept == FoundWord::kMostIds) {
        out[ShortWords::kTokens] = found[i].last_id();
        out += FoundWord::kMostIds;
      } else {
        stream_.sink().wrote(out);
        long_word(words.begin[i], words.size[i], true);
        out = stream_.sink().room_for(FoundWord::kMostIds * (to - i));
      }
    }
    stream_.sink().wrote(out);
  }

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
    const pumice_status read = read_words(at, block, starts, continues);
    if (read != PUMICE_OK || !going_) return read;
    if (resumes(next)) return PUMICE_OK;
    next = at + stop;
    if (stop == left) return PUMICE_OK;
    if (stop != 0 && special == kBlock) return PUMICE_OK;  // the block's last word is read with the next block
    const char* word_end = find_end(next, end);
    const pumice_status status = long_word(next, static_cast<std::size_t>(word_end - next), false);
    if (!resumes(next)) next = word_end;
    return status;
  }

  // The words of a block, which `block` has as `text` has them: `starts` has their first bytes, `continues` all
  // others. First where each would be in the cache, so that the memory is on its way, then what is there.
  pumice_status read_words(const char* text, const char* block, std::uint64_t starts, std::uint64_t continues) {
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
        status = long_word(text + word.begin, word.size, true);
      } else {
        const ShortWords::Entry* entry = ShortWords::find(word.set, word.key);
        const bool plain = entry != nullptr && entry->starts == 0;
        if (plain && stream_.fits(entry->total)) {
          stream_.put_known<ShortWords::kTokens>(entry->ids, entry->kept, entry->total);
          continue;
        }
        if (entry == nullptr) {
          status = new_word(text + word.begin, word.size, true);
        } else if (entry->total == ShortWords::kElsewhere) {
          status = long_word(text + word.begin, word.size, true);
        } else {
          status = known_word<ShortWords>(*entry, text + word.begin, word.size);
        }
      }
      if (status != PUMICE_OK || !going_) return status;
      if (resume_ == nullptr) continue;
      // After a token that ends in the block, and not inside a word, the block's other words are good.
      const auto done = static_cast<std::size_t>(resume_ - text);
      while (i + 1 < count && words[i + 1].begin < done) ++i;
      if (i + 1 == count || (continues >> done & 1)) return PUMICE_OK;
      resume_ = nullptr;
    }
    return PUMICE_OK;
  }

  // The next ASCII white space or punctuation.
  const char* find_end(const char* at, const char* end) const {
    for (; at < end; ++at) {
      const auto byte = static_cast<unsigned char>(*at);
      if (byte >= 0x80) continue;
      const AsciiClass kind = model_.word_normalizer.ascii_class[byte];
      if (kind == AsciiClass::kSpace || kind == AsciiClass::kPunctuation) break;
    }
    return at;
  }

  // Any stretch between ASCII white space and punctuation, or a single punctuation character; `ascii`: it is one word.
  pumice_status long_word(const char* word, std::size_t size, bool ascii) {
    // A key ends with zeros: a word with a NUL of its own has none.
    const bool cached =
        size <= LongWords::kBytes && worker_.long_words.exists() && (ascii || std::memchr(word, 0, size) == nullptr);
    if (!cached) return model_.tokens_begin_words ? cut_whole_word(word, size) : stream_word(word, size);
    if (size <= ShortWords::kBytes && !ascii) {
      const ShortWords::Key key = ShortWords::key_of(word, size);
      const ShortWords::Entry* entry = ShortWords::find(worker_.short_words.set_of(key), key);
      if (entry == nullptr) return new_word(word, size, ascii);
      if (entry->total != ShortWords::kElsewhere) return known_word<ShortWords>(*entry, word, size);
    }
    const LongWords::Key key = LongWords::key_of(word, size);
    const LongWords::Entry* entry = LongWords::find(worker_.long_words.set_of(key), key);
    return entry == nullptr ? new_word(word, size, ascii) : known_word<LongWords>(*entry, word, size);
  }

  template <class Cache>
  pumice_status known_word(const typename Cache::Entry& entry, const char* word, std::size_t size) {
    if (entry.starts != 0 && cut_word(word, size, entry.starts)) return PUMICE_OK;
    if (!stream_.fits(entry.total)) return stream_word(word, size);
    stream_.put_known<Cache::kTokens>(entry.ids, entry.kept, entry.total);
    return PUMICE_OK;
  }

  // The same of a word of ASCII bytes and of at most ShortWords::kBytes for the batch.
  void learn(const char* word, std::size_t size, FoundWord& found) {
    Collected tokens;
    collect_ascii(word, size, tokens);
    const bool little = size <= LittleWords::kBytes && tokens.total <= LittleWords::kTokens &&
                        tokens.kept == tokens.total && tokens.total > 0 && tokens.ids[0] != kNone &&
                        tokens.ids[tokens.total - 1] != kNone;
    const ShortWords::Key key = ShortWords::key_of(word, size);
    std::memcpy(found.ids, tokens.ids, sizeof found.ids);
    found.kept = static_cast<std::uint8_t>(tokens.kept);
    found.total = static_cast<std::uint8_t>(tokens.total);
    found.starts = 0;
    if (little) {
      worker_.little_words.insert(key.words[0], tokens.ids, tokens.total);
    } else if (tokens.total == FoundWord::kMostIds && tokens.kept == tokens.total && tokens.ids[3] < kMaxTokens) {
      found.total = static_cast<std::uint8_t>(tokens.ids[3]);
      found.starts = static_cast<std::uint16_t>(tokens.ids[3] >> 8);
      auto& entry = worker_.short_words.insert(key);
      std::memcpy(entry.ids, found.ids, sizeof entry.ids);
      entry.kept = found.kept;
      entry.total = found.total;
      entry.starts = found.starts;
    } else if (tokens.total <= kCollected) {
      remember(word, size, tokens, 0);
      if (tokens.kept > ShortWords::kTokens) found.kept = FoundWord::kNot;
    } else {
      found.kept = FoundWord::kNot;
    }
  }

  // A word of at most LongWords::kBytes that the caches do not have.
  pumice_status new_word(const char* word, std::size_t size, bool ascii) {
    Collected found;
    if (ascii) {
      collect_ascii(word, size, found);
    } else {
      auto collect = [&](const Word& read) { return this->collect(read, found); };
      BertWords words(model_.word_normalizer, worker_.word, collect);
      // Not UTF-8: an error only if a token before it is not the last that counts.
      if (words.read(word, word + size) != PUMICE_OK) return stream_word(word, size);
    }
    const unsigned starts = model_.tokens_begin_words ? token_starts(word, size) : 0;
    if (found.total <= kCollected) remember(word, size, found, starts);
    if (starts != 0 && cut_word(word, size, starts)) return PUMICE_OK;
    if (found.total > kCollected || !stream_.fits(found.total)) return stream_word(word, size);
    stream_.put_many(found.ids, found.kept, found.total);
    return PUMICE_OK;
  }

  bool collect(const Word& read, Collected& found) {
    const std::uint32_t count = wordpiece(model_, read, worker_.pieces);
    for (std::uint32_t i = 0; i < count; ++i) found.put(worker_.pieces[i], stream_);
    return found.total <= kCollected;
  }

  void collect_ascii(const char* word, std::size_t size, Collected& found) {
    char lower[LongWords::kBytes];
    for (std::size_t i = 0; i < size; ++i) {
      lower[i] = model_.word_normalizer.ascii_lower[static_cast<unsigned char>(word[i])];
    }
    collect(Word{lower, size, size > model_.parameters.max_word_chars}, found);
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
    BertWords words(model_.word_normalizer, worker_.word, on_word);
    const pumice_status status = words.read(word, word + size);
    going_ = words.going();
    return status;
  }

  // Where in a word normalized tokens begin or, as far as the word says, may: what follows it is ASCII white space or
  // punctuation, if it is not such a character itself. Bits as in the caches.
  unsigned token_starts(const char* word, std::size_t size) const {
    unsigned starts = 0;
    for (std::size_t i = 0; i < size; ++i) {
      if (may_begin_token(word + i, word + size)) starts |= start_bit(i);
    }
    return starts;
  }

  static unsigned start_bit(std::size_t at) { return 1u << (at < kLastStart ? at : kLastStart); }

  bool may_begin_token(const char* at, const char* end) const {
    const bool alone = is_punctuation(*at);
    std::uint32_t node = DoubleArray::kRoot;
    for (; at < end && model_.normalized_tokens.step(node, static_cast<unsigned char>(*at)); ++at) {
      if (model_.normalized_tokens.units[node].base & DoubleArray::kHasValue) return true;
    }
    return at == end && (alone || continues_after_word(node));
  }

  bool continues_after_word(std::uint32_t node) const {
    for (const char next : std::string_view(" \t\n\v\f\r!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")) {
      std::uint32_t after = node;
      if (model_.normalized_tokens.step(after, static_cast<unsigned char>(next))) return true;
    }
    return false;
  }

  bool is_punctuation(char c) const {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x80 && model_.word_normalizer.ascii_class[byte] == AsciiClass::kPunctuation;
  }

  // Puts the first normalized token that begins in the word, and before it what the word begins with; false if there
  // is none. What follows the token is read next.
  bool cut_word(const char* word, std::size_t size, unsigned starts) {
    for (; starts != 0; starts &= starts - 1) {
      const auto start = static_cast<unsigned>(std::countr_zero(starts));
      const char* const from = word + start;
      AddedTokenCutter::Part token;
      if (!cutter_.next_token(from, start == kLastStart ? word + size : from + 1, token)) continue;
      put_token(word, token);
      return true;
    }
    return false;
  }

  // A word of any length with all tokens that begin in it. Its end is not looked for again after each of them, which
  // would cost the square of its length.
  pumice_status cut_whole_word(const char* word, std::size_t size) {
    const char* const end = word + size;
    AddedTokenCutter::Part token;
    while (going_ && word < end && cutter_.next_token(word, end, token)) {
      put_token(word, token);
      word = resume_;
    }
    if (!going_ || word >= end) return PUMICE_OK;
    resume_ = nullptr;
    return stream_word(word, static_cast<std::size_t>(end - word));
  }

  void put_token(const char* word, const AddedTokenCutter::Part& token) {
    const char* const begin = token.text.data();
    if (begin > word) stream_word(word, static_cast<std::size_t>(begin - word));  // UTF-8, as it was normalised
    going_ = going_ && stream_.put(token.id);
    resume_ = begin + token.text.size();
  }

  // Where to go on after a normalized token, if there was one.
  bool resumes(const char*& next) {
    if (resume_ == nullptr) return false;
    next = resume_;
    resume_ = nullptr;
    return true;
  }

  // A short word of many tokens is put where long words are, and its own place says so.
  void remember(const char* word, std::size_t size, const Collected& found, unsigned starts) {
    const bool few = found.kept <= ShortWords::kTokens;
    if (!few && found.kept > LongWords::kTokens) return;
    if (size <= ShortWords::kBytes) {
      auto& entry = worker_.short_words.insert(ShortWords::key_of(word, size));
      std::memcpy(entry.ids, found.ids, sizeof entry.ids);
      entry.kept = few ? static_cast<std::uint8_t>(found.kept) : 0;
      entry.total = few ? static_cast<std::uint8_t>(found.total) : ShortWords::kElsewhere;
      entry.starts = few ? static_cast<std::uint16_t>(starts) : 0xFFFF;
      if (few) return;
    }
    auto& entry = worker_.long_words.insert(LongWords::key_of(word, size));
    std::memcpy(entry.ids, found.ids, sizeof entry.ids);
    entry.kept = static_cast<std::uint8_t>(found.kept);
    entry.total = static_cast<std::uint8_t>(found.total);
    entry.starts = static_cast<std::uint16_t>(starts);
  }

  pumice_worker& worker_;
  const pumice_model& model_;
  TokenStream& stream_;
  simd::Classify classify_;
  std::string_view text_;
  AddedTokenCutter cutter_;
  const char* resume_ = nullptr;  // after a normalized token that the block's reading met
  bool going_ = true;
};

}  // namespace pumice
