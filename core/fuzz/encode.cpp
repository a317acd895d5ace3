// Fuzz target: any text under any rules gives the same answer from every worker and every way to ask.
//
// The first four bytes choose the rules that a model's parameters can set, the rest is the text. The model is
// the file PUMICE_FUZZ_MODEL, whose parameters are rewritten in memory.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "contract.h"
#include "utf8_reference.h"

#ifndef PUMICE_FUZZ_MODEL
#error "compile with -DPUMICE_FUZZ_MODEL='\"/path/to/model.pumice\"'"
#endif

namespace {

using pumice::fuzz::Block;
using pumice::fuzz::equal;
using pumice::fuzz::Worker;

constexpr std::size_t kRules = 4;
constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::uint32_t kWordChars[] = {1, 3, 100, 1024};

// Leaves a worker's scratch full: a word of marks in disorder, then one that is too long.
void soil(const Worker& worker, const pumice_info& info) {
  static const std::string text = [] {
    std::string made;
    for (int i = 0; i < 50; ++i) made += "\u302E\u302A";
    return made + ' ' + std::string(200, 'z');
  }();
  const Block out(pumice_vector_size(info.dimensions, PUMICE_VECTOR_F32));
  const pumice_status status =
      pumice_encode(worker, text.data(), text.size(), info.dimensions, PUMICE_VECTOR_F32, out.bytes());
  CONTRACT(status == PUMICE_OK);
}

// The model's file in memory; made once, as its content but for the parameters never changes.
const Block& model_file() {
  static const Block* file = [] {
    std::FILE* stream = std::fopen(PUMICE_FUZZ_MODEL, "rb");
    CONTRACT(stream != nullptr);
    CONTRACT(std::fseek(stream, 0, SEEK_END) == 0);
    auto* block = new Block(static_cast<std::size_t>(std::ftell(stream)));
    std::rewind(stream);
    CONTRACT(std::fread(block->bytes(), 1, block->size(), stream) == block->size());
    std::fclose(stream);
    return block;
  }();
  return *file;
}

const pumice_model* open_model(const Block& memory) {
  const Block& file = model_file();
  const pumice_model* model = nullptr;
  CONTRACT(pumice_open(file.bytes(), file.size(), memory.bytes(), memory.size(), &model) == PUMICE_OK);
  return model;
}

// Writes the rules into the parameters section (docs/format.md); false where nothing limits the text.
bool set_rules(const std::uint8_t* rules) {
  const Block memory(pumice_model_size());
  const void* section = nullptr;
  std::size_t size = 0;
  CONTRACT(pumice_section(open_model(memory), PUMICE_SECTION_PARAMETERS, &section, &size) && size == 64);
  std::uint8_t* parameters = model_file().bytes() + (static_cast<const std::uint8_t*>(section) - model_file().bytes());
  const auto set = [parameters](std::size_t at, std::uint32_t value) { std::memcpy(parameters + at, &value, 4); };
  parameters[14] = rules[0] >> 4 & 1;
  parameters[15] = rules[0] >> 5 & 1;
  set(20, rules[1] == 0 ? kNone : rules[1]);
  set(24, rules[2] == 0 ? kNone : rules[2]);
  set(28, kWordChars[rules[0] >> 6]);
  set(32, rules[0] & 15u);
  return rules[1] != 0 || rules[2] != 0;
}

// The ids of a text: as many are counted as are written, and never more written than there is room.
pumice_status tokenize(const Worker& worker, std::string_view text, std::vector<std::uint32_t>& ids) {
  std::size_t count = 0;
  const pumice_status status = pumice_tokenize(worker, text.data(), text.size(), nullptr, 0, &count);
  for (const std::size_t capacity : {count, count / 2}) {
    std::vector<std::uint32_t> room(capacity);
    std::size_t again = 0;
    CONTRACT(pumice_tokenize(worker, text.data(), text.size(), room.data(), capacity, &again) == status);
    CONTRACT(again == count);
    if (capacity == count) {
      ids = room;
    } else {
      CONTRACT(std::equal(room.begin(), room.end(), ids.begin()));
    }
  }
  return status;
}

void check_vector(const Block& vector, std::uint32_t dim) {
  for (std::uint32_t i = 0; i < dim; ++i) {
    float value;
    std::memcpy(&value, vector.bytes() + 4 * i, 4);
    CONTRACT(std::isfinite(value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kRules) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + kRules), size - kRules);
  const bool limited = set_rules(data);
  const Block memory(pumice_model_size());
  const pumice_model* model = open_model(memory);
  const pumice_info info = pumice_describe(model);
  const Worker fresh(model, 0x00), used(model, 0xFF);
  soil(used, info);

  std::vector<std::uint32_t> ids, others;
  const pumice_status status = tokenize(fresh, text, ids);
  CONTRACT(tokenize(used, text, others) == status && ids == others);
  const bool valid = pumice::fuzz::is_utf8(text);
  CONTRACT(status == PUMICE_OK || (status == PUMICE_INVALID_UTF8 && !valid));
  CONTRACT(limited || valid == (status == PUMICE_OK));  // what is past a limit need not be read
  for (const std::uint32_t id : ids) CONTRACT(id < info.tokens);
  if (info.max_tokens != kNone) CONTRACT(ids.size() <= info.max_tokens);

  const std::uint32_t dim = 1 + data[3] % info.dimensions;
  for (const pumice_vector_type type : pumice::fuzz::kVectorTypes) {
    const std::size_t width = pumice_vector_size(dim, type);
    const Block first(width), second(width), pooled(width);
    CONTRACT(pumice_encode(fresh, text.data(), text.size(), dim, type, first.bytes()) == status);
    CONTRACT(pumice_encode(used, text.data(), text.size(), dim, type, second.bytes()) == status);
    CONTRACT(equal(first, second));
    if (status != PUMICE_OK) continue;
    CONTRACT(pumice_pool(fresh, ids.data(), ids.size(), dim, type, pooled.bytes()) == PUMICE_OK);
    CONTRACT(equal(first, pooled));
    if (type == PUMICE_VECTOR_F32) check_vector(first, dim);
  }
  return 0;
}
