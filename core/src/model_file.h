// A .pumice file opened in place: views into the caller's bytes, every bound checked (docs/format.md).
#pragma once

#include <cstddef>
#include <cstdint>

#include "counting.h"
#include "double_array.h"
#include "normalizer.h"
#include "pumice.h"
#include "simd/kernels.h"
#include "word_route.h"

namespace pumice {

inline constexpr std::uint32_t kNone = 0xFFFFFFFFu;  // "absent" or "no limit" in every 32-bit parameter

// The parameters section, byte for byte.
struct Parameters {
  std::uint32_t dimensions;
  std::uint32_t tokens;
  std::uint32_t rows;
  std::uint8_t row_type;   // pumice_row_type
  std::uint8_t tokenizer;  // pumice_tokenizer
  std::uint8_t unknown;    // 0: dropped from the mean, 1: averaged in
  std::uint8_t normalize;  // 1: divide by the L2 norm
  std::uint32_t unknown_id;
  std::uint32_t max_tokens;
  std::uint32_t max_chars;
  std::uint32_t max_word_chars;     // WordPiece: longer words are unknown
  std::uint32_t normalizer_flags;   // BertFlag bits
  std::uint32_t continuation_node;  // WordPiece: trie node of the continuing prefix
  float multiplier_unit;            // rows of integers: what a token multiplier counts; 0 elsewhere
  std::uint32_t reserved[5];
};
static_assert(sizeof(Parameters) == 64);

inline constexpr std::uint32_t kMaxDimensions = 1u << 16;
inline constexpr std::uint32_t kMaxTokens = 1u << 24;
inline constexpr std::uint32_t kMaxWordChars = 1024;

struct Section {
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
};

inline constexpr std::uint32_t kSectionKinds = PUMICE_SECTION_TOKEN_BORDERS + 1;

}  // namespace pumice

// The opaque type of the C interface.
struct pumice_model {
  pumice::Parameters parameters;
  pumice::Section sections[pumice::kSectionKinds];
  pumice::DoubleArray vocabulary;
  pumice::DoubleArray added_tokens;       // that are found in the raw text
  pumice::DoubleArray normalized_tokens;  // that are found in the normalised text
  pumice::BertNormalizer normalizer;
  pumice::BertNormalizer word_normalizer;  // of words as WordPiece meets them: normalised text is left as it is
  pumice::WordRoute route;                 // of the tokenizers that are not WordPiece
  bool tokens_begin_words;                 // no normalized token begins with what the scanner skips: ASCII white space
  pumice::simd::ByteClasses byte_classes;
  const pumice::simd::Kernels* kernels = nullptr;
  const void* rows = nullptr;
  std::size_t row_stride = 0;                               // values from one row to the next; of packed rows bytes
  pumice::simd::AddIntegerRows add_integer_rows = nullptr;  // null: rows are floats
  const std::uint32_t* token_rows = nullptr;                // null: token t has row t
  const float* token_weights = nullptr;                     // float rows; null: every weight is 1
  const std::int16_t* token_multipliers = nullptr;          // rows of integers, in units; null: every one is 1
  const std::int16_t* fine_multipliers = nullptr;  // the low 15 bits, where token_multipliers are the high ones
  pumice::CountingRule counting;                   // of models that normalise
};

namespace pumice {

pumice_status open_model(const std::uint8_t* file, std::size_t size, pumice_model& model);

}  // namespace pumice
