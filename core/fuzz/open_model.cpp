// Fuzz target: any bytes are refused as a model, or opened and then used without a bad access.
#include <cstring>
#include <iterator>
#include <string_view>

#include "contract.h"

using namespace std::string_view_literals;

namespace {

using pumice::fuzz::Block;
using pumice::fuzz::Worker;

// Words, an added token, accents, marks in disorder, CJK, a NUL, long words; the last is not UTF-8.
constexpr std::string_view kTexts[] = {
    ""sv,
    "a bc abc, Ab! [CLS]x[SEP]abcabc"sv,
    "na\u00EFve \u00C5\u0301\u0323 \u0130 \uAC01 \U0001D160 \u5317\u4EAC\u302E\u302A\u08D4 a\0b\u200Bc\u2260"sv,
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"sv,
    "\U00010428\U00010428\U00010428\U00010428\U00010428\U00010428\U00010428\U00010428\U00010428\U00010428\U00010428"
    "\U00010428\U00010428\U00010428\U00010428\U00010428\U00010428\U00010428\U00010428\U00010428\U00010428"sv,
    "ab \xF0\x9F\x8F"sv,
};

void read_sections(const pumice_model* model, const Block& file) {
  for (std::uint32_t kind = 0; kind < 32; ++kind) {
    const void* bytes = nullptr;
    std::size_t size = 0;
    if (!pumice_section(model, kind, &bytes, &size)) continue;
    const auto* begin = static_cast<const std::uint8_t*>(bytes);
    CONTRACT(begin >= file.bytes() && size <= file.size());
    CONTRACT(static_cast<std::size_t>(begin - file.bytes()) <= file.size() - size);
  }
}

void tokenize(Worker& worker, std::string_view text) {
  std::uint32_t ids[8];
  pumice_token tokens[8];
  std::size_t count = 0;
  worker.call(text.size(), [&](pumice_worker* scratch) {
    return pumice_tokenize(scratch, text.data(), text.size(), ids, std::size(ids), &count);
  });
  worker.call(text.size(), [&](pumice_worker* scratch) {
    return pumice_token_spans(scratch, text.data(), text.size(), tokens, std::size(tokens), &count);
  });
}

// A vector, and the same from a worker whose memory looked different.
void encode(Worker& one, Worker& other, std::string_view text, std::uint32_t dim) {
  for (const pumice_vector_type type : pumice::fuzz::kVectorTypes) {
    const Block first(pumice_vector_size(dim, type)), second(pumice_vector_size(dim, type));
    const auto write = [&](Worker& worker, const Block& out) {
      return worker.call(text.size(), [&](pumice_worker* scratch) {
        return pumice_encode(scratch, text.data(), text.size(), dim, type, out.bytes());
      });
    };
    CONTRACT(write(one, first) == write(other, second));
    CONTRACT(equal(first, second));
  }
}

void pool(Worker& worker, const pumice_info& info) {
  const std::uint32_t ids[] = {0, info.tokens - 1, info.unknown_id, info.tokens, UINT32_MAX};
  const Block out(pumice_vector_size(info.dimensions, PUMICE_VECTOR_I8));
  for (std::size_t count = 0; count <= std::size(ids); ++count) {
    worker.call(0, [&](pumice_worker* scratch) {
      return pumice_pool(scratch, ids, count, info.dimensions, PUMICE_VECTOR_I8, out.bytes());
    });
  }
}

pumice_status open_and_use(const Block& file) {
  const Block memory(pumice_model_size());
  const pumice_model* model = nullptr;
  const pumice_status status = pumice_open(file.bytes(), file.size(), memory.bytes(), memory.size(), &model);
  if (status != PUMICE_OK) {
    CONTRACT(model == nullptr);
    return status;
  }
  read_sections(model, file);
  const pumice_info info = pumice_describe(model);
  const std::size_t least = pumice_worker_size(model);
  Worker one(model, least, 0x00), other(model, least + (pumice_worker_fast_size(model) - least) / 16, 0xFF);
  for (const std::string_view constant : kTexts) {
    const Block copy(constant.size());  // nothing can be read past its end
    if (!constant.empty()) std::memcpy(copy.bytes(), constant.data(), constant.size());
    const std::string_view text(reinterpret_cast<const char*>(copy.bytes()), copy.size());
    tokenize(one, text);
    encode(one, other, text, 1);
    encode(one, other, text, info.dimensions);
  }
  pool(one, info);
  return status;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Block file(size);
  if (size != 0) std::memcpy(file.bytes(), data, size);
  // A mutation of the length would end here for ever: declare the new length and go on.
  if (open_and_use(file) == PUMICE_TRUNCATED && size >= 24) {
    const std::uint64_t declared = size;
    std::memcpy(file.bytes() + 16, &declared, sizeof declared);
    open_and_use(file);
  }
  return 0;
}
