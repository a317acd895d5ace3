// Token spans for Python: characters of a str instead of bytes of UTF-8.
#include "spans.h"

#include <memory>

namespace nb = nanobind;

namespace pumice {
namespace {

// Counts code points up to byte offsets, which rise but for small steps back.
class Characters {
 public:
  explicit Characters(std::string_view text) : text_(text) {}

  std::int64_t before(std::size_t byte) {
    if (byte < byte_) byte_ = 0, characters_ = 0;
    for (; byte_ < byte; ++byte_) characters_ += (static_cast<unsigned char>(text_[byte_]) & 0xC0) != 0x80;
    return characters_;
  }

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  std::int64_t characters_ = 0;
};

}  // namespace

pumice_status read_spans(pumice_worker* worker, std::string_view text, std::vector<pumice_token>& tokens) {
  std::size_t count = 0;
  pumice_status status = pumice_token_spans(worker, text.data(), text.size(), nullptr, 0, &count);
  if (status != PUMICE_OK) return status;
  tokens.resize(count);
  return pumice_token_spans(worker, text.data(), text.size(), tokens.data(), count, &count);
}

SpanTable span_table(std::string_view text, const std::vector<pumice_token>& tokens) {
  auto values = std::make_unique<std::vector<std::int64_t>>();
  values->reserve(3 * tokens.size());
  Characters begins(text), ends(text);
  for (const pumice_token& token : tokens) {
    values->push_back(token.id);
    values->push_back(begins.before(token.begin));
    values->push_back(ends.before(token.end));
  }
  std::int64_t* data = values->data();
  nb::capsule owner(values.get(), [](void* held) noexcept { delete static_cast<std::vector<std::int64_t>*>(held); });
  values.release();
  return SpanTable(data, {tokens.size(), 3}, owner);
}

}  // namespace pumice
