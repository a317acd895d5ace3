// One thread's scratch: what follows the worker in the caller's memory.
#pragma once

#include "arena.h"
#include "cached_tokens.h"
#include "model_file.h"
#include "pre_tokenizer.h"
#include "word_batch.h"

// The opaque type of the C interface.
struct pumice_worker {
  const pumice_model* model;
  pumice::WordBuffer word;
  std::uint32_t* pieces;  // max_word_chars
  std::uint32_t* ids;     // id_room, then their rows
  void* weights;          // id_room floats, or twice as many 16-bit integers: what each row is multiplied by
  std::size_t id_room;
  std::uint8_t* seen;        // tokens; of models whose repeats count less
  float* sum;                // dimensions
  std::int32_t* totals;      // twice the dimensions, the second half of fine multipliers; rows of integers only
  std::int64_t* wide;        // dimensions; rows of integers only
  pumice::WordBatch* batch;  // where there are caches; these four of WordPiece
  pumice::LittleWords little_words;
  pumice::ShortWords short_words;
  pumice::LongWords long_words;
  pumice::NarrowWords narrow_words;  // these of the other tokenizers
  pumice::WideWords wide_words;
  pumice::Arena arena;  // the rest of the memory
};
