// Fuzz target: one tokenizer gives any text the same ids from every worker, every time and every way to ask.
//
// Built once for each golden model, PUMICE_FUZZ_FAMILY. The input is four bytes of rules (ruled_model.h), then a text.
#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "contract.h"
#include "ruled_model.h"
#include "utf8_reference.h"

#ifndef PUMICE_FUZZ_FAMILY
#error "compile with -DPUMICE_FUZZ_FAMILY='\"unigram\"', after a model in testdata"
#endif

namespace {

using namespace pumice::fuzz;

using Ids = std::vector<std::uint32_t>;

// Leaves a worker's scratch and caches full: a word of marks in disorder, one that is too long, words of the text.
void soil(Worker& worker, std::string_view text) {
  static const std::string word = [] {
    std::string made;
    for (int i = 0; i < 50; ++i) made += "\u302E\u302A";
    return made + ' ' + std::string(200, 'z') + " the abc";
  }();
  for (const std::string_view before : {std::string_view(word), text.substr(0, text.size() / 2)}) {
    worker.call(before.size(), [&](pumice_worker* scratch) {
      std::size_t count = 0;
      return pumice_tokenize(scratch, before.data(), before.size(), nullptr, 0, &count);
    });
  }
}

// The ids of a text: as many are counted as are written, and never more written than there is room.
pumice_status tokenize(Worker& worker, std::string_view text, Ids& ids) {
  return worker.call(text.size(), [&](pumice_worker* scratch) {
    std::size_t count = 0;
    const pumice_status status = pumice_tokenize(scratch, text.data(), text.size(), nullptr, 0, &count);
    for (const std::size_t capacity : {count, count / 2}) {
      Ids room(capacity);
      std::size_t again = 0;
      CONTRACT(pumice_tokenize(scratch, text.data(), text.size(), room.data(), capacity, &again) == status);
      CONTRACT(again == count);
      if (capacity == count) {
        ids = room;
      } else {
        CONTRACT(std::equal(room.begin(), room.end(), ids.begin()));
      }
    }
    return status;
  });
}

// What the rules let a tokenizer read: the bytes of the first code points.
std::string_view read_part(std::string_view text, std::uint32_t max_chars) {
  std::uint64_t chars = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0xC0) != 0x80 && ++chars > max_chars) return text.substr(0, i);
  }
  return text;
}

// A text is refused if and only if it is not UTF-8; WordPiece does not look past the last token that counts.
void check_status(pumice_status status, std::string_view read, const pumice_info& info) {
  const bool valid = is_utf8(read);
  CONTRACT(status == PUMICE_OK || status == PUMICE_INVALID_UTF8);
  const bool may_stop = info.tokenizer == PUMICE_TOKENIZER_WORDPIECE && info.max_tokens != kNone;
  CONTRACT(valid == (status == PUMICE_OK) || (may_stop && !valid));
}

void check_spans(Worker& worker, std::string_view text, const Ids& ids, const pumice_info& info) {
  std::vector<pumice_token> tokens(ids.size());
  std::size_t count = 0;
  const pumice_status status = worker.call(text.size(), [&](pumice_worker* scratch) {
    return pumice_token_spans(scratch, text.data(), text.size(), tokens.data(), tokens.size(), &count);
  });
  // WordPiece reads on past the last token that counts, which may be no UTF-8.
  const bool reads_on = info.tokenizer == PUMICE_TOKENIZER_WORDPIECE;
  CONTRACT(status == PUMICE_OK || (reads_on && status == PUMICE_INVALID_UTF8 && !is_utf8(text)));
  if (status != PUMICE_OK) return;
  CONTRACT(count == ids.size());
  // What lies behind the last token that counts may be no UTF-8.
  const std::string_view seen = text.substr(0, count == 0 ? 0 : tokens.back().end);
  CONTRACT(is_utf8(seen));
  for (std::size_t i = 0; i < count; ++i) {
    CONTRACT(tokens[i].id == ids[i] && tokens[i].begin <= tokens[i].end && tokens[i].end <= seen.size());
    for (const std::size_t edge : {tokens[i].begin, tokens[i].end}) {
      CONTRACT(edge == seen.size() || (seen[edge] & 0xC0) != 0x80);
    }
  }
}

void check_vector(Worker& one, Worker& other, std::string_view text, const Ids& ids, const pumice_info& info) {
  const std::size_t width = pumice_vector_size(info.dimensions, PUMICE_VECTOR_F32);
  const Block first(width), second(width), pooled(width);
  const auto encode = [&](Worker& worker, const Block& out) {
    return worker.call(text.size(), [&](pumice_worker* scratch) {
      return pumice_encode(scratch, text.data(), text.size(), info.dimensions, PUMICE_VECTOR_F32, out.bytes());
    });
  };
  CONTRACT(encode(one, first) == PUMICE_OK && encode(other, second) == PUMICE_OK);
  const pumice_status status = one.call(0, [&](pumice_worker* scratch) {
    return pumice_pool(scratch, ids.data(), ids.size(), info.dimensions, PUMICE_VECTOR_F32, pooled.bytes());
  });
  CONTRACT(status == PUMICE_OK);
  CONTRACT(equal(first, second) && equal(first, pooled));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < Rules::kSize) return 0;
  const Rules rules(data);
  const std::string_view text(reinterpret_cast<const char*>(data + Rules::kSize), size - Rules::kSize);
  static auto& golden = *new RuledModel(PUMICE_FUZZ_FAMILY);
  const pumice_model* model = golden.under(rules);
  const pumice_info info = pumice_describe(model);
  const std::size_t least = pumice_worker_size(model);
  // Small caches, so that words drive each other out.
  Worker fresh(model, least, 0x00), used(model, least + (pumice_worker_fast_size(model) - least) / 16, 0xFF);
  soil(used, text);

  Ids ids, others;
  const pumice_status status = tokenize(fresh, text, ids);
  CONTRACT(tokenize(used, text, others) == status && ids == others);
  check_status(status, read_part(text, rules.max_chars()), info);
  for (const std::uint32_t id : ids) CONTRACT(id < info.tokens);
  if (info.max_tokens != kNone) CONTRACT(ids.size() <= info.max_tokens);
  if (status != PUMICE_OK) return 0;
  check_spans(fresh, text, ids, info);
  check_vector(fresh, used, text, ids, info);
  return 0;
}
