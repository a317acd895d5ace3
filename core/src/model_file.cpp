// Opens a .pumice file: caps, then bounds, then checked sizes, before anything is used (docs/format.md).
#include "model_file.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "general.h"

namespace pumice {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is read in place and is little-endian");

constexpr std::uint8_t kMagic[8] = {0x89, 'P', 'U', 'M', 'I', 'C', 'E', '\n'};
constexpr std::uint64_t kSectionAlignment = 64;
constexpr std::uint32_t kMaxSections = 64;
constexpr std::uint32_t kRequired = 1;  // section flag: a reader that does not know the kind must refuse the file

struct Header {
  std::uint8_t magic[8];
  std::uint32_t version;
  std::uint32_t section_count;
  std::uint64_t file_size;
  std::uint64_t reserved;
  std::uint8_t fingerprint[32];
};
static_assert(sizeof(Header) == 64);

struct SectionEntry {
  std::uint32_t kind;
  std::uint32_t flags;
  std::uint64_t offset;
  std::uint64_t length;
  std::uint64_t reserved;
};
static_assert(sizeof(SectionEntry) == 32);

std::uint64_t aligned(std::uint64_t offset) {
  return (offset + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment;
}

// Sections lie one after the other, each at the next multiple of 64, and the last ends with the file.
pumice_status read_sections(const std::uint8_t* file, std::size_t size, pumice_model& model) {
  if (size < sizeof(Header)) {
    return size >= sizeof kMagic && std::memcmp(file, kMagic, sizeof kMagic) == 0 ? PUMICE_TRUNCATED
                                                                                  : PUMICE_NOT_A_MODEL;
  }
  Header header;
  std::memcpy(&header, file, sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return PUMICE_NOT_A_MODEL;
  if (header.version != PUMICE_FORMAT_VERSION) return PUMICE_UNKNOWN_VERSION;
  if (header.file_size != size) return PUMICE_TRUNCATED;
  if (header.reserved != 0 || header.section_count > kMaxSections) return PUMICE_BAD_SECTION_TABLE;
  const std::uint64_t table_end = sizeof(Header) + header.section_count * sizeof(SectionEntry);
  if (table_end > size) return PUMICE_BAD_SECTION_TABLE;
  std::uint64_t end = table_end;
  for (std::uint32_t i = 0; i < header.section_count; ++i) {
    SectionEntry entry;
    std::memcpy(&entry, file + sizeof(Header) + i * sizeof(SectionEntry), sizeof entry);
    if (entry.offset != aligned(end) || entry.offset > size || entry.length > size - entry.offset) {
      return PUMICE_BAD_SECTION_TABLE;
    }
    if (entry.reserved != 0 || (entry.flags & ~kRequired) != 0) return PUMICE_BAD_SECTION_TABLE;
    end = entry.offset + entry.length;
    if (entry.kind == 0 || entry.kind >= kSectionKinds) {
      if (entry.flags & kRequired) return PUMICE_UNKNOWN_SECTION;
      continue;
    }
    Section& section = model.sections[entry.kind];
    if (section.bytes != nullptr) return PUMICE_BAD_SECTION_TABLE;
    section = {file + entry.offset, static_cast<std::size_t>(entry.length)};
  }
  return end == size ? PUMICE_OK : PUMICE_BAD_SECTION_TABLE;
}

pumice_status read_parameters(pumice_model& model) {
  const Section& section = model.sections[PUMICE_SECTION_PARAMETERS];
  if (section.bytes == nullptr) return PUMICE_MISSING_SECTION;
  if (section.size != sizeof(Parameters)) return PUMICE_BAD_SECTION;
  std::memcpy(&model.parameters, section.bytes, sizeof(Parameters));
  const Parameters& p = model.parameters;
  const bool sizes = p.dimensions >= 1 && p.dimensions <= kMaxDimensions && p.tokens >= 1 && p.tokens <= kMaxTokens &&
                     p.rows >= 1 && p.rows <= kMaxTokens;
  const bool kinds =
      p.row_type <= PUMICE_ROW_I1 && p.tokenizer <= PUMICE_TOKENIZER_WORD_LEVEL && p.unknown <= 1 && p.normalize <= 1;
  const bool limits = (p.unknown_id == kNone || p.unknown_id < p.tokens) && p.max_tokens >= 1 && p.max_chars >= 1;
  const bool unit = p.row_type >= PUMICE_ROW_I8 ? p.multiplier_unit > 0 && p.multiplier_unit <= 1e30f
                                                : std::bit_cast<std::uint32_t>(p.multiplier_unit) == 0;
  if (!sizes || !kinds || !limits || !unit) return PUMICE_BAD_PARAMETERS;
  for (const std::uint32_t word : p.reserved) {
    if (word != 0) return PUMICE_BAD_PARAMETERS;
  }
  return PUMICE_OK;
}

pumice_status read_trie(const Section& section, DoubleArray& trie) {
  if (section.size == 0 || section.size % sizeof(DoubleArray::Unit) != 0) return PUMICE_BAD_SECTION;
  if (section.size / sizeof(DoubleArray::Unit) >= DoubleArray::kHasValue) return PUMICE_BAD_SECTION;
  trie.units = reinterpret_cast<const DoubleArray::Unit*>(section.bytes);
  trie.count = static_cast<std::uint32_t>(section.size / sizeof(DoubleArray::Unit));
  unsigned firsts = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::uint32_t node = DoubleArray::kRoot;
    if (!trie.step(node, static_cast<unsigned char>(byte))) continue;
    trie.first = static_cast<int>(byte);
    ++firsts;
  }
  if (firsts != 1) trie.first = -1;
  return PUMICE_OK;
}

bool begins_with_space(const DoubleArray& trie, const BertNormalizer& normalizer) {
  for (unsigned byte = 0; byte < 128; ++byte) {
    std::uint32_t node = DoubleArray::kRoot;
    const bool is_space = normalizer.ascii_class[byte] == AsciiClass::kSpace;
    if (is_space && trie.step(node, static_cast<unsigned char>(byte))) return true;
  }
  return false;
}

pumice_status read_stages(pumice_model& model) {
  pumice_status status = check_normalizer(model.sections[PUMICE_SECTION_NORMALIZER]);
  if (status == PUMICE_OK) status = check_pre_tokenizer(model.sections[PUMICE_SECTION_PRE_TOKENIZER]);
  if (status != PUMICE_OK) return status;
  model.route = word_route(model);
  if (model.parameters.tokenizer == PUMICE_TOKENIZER_UNIGRAM) return check_unigram(model);
  if (model.parameters.tokenizer == PUMICE_TOKENIZER_BPE) return check_bpe(model);
  return PUMICE_OK;
}

pumice_status read_tokenizer(pumice_model& model) {
  const Parameters& p = model.parameters;
  const auto read_added = [&model](pumice_section_kind kind, DoubleArray& trie) {
    const Section& added = model.sections[kind];
    return added.bytes == nullptr ? PUMICE_OK : read_trie(added, trie);
  };
  pumice_status status = read_added(PUMICE_SECTION_ADDED_TOKENS, model.added_tokens);
  if (status == PUMICE_OK) status = read_added(PUMICE_SECTION_NORMALIZED_TOKENS, model.normalized_tokens);
  if (status != PUMICE_OK) return status;
  if (p.tokenizer == PUMICE_TOKENIZER_LIBRARY) return PUMICE_OK;
  const Section& section = model.sections[PUMICE_SECTION_VOCABULARY];
  if (section.bytes == nullptr) return PUMICE_MISSING_SECTION;
  status = read_trie(section, model.vocabulary);
  if (status != PUMICE_OK) return status;
  if (p.tokenizer != PUMICE_TOKENIZER_WORDPIECE) return read_stages(model);
  const bool valid = p.max_word_chars >= 1 && p.max_word_chars <= kMaxWordChars && p.unknown_id != kNone &&
                     (p.normalizer_flags & ~std::uint32_t{kBertFlags}) == 0 &&
                     (p.continuation_node == kNone || p.continuation_node < model.vocabulary.count);
  if (!valid) return PUMICE_BAD_PARAMETERS;
  model.normalizer = make_bert_normalizer(p.normalizer_flags);
  model.word_normalizer = model.normalized_tokens.empty() ? model.normalizer : make_bert_normalizer(0);
  model.tokens_begin_words =
      !model.normalized_tokens.empty() && !begins_with_space(model.normalized_tokens, model.word_normalizer);
  model.byte_classes = byte_classes(model.word_normalizer);
  return PUMICE_OK;
}

// An optional array of exactly `count` elements.
template <class T>
pumice_status read_array(const Section& section, std::uint32_t count, const T*& array) {
  if (section.bytes == nullptr) return PUMICE_OK;
  if (section.size != std::uint64_t{count} * sizeof(T)) return PUMICE_BAD_SECTION;
  array = reinterpret_cast<const T*>(section.bytes);
  return PUMICE_OK;
}

std::uint32_t bits_of(std::uint8_t row_type) {
  constexpr std::uint32_t kBits[] = {32, 16, 8, 4, 2, 1};
  return kBits[row_type];
}

simd::AddIntegerRows add_integer_rows(const simd::Kernels& kernels, std::uint8_t row_type) {
  switch (row_type) {
    case PUMICE_ROW_I8:
      return kernels.rows->add_rows_i8;
    case PUMICE_ROW_I4:
      return kernels.packed->add_rows_4;
    case PUMICE_ROW_I2:
      return kernels.packed->add_rows_2;
    case PUMICE_ROW_I1:
      return kernels.packed->add_rows_1;
    default:
      return nullptr;
  }
}

pumice_status read_rows(pumice_model& model) {
  const Parameters& p = model.parameters;
  const std::uint32_t bits = bits_of(p.row_type);
  const bool packed = bits < 8;
  const Section& rows = model.sections[packed ? PUMICE_SECTION_PACKED_ROWS : PUMICE_SECTION_ROWS];
  if (rows.bytes == nullptr) return PUMICE_MISSING_SECTION;
  if (model.sections[packed ? PUMICE_SECTION_ROWS : PUMICE_SECTION_PACKED_ROWS].bytes != nullptr) {
    return PUMICE_BAD_SECTION;
  }
  // No overflow: at most 2^24 rows of 2^16 dimensions of 4 bytes.
  const std::uint64_t row_size = (std::uint64_t{p.dimensions} * bits + 7) / 8;
  if (rows.size != p.rows * row_size) return PUMICE_BAD_SECTION;
  model.rows = rows.bytes;
  model.row_stride = packed ? static_cast<std::size_t>(row_size) : p.dimensions;
  model.add_integer_rows = add_integer_rows(*model.kernels, p.row_type);
  const bool scaled = model.sections[PUMICE_SECTION_ROW_SCALES].bytes != nullptr;
  const bool multiplied = model.sections[PUMICE_SECTION_TOKEN_MULTIPLIERS].bytes != nullptr;
  if ((scaled && p.row_type != PUMICE_ROW_I8) || (multiplied && p.row_type < PUMICE_ROW_I8)) return PUMICE_BAD_SECTION;
  const float* row_scales = nullptr;  // in the multipliers already
  pumice_status status = read_array(model.sections[PUMICE_SECTION_ROW_SCALES], p.rows, row_scales);
  if (status != PUMICE_OK) return status;
  const Section& multipliers = model.sections[PUMICE_SECTION_TOKEN_MULTIPLIERS];
  const bool fine = multipliers.size == 4 * std::uint64_t{p.tokens};
  status = read_array(multipliers, fine ? 2 * p.tokens : p.tokens, model.token_multipliers);
  if (fine) model.fine_multipliers = model.token_multipliers + p.tokens;
  if (status != PUMICE_OK) return status;
  status = read_array(model.sections[PUMICE_SECTION_TOKEN_ROWS], p.tokens, model.token_rows);
  if (status != PUMICE_OK) return status;
  status = read_array(model.sections[PUMICE_SECTION_TOKEN_WEIGHTS], p.tokens, model.token_weights);
  if (status != PUMICE_OK) return status;
  return model.token_rows == nullptr && p.rows != p.tokens ? PUMICE_BAD_PARAMETERS : PUMICE_OK;
}

// Without a norm, the mean would have to know what its tokens count together.
pumice_status read_counts(const pumice_model& model, pumice_section_kind kind, std::size_t most, Counts& counts) {
  const Section& section = model.sections[kind];
  if (section.bytes == nullptr) return PUMICE_OK;
  if (section.size == 0 || section.size > most || !model.parameters.normalize) return PUMICE_BAD_SECTION;
  counts = {section.bytes, section.size};
  return PUMICE_OK;
}

// Offsets of the token strings, one more than there are tokens, then the strings themselves.
pumice_status check_tokens(const pumice_model& model) {
  const Section& section = model.sections[PUMICE_SECTION_TOKENS];
  if (section.bytes == nullptr) return PUMICE_MISSING_SECTION;
  const std::uint64_t head = (std::uint64_t{model.parameters.tokens} + 1) * sizeof(std::uint32_t);
  if (section.size < head) return PUMICE_BAD_SECTION;
  const auto* offsets = reinterpret_cast<const std::uint32_t*>(section.bytes);
  if (offsets[0] != 0 || offsets[model.parameters.tokens] != section.size - head) return PUMICE_BAD_SECTION;
  return PUMICE_OK;
}

}  // namespace

pumice_status open_model(const std::uint8_t* file, std::size_t size, pumice_model& model) {
  model = pumice_model{};
  model.kernels = &simd::kernels();
  pumice_status status = read_sections(file, size, model);
  if (status == PUMICE_OK) status = read_parameters(model);
  if (status == PUMICE_OK) status = read_tokenizer(model);
  if (status == PUMICE_OK) status = read_rows(model);
  if (status == PUMICE_OK) status = read_counts(model, PUMICE_SECTION_REPEATS, 255, model.counting.repeats);
  if (status == PUMICE_OK) status = read_counts(model, PUMICE_SECTION_POSITIONS, kMostCounts, model.counting.positions);
  if (status == PUMICE_OK) status = check_tokens(model);
  return status;
}

}  // namespace pumice
