// The C interface: checks arguments, lays out the caller's memory, calls the core once.
#include <cstdint>
#include <cstring>
#include <new>

#include "model_file.h"
#include "pooling.h"
#include "prefetch.h"
#include "pumice.h"
#include "spans.h"
#include "worker.h"

namespace {

bool is_aligned(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory) % PUMICE_ALIGNMENT == 0; }

constexpr std::size_t padded(std::size_t size) {
  return (size + PUMICE_ALIGNMENT - 1) / PUMICE_ALIGNMENT * PUMICE_ALIGNMENT;
}

bool is_vector(const pumice_model& model, std::uint32_t dim, std::uint32_t type) {
  return dim >= 1 && dim <= model.parameters.dimensions && type <= PUMICE_VECTOR_BINARY;
}

bool is_wordpiece(const pumice_model& model) { return model.parameters.tokenizer == PUMICE_TOKENIZER_WORDPIECE; }

bool caches_words(const pumice_model& model) { return model.parameters.tokenizer != PUMICE_TOKENIZER_LIBRARY; }

// Longest word the worker must hold; 0 where the core runs no tokenizer.
std::uint32_t word_chars(const pumice_model& model) {
  return is_wordpiece(model) ? model.parameters.max_word_chars : 0;
}

// Scratch for a text's intermediate forms; longer texts ask for a larger worker.
std::size_t arena_size(const pumice_model& model) {
  const bool normalizes = is_wordpiece(model) ? !model.normalized_tokens.empty() : caches_words(model);
  return normalizes ? std::size_t{64} << 10 : 0;
}

// The word caches that fit into what memory is left: logarithms of their sets.
struct CacheBits {
  unsigned many;  // of little_words and short_words, or narrow_words
  unsigned few;   // of long_words or wide_words
};
// 1 MiB of little words, 2 MiB of short and 256 KiB of long ones; the sets of frequent words stay in a core's
// second-level cache.
constexpr CacheBits kMostOfWordPiece = {14, 11};
// 3 MiB of narrow words, 1 MiB of wide ones. These serve many languages at once, and have more words of many tokens.
constexpr CacheBits kMostOfOthers = {14, 12};
constexpr unsigned kLeastBits = 3;  // few words recur in fewer sets

CacheBits most_cache_bits(const pumice_model& model) { return is_wordpiece(model) ? kMostOfWordPiece : kMostOfOthers; }

// Sets of words begin where the processor's cache lines do.
constexpr std::size_t kCacheLine = 64;

std::size_t cache_size(const pumice_model& model, CacheBits bits) {
  if (!is_wordpiece(model)) {
    return kCacheLine + pumice::NarrowWords::size_of(bits.many) + pumice::WideWords::size_of(bits.few);
  }
  return kCacheLine + pumice::LittleWords::size_of(bits.many) + pumice::ShortWords::size_of(bits.many) +
         pumice::LongWords::size_of(bits.few) + padded(sizeof(pumice::WordBatch));
}

// Writes ids out as far as there is room, and counts them all.
class CountedIds : public pumice::IdSink {
 public:
  CountedIds(pumice_worker& worker, std::uint32_t* ids, std::size_t capacity)
      : IdSink(worker.ids, worker.id_room, drain),
        out_(ids),
        capacity_(capacity),
        tokens_(worker.model->parameters.tokens) {}

  // False if the file named a token that it does not have.
  bool finish(std::size_t& count) {
    drain(*this);
    count = written_;
    return valid_;
  }

 private:
  static void drain(IdSink& sink) {
    auto& self = static_cast<CountedIds&>(sink);
    for (std::size_t i = 0; i < self.count_; ++i, ++self.written_) {
      self.valid_ = self.valid_ && self.ids_[i] < self.tokens_;
      if (self.written_ < self.capacity_) self.out_[self.written_] = self.ids_[i];
    }
    self.count_ = 0;
  }

  std::uint32_t* out_;
  std::size_t capacity_;
  std::uint32_t tokens_;
  std::size_t written_ = 0;
  bool valid_ = true;
};

