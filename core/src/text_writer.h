// Writes a text of unknown length into what is left of an arena.
#pragma once

#include <cstring>
#include <string_view>

#include "arena.h"
#include "utf8.h"

namespace pumice {

// Nothing else may be taken from the arena until finish(). What does not fit sets full().
class TextWriter {
 public:
  TextWriter(Arena& arena, std::string_view)
      : arena_(arena), left_(arena.left()), begin_(arena.take<char>(left_)), at_(begin_) {}

  // Bytes of the text that is read. Elsewhere `at` is one that they stand for, which only AlignedWriter notes.
  void copy(std::string_view part) { put(part, part.data()); }

  void put(std::string_view text, const char*) {
    if (text.size() > left_) full_ = true;
    if (full_ || text.empty()) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    left_ -= text.size();
  }

  void put(char32_t c, const char* at) {
    char encoded[4];
    put(std::string_view(encoded, utf8::encode(c, encoded)), at);
  }

  void put_ascii(char c, const char*) {
    if (left_ == 0) full_ = true;
    if (full_) return;
    *at_++ = c;
    --left_;
  }

  bool full() const { return full_; }

  // Gives the rest back to the arena.
  std::string_view finish() {
    const auto size = static_cast<std::size_t>(at_ - begin_);
    arena_.shrink(begin_, size);
    return {begin_, size};
  }

 private:
  Arena& arena_;
  std::size_t left_;
  char* begin_;
  char* at_;
  bool full_ = false;
};

}  // namespace pumice
