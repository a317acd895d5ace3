// Tokens and the bytes that they stand for, as far as there is room.
#pragma once

#include <cstddef>
#include <cstdint>

#include "aligned_text.h"
#include "ids.h"
#include "pumice.h"

namespace pumice {

class TokenSpans {
 public:
  TokenSpans(const pumice_model& model, pumice_token* tokens, std::size_t capacity)
      : rules_(model), known_(model.parameters.tokens), tokens_(tokens), capacity_(capacity) {}

  // False once no further token counts.
  bool put(std::uint32_t id, Span span) {
    valid_ = valid_ && id < known_;
    if (rules_.keeps(id)) {
      if (count_ < capacity_) tokens_[count_] = {id, span.begin, span.end};
      ++count_;
    }
    return rules_.take();
  }

  // How many there are, with those that had no room.
  std::size_t count() const { return count_; }

  // False if the file named a token that it does not have.
  bool valid() const { return valid_; }

 private:
  TokenRules rules_;
  std::uint32_t known_;
  pumice_token* tokens_;
  std::size_t capacity_;
  std::size_t count_ = 0;
  bool valid_ = true;
};

}  // namespace pumice