// The processor itself goes on where a text has begun.
void prefetch_text(const pumice_text& text) {
  constexpr std::size_t kMost = 512;
  if (text.bytes == nullptr) return;
  for (std::size_t at = 0; at < text.size && at < kMost; at += kCacheLine) pumice::prefetch(text.bytes + at);
}

// What the worker's arrays take; with int8 rows the sums are integers first.
constexpr std::size_t kLeastIds = 256 + pumice::IdSink::kSlack;
constexpr std::size_t kFastIds = (pumice::kRoomForSpeed ? 4096 : 2048) + pumice::IdSink::kSlack;

std::size_t ids_size(std::size_t room) { return 2 * padded(room * sizeof(std::uint32_t)); }

std::size_t sums_size(const pumice::Parameters& parameters) {
  const std::size_t n = parameters.dimensions;
  const bool integers = parameters.row_type >= PUMICE_ROW_I8;
  return padded(n * sizeof(float)) +
         (integers ? padded(2 * n * sizeof(std::int32_t)) + padded(n * sizeof(std::int64_t)) : 0);
}

std::size_t seen_size(const pumice_model& model) {
  return model.counting.repeats.size == 0 ? 0 : model.parameters.tokens;
}

}  // namespace

extern "C" {

const char* pumice_status_message(uint32_t status) {
  switch (status) {
    case PUMICE_OK:
      return "no error";
    case PUMICE_NOT_A_MODEL:
      return "not a .pumice file: the magic number is missing";
    case PUMICE_UNKNOWN_VERSION:
      return "written in a format version that this pumice does not read";
    case PUMICE_TRUNCATED:
      return "truncated or extended: its size is not the one its header declares";
    case PUMICE_BAD_SECTION_TABLE:
      return "damaged: the section table does not describe the file";
    case PUMICE_UNKNOWN_SECTION:
      return "needs a newer pumice: it holds a required section of an unknown kind";
    case PUMICE_MISSING_SECTION:
      return "damaged: a section that its parameters call for is missing";
    case PUMICE_BAD_PARAMETERS:
      return "damaged: a parameter is outside its range";
    case PUMICE_BAD_SECTION:
      return "damaged: a section contradicts the parameters";
    case PUMICE_UNALIGNED:
      return "memory is not aligned to 16 bytes";
    case PUMICE_MEMORY_TOO_SMALL:
      return "memory is smaller than the size asked for";
    case PUMICE_INVALID_UTF8:
      return "the text is not valid UTF-8";
    case PUMICE_BAD_ARGUMENT:
      return "an argument is null or outside its range";
    case PUMICE_NO_NATIVE_TOKENIZER:
      return "the model's tokenizer runs outside the core; pass token ids";
    case PUMICE_TOO_MUCH_WORK:
      return "not a model to use: its tokenizer makes this text cost more than any text may";
  }
  return "unknown status";
}

size_t pumice_model_size(void) { return padded(sizeof(pumice_model)); }

pumice_status pumice_open(const void* file, size_t file_size, void* memory, size_t memory_size,
                          const pumice_model** model) {
  if (model != nullptr) *model = nullptr;
  if (file == nullptr || memory == nullptr || model == nullptr) return PUMICE_BAD_ARGUMENT;
  if (!is_aligned(file) || !is_aligned(memory)) return PUMICE_UNALIGNED;
  if (memory_size < sizeof(pumice_model)) return PUMICE_MEMORY_TOO_SMALL;
  auto* opened = new (memory) pumice_model;
  const pumice_status status = pumice::open_model(static_cast<const std::uint8_t*>(file), file_size, *opened);
  if (status == PUMICE_OK) *model = opened;
  return status;
}

pumice_info pumice_describe(const pumice_model* model) {
  const pumice::Parameters& p = model->parameters;
  return {
      p.dimensions, p.tokens,     p.rows,      p.row_type,       p.tokenizer, p.unknown_id, p.unknown == 0 ? 1u : 0u,
      p.normalize,  p.max_tokens, p.max_chars, p.multiplier_unit};
}

int pumice_section(const pumice_model* model, uint32_t kind, const void** bytes, size_t* size) {
  if (kind >= pumice::kSectionKinds || model->sections[kind].bytes == nullptr) return 0;
  *bytes = model->sections[kind].bytes;
  *size = model->sections[kind].size;
  return 1;
}

size_t pumice_worker_size(const pumice_model* model) {
  const std::size_t chars = word_chars(*model);
  return padded(sizeof(pumice_worker)) + ids_size(kLeastIds) + sums_size(model->parameters) +
         padded(seen_size(*model)) + padded(chars * sizeof(std::uint32_t)) + padded(4 * chars) + 2 * padded(chars) +
         arena_size(*model);
}

size_t pumice_worker_fast_size(const pumice_model* model) {
  return pumice_worker_size(model) + ids_size(kFastIds) - ids_size(kLeastIds) +
         (caches_words(*model) ? cache_size(*model, most_cache_bits(*model)) : 0);
}

pumice_status pumice_worker_init(const pumice_model* model, void* memory, size_t memory_size, pumice_worker** worker) {
  if (worker != nullptr) *worker = nullptr;
  if (model == nullptr || memory == nullptr || worker == nullptr) return PUMICE_BAD_ARGUMENT;
  if (!is_aligned(memory)) return PUMICE_UNALIGNED;
  if (memory_size < pumice_worker_size(model)) return PUMICE_MEMORY_TOO_SMALL;
  const std::size_t chars = word_chars(*model);
  auto* at = static_cast<std::uint8_t*>(memory);
  const auto take = [&at](std::size_t size) {
    std::uint8_t* taken = at;
    at += padded(size);
    return taken;
  };
  auto* made = new (take(sizeof(pumice_worker))) pumice_worker{};
  made->model = model;
  const std::size_t n = model->parameters.dimensions;
  made->sum = reinterpret_cast<float*>(take(n * sizeof(float)));
  if (model->add_integer_rows != nullptr) {
    made->totals = reinterpret_cast<std::int32_t*>(take(2 * n * sizeof(std::int32_t)));
    made->wide = reinterpret_cast<std::int64_t*>(take(n * sizeof(std::int64_t)));
  }
  const bool fast = memory_size >= pumice_worker_size(model) + ids_size(kFastIds) - ids_size(kLeastIds);
  made->id_room = fast ? kFastIds : kLeastIds;
  made->ids = reinterpret_cast<std::uint32_t*>(take(made->id_room * sizeof(std::uint32_t)));
  made->weights = take(made->id_room * sizeof(std::uint32_t));
  made->seen = take(seen_size(*model));
  std::memset(made->seen, 0, seen_size(*model));
  made->pieces = reinterpret_cast<std::uint32_t*>(take(chars * sizeof(std::uint32_t)));
  made->word.bytes = reinterpret_cast<char*>(take(4 * chars));
  made->word.run_classes = take(chars);
  made->word.run_sizes = take(chars);
  made->word.max_chars = static_cast<std::uint32_t>(chars);
  if (caches_words(*model)) {
    const auto rest = static_cast<std::size_t>(static_cast<std::uint8_t*>(memory) + memory_size - at);
    const std::size_t left = rest - arena_size(*model);
    CacheBits bits = most_cache_bits(*model);
    for (; bits.few >= kLeastBits && cache_size(*model, bits) > left; --bits.few) --bits.many;
    if (bits.few >= kLeastBits) {
      std::memset(at, 0, cache_size(*model, bits));
      at += (kCacheLine - reinterpret_cast<std::uintptr_t>(at) % kCacheLine) % kCacheLine;
      const auto adopt = [&take](auto& cache, unsigned sets) { cache.adopt(take(cache.size_of(sets)), sets); };
      if (is_wordpiece(*model)) {
        adopt(made->little_words, bits.many);
        adopt(made->short_words, bits.many);
        adopt(made->long_words, bits.few);
        if (fast) made->batch = new (take(sizeof(pumice::WordBatch))) pumice::WordBatch;
      } else {
        adopt(made->narrow_words, bits.many);
        adopt(made->wide_words, bits.few);
      }
    }
  }
  made->arena = pumice::Arena(at, static_cast<std::size_t>(static_cast<std::uint8_t*>(memory) + memory_size - at));
  *worker = made;
  return PUMICE_OK;
}

pumice_status pumice_tokenize(pumice_worker* worker, const char* text, size_t size, uint32_t* ids, size_t capacity,
                              size_t* count) {
  if (worker == nullptr || (text == nullptr && size != 0) || (ids == nullptr && capacity != 0) || count == nullptr) {
    return PUMICE_BAD_ARGUMENT;
  }
  CountedIds sink(*worker, ids, capacity);
  pumice_status status = pumice::tokenize(*worker, text, size, sink);
  const bool valid = sink.finish(*count);
  if (status == PUMICE_OK && !valid) status = PUMICE_BAD_SECTION;
  if (status != PUMICE_OK) *count = 0;
  return status;
}

pumice_status pumice_token_spans(pumice_worker* worker, const char* text, size_t size, pumice_token* tokens,
                                 size_t capacity, size_t* count) {
  if (worker == nullptr || (text == nullptr && size != 0) || (tokens == nullptr && capacity != 0) || count == nullptr) {
    return PUMICE_BAD_ARGUMENT;
  }
  const pumice_status status = pumice::token_spans(*worker, text, size, tokens, capacity, *count);
  if (status != PUMICE_OK) *count = 0;
  return status;
}

size_t pumice_vector_size(uint32_t dim, uint32_t type) {
  const std::size_t n = dim;
  switch (type) {
    case PUMICE_VECTOR_F32:
      return 4 * n;
    case PUMICE_VECTOR_F16:
      return 2 * n;
    case PUMICE_VECTOR_I8:
      return n;
    case PUMICE_VECTOR_BINARY:
      return (n + 7) / 8;
  }
  return 0;
}

pumice_status pumice_encode(pumice_worker* worker, const char* text, size_t size, uint32_t dim, uint32_t type,
                            void* out) {
  const pumice_text one = {text, size};
  size_t done = 0;
  return pumice_encode_many(worker, &one, 1, dim, type, out, &done);
}

pumice_status pumice_encode_many(pumice_worker* worker, const pumice_text* texts, size_t count, uint32_t dim,
                                 uint32_t type, void* out, size_t* done) {
  if (done != nullptr) *done = 0;
  const bool given = worker != nullptr && (texts != nullptr || count == 0) && (out != nullptr || count == 0);
  const bool past_caches = (type & PUMICE_PAST_CACHES) != 0;
  type &= ~PUMICE_PAST_CACHES;
  if (!given || done == nullptr || !is_vector(*worker->model, dim, type)) return PUMICE_BAD_ARGUMENT;
  pumice::Pool pool(*worker, dim, type, out, past_caches);
  pumice_status status = PUMICE_OK;
  for (size_t i = 0; i < count && status == PUMICE_OK; ++i) {
    if (i + 1 < count) prefetch_text(texts[i + 1]);
    const bool is_text = texts[i].bytes != nullptr || texts[i].size == 0;
    status = is_text ? pumice::tokenize(*worker, texts[i].bytes, texts[i].size, pool, true) : PUMICE_BAD_ARGUMENT;
    if (status == PUMICE_OK) pumice::end_text(*worker, pool);
  }
  pumice::flush_words(*worker, pool);
  if (status != PUMICE_OK) pool.drop_text();
  if (!pool.finish() && status == PUMICE_OK) status = PUMICE_BAD_SECTION;
  *done = pool.done();
  return status;
}

pumice_status pumice_pool(pumice_worker* worker, const uint32_t* ids, size_t count, uint32_t dim, uint32_t type,
                          void* out) {
  if (worker == nullptr || (ids == nullptr && count != 0) || out == nullptr || !is_vector(*worker->model, dim, type)) {
    return PUMICE_BAD_ARGUMENT;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (ids[i] >= worker->model->parameters.tokens) return PUMICE_BAD_ARGUMENT;
  }
  pumice::Pool pool(*worker, dim, type, out);
  pumice::TokenStream stream(*worker->model, pool);
  for (std::size_t i = 0; i < count && stream.put(ids[i]);) ++i;
  pool.end_text();
  return pool.finish() ? PUMICE_OK : PUMICE_BAD_SECTION;
}

}  // extern "C"
