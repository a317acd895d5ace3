// Fuzz target: a text's vector, in every type, is the float64 mean of its tokens' rows as near as float32 can be.
//
// The input is four bytes of rules (ruled_model.h), the last of which chooses the dimension and how rows are stored,
// then a text.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>
#include <vector>

#include "contract.h"
#include "mean_reference.h"
#include "ruled_model.h"

namespace {

using namespace pumice::fuzz;

std::vector<float> floats_of(const Block& vector) {
  std::vector<float> values(vector.size() / sizeof(float));
  std::memcpy(values.data(), vector.bytes(), vector.size());
  return values;
}

void check_float32(const std::vector<float>& vector, const std::vector<Mean>& means) {
  for (std::size_t i = 0; i < vector.size(); ++i) {
    CONTRACT(std::isfinite(vector[i]) && std::fabs(vector[i] - means[i].value) <= means[i].bound);
  }
}

void check_float16(const std::vector<float>& vector, const Block& halves) {
  for (std::size_t i = 0; i < vector.size(); ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, halves.bytes() + 2 * i, sizeof bits);
    const double bound = std::max(0x1p-11 * std::fabs(vector[i]), 0x1p-25);
    CONTRACT(std::fabs(half(bits) - vector[i]) <= bound);
  }
}

void check_int8(const std::vector<float>& vector, const Block& codes) {
  double largest = 0;
  for (const float value : vector) largest = std::max(largest, std::fabs(double{value}));
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const auto code = static_cast<std::int8_t>(codes.bytes()[i]);
    const double wanted = largest > 0 ? vector[i] / largest * 127 : 0;
    CONTRACT(std::fabs(code - wanted) <= 0.5 + 1e-4);
  }
}

void check_binary(const std::vector<float>& vector, const Block& bits) {
  for (std::size_t i = 0; i < 8 * bits.size(); ++i) {
    CONTRACT((bits.bytes()[i / 8] >> (7 - i % 8) & 1) == (i < vector.size() && vector[i] > 0));
  }
}

// The same bits from a call for many texts, before and after others.
void check_many(Worker& worker, std::string_view text, std::uint32_t dim, pumice_vector_type type,
                const Block& encoded) {
  const pumice_text one = {text.data(), text.size()}, other = {"a b, abc", 8}, broken = {"\xFF", 1};
  const pumice_text texts[] = {one, other, one, other, one, broken, one};
  const std::size_t width = encoded.size();
  const Block vectors(6 * width);
  std::size_t done = 0;
  const pumice_status status = worker.call(text.size(), [&](pumice_worker* scratch) {
    return pumice_encode_many(scratch, texts, 7, dim, type | PUMICE_PAST_CACHES, vectors.bytes(), &done);
  });
  CONTRACT(status == PUMICE_INVALID_UTF8 && done == 5);
  for (const std::size_t i : {0, 2, 4}) CONTRACT(std::memcmp(vectors.bytes() + i * width, encoded.bytes(), width) == 0);
}

RuledModel& golden(unsigned stored) {
  static auto& float32 = *new RuledModel("float32");
  static auto& float16 = *new RuledModel("float16");
  static auto& int8 = *new RuledModel("int8");
  static auto& counting = *new RuledModel("counting");
  static auto& int4 = *new RuledModel("int4");
  static auto& int2 = *new RuledModel("int2");
  static auto& int1 = *new RuledModel("int1");
  RuledModel* const models[] = {&float32, &float16, &int8, &counting, &int4, &int2, &int1, &counting};
  return *models[stored];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < Rules::kSize) return 0;
  const Rules rules(data);
  if ((data[3] >> 5 & 3) == 3 && (data[0] >> 5 & 1) == 0)
    return 0;  // tokens count alike where vectors are not normalised
  const std::string_view text(reinterpret_cast<const char*>(data + Rules::kSize), size - Rules::kSize);
  const pumice_model* model = golden(data[3] >> 5).under(rules);
  const pumice_info info = pumice_describe(model);
  // Small caches, so that words drive each other out; check_many leaves words waiting for those of other texts.
  const std::size_t least = pumice_worker_size(model);
  Worker worker(model, least + (pumice_worker_fast_size(model) - least) / 16, 0xFF);
  std::vector<std::uint32_t> ids(text.size());  // WordPiece takes a byte or more for a token
  std::size_t count = 0;
  const pumice_status status = worker.call(text.size(), [&](pumice_worker* scratch) {
    return pumice_tokenize(scratch, text.data(), text.size(), ids.data(), ids.size(), &count);
  });
  CONTRACT(count <= ids.size());
  ids.resize(count);

  const std::uint32_t dim = 1 + (data[3] & 31u) % info.dimensions;
  std::vector<float> vector;
  for (const pumice_vector_type type : kVectorTypes) {
    const std::size_t width = pumice_vector_size(dim, type);
    const Block encoded(width), pooled(width);
    const pumice_status again = worker.call(text.size(), [&](pumice_worker* scratch) {
      return pumice_encode(scratch, text.data(), text.size(), dim, type, encoded.bytes());
    });
    CONTRACT(again == status);
    if (status != PUMICE_OK) return 0;
    worker.call(0, [&](pumice_worker* scratch) {
      return pumice_pool(scratch, ids.data(), ids.size(), dim, type, pooled.bytes());
    });
    CONTRACT(equal(encoded, pooled));
    check_many(worker, text, dim, type, encoded);
    switch (type) {
      case PUMICE_VECTOR_F32:
        vector = floats_of(encoded);
        check_float32(vector, MeanReference(model).of(ids, dim));
        break;
      case PUMICE_VECTOR_F16:
        check_float16(vector, encoded);
        break;
      case PUMICE_VECTOR_I8:
        check_int8(vector, encoded);
        break;
      case PUMICE_VECTOR_BINARY:
        check_binary(vector, encoded);
        break;
    }
  }
  return 0;
}
