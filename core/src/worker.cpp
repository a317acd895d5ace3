// Where a text is cut: at added tokens, and after the code points that a model reads.
#include "worker.h"

namespace pumice {

AddedTokenMatch find_added_token(const pumice_model& model, const char* text, const char* end) {
  const DoubleArray& trie = model.added_tokens;
  if (trie.empty()) return {end, 0, 0};
  for (const char* at = text; at < end; ++at) {
    if (model.added_tokens_first != kNone) {
      at = static_cast<const char*>(
          std::memchr(at, static_cast<int>(model.added_tokens_first), static_cast<std::size_t>(end - at)));
      if (at == nullptr) break;
    } else if (*at == '\0' || !trie.begins_with(static_cast<unsigned char>(*at))) {
      continue;
    }
    const auto match = trie.longest_prefix(DoubleArray::kRoot, at, static_cast<std::size_t>(end - at));
    if (match.length != 0) return {at, match.value, match.length};
  }
  return {end, 0, 0};
}

std::size_t cut_chars(const char* text, std::size_t size, std::uint32_t max_chars) {
  if (max_chars == kNone || size <= max_chars) return size;
  std::uint32_t chars = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts && chars++ == max_chars) return i;
  }
  return size;
}

}  // namespace pumice
