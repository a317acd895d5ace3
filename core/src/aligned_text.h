// A text whose bytes know what they are aligned with in HF tokenizers. Stages that can be read slowly, for spans, are
// written once for both: `Text` is std::string_view where only ids are wanted, AlignedText where spans are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "arena.h"
#include "text_writer.h"

namespace pumice {

// The library aligns each byte of a text with one code point of the original, whatever the stages do.
struct AlignedText {
  std::string_view bytes;
  const std::uint32_t* origins = nullptr;  // of each byte: where its code point begins in the original

  std::uint32_t origin(const char* at) const { return origins[at - bytes.data()]; }
};

// Bytes of the original.
struct Span {
  std::size_t begin;
  std::size_t end;
};

// The code point that begins at `origin`.
inline Span span_at(const char* original, std::uint32_t origin) {
  const auto lead = static_cast<unsigned char>(original[origin]);
  return {origin, origin + (lead < 0x80 ? 1u : lead < 0xE0 ? 2u : lead < 0xF0 ? 3u : 4u)};
}

// What `part` of the text, which is not empty, stands for.
inline Span span_of(const char* original, const AlignedText& text, std::string_view part) {
  return {text.origin(part.data()), span_at(original, text.origin(part.data() + part.size() - 1)).end};
}

// Longer originals have no spans.
inline constexpr std::size_t kLongestOriginal = UINT32_MAX;

inline std::string_view bytes_of(std::string_view text) { return text; }
inline std::string_view bytes_of(const AlignedText& text) { return text.bytes; }

// What `part`, bytes of the text, is as a text.
inline std::string_view part_of(std::string_view, std::string_view part) { return part; }
inline AlignedText part_of(const AlignedText& text, std::string_view part) {
  return {part, text.origins + (part.data() - text.bytes.data())};
}

// TextWriter with an origin for each byte. An origin is given as a byte of the text that is read.
class AlignedWriter {
 public:
  AlignedWriter(Arena& arena, const AlignedText& from) : arena_(arena), from_(from) {
    constexpr std::size_t kPerByte = sizeof(std::uint32_t) + 1;
    const std::size_t left = arena.left();
    room_ = left < alignof(std::uint32_t) ? 0 : (left - (alignof(std::uint32_t) - 1)) / kPerByte;
    origins_ = arena.take<std::uint32_t>(room_);
    bytes_ = arena.take<char>(room_);
    full_ = origins_ == nullptr || bytes_ == nullptr;
  }

  // Bytes of the text that is read keep their origins.
  void copy(std::string_view part) {
    if (!fits(part.size())) return;
    std::memcpy(origins_ + size_, from_.origins + (part.data() - from_.bytes.data()), part.size() * sizeof *origins_);
    append(part);
  }

  void put(std::string_view text, const char* at) {
    if (!fits(text.size())) return;
    for (std::size_t i = 0; i < text.size(); ++i) origins_[size_ + i] = from_.origin(at);
    append(text);
  }

  void put(char32_t c, const char* at) {
    char encoded[4];
    put(std::string_view(encoded, utf8::encode(c, encoded)), at);
  }

  void put_ascii(char c, const char* at) { put(std::string_view(&c, 1), at); }

  bool full() const { return full_; }

  AlignedText finish() {
    char* const bytes = reinterpret_cast<char*>(origins_ + size_);
    if (size_ != 0) std::memmove(bytes, bytes_, size_);
    arena_.shrink(bytes, size_);
    return {{bytes, size_}, origins_};
  }

 private:
  bool fits(std::size_t size) {
    full_ = full_ || size > room_ - size_;
    return !full_ && size != 0;
  }

  void append(std::string_view text) {
    std::memcpy(bytes_ + size_, text.data(), text.size());
    size_ += text.size();
  }

  Arena& arena_;
  const AlignedText& from_;
  std::size_t room_;
  std::uint32_t* origins_;
  char* bytes_;
  std::size_t size_ = 0;
  bool full_;
};

template <class Text>
inline constexpr bool kAligned = std::is_same_v<Text, AlignedText>;

template <class Text>
using WriterOf = std::conditional_t<kAligned<Text>, AlignedWriter, TextWriter>;

// Room for a text that is no longer than `size` bytes; put() is as a writer's.
template <class Text>
class RoomOf {
 public:
  RoomOf(Arena& arena, const Text& from, std::size_t size) : from_(from) {
    if constexpr (kAligned<Text>) origins_ = arena.take<std::uint32_t>(size);
    begin_ = at_ = arena.take<char>(size);
  }

  bool exists() const { return begin_ != nullptr && (!kAligned<Text> || origins_ != nullptr); }
  const char* at() const { return at_; }

  void put(std::string_view text, const char* at) {
    if constexpr (kAligned<Text>) {
      for (std::size_t i = 0; i < text.size(); ++i)
        origins_[at_ - begin_ + static_cast<std::ptrdiff_t>(i)] = from_.origin(at);
    }
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

  void copy(std::string_view part) {
    if constexpr (kAligned<Text>) {
      std::memcpy(origins_ + (at_ - begin_), from_.origins + (part.data() - from_.bytes.data()),
                  part.size() * sizeof *origins_);
    }
    std::memcpy(at_, part.data(), part.size());
    at_ += part.size();
  }

  void copy_byte(const char* at) {
    if constexpr (kAligned<Text>) origins_[at_ - begin_] = from_.origin(at);
    *at_++ = *at;
  }

  Text text() const {
    const std::string_view bytes(begin_, static_cast<std::size_t>(at_ - begin_));
    if constexpr (kAligned<Text>)
      return {bytes, origins_};
    else
      return bytes;
  }

 private:
  Text from_;
  std::uint32_t* origins_ = nullptr;
  char* begin_ = nullptr;
  char* at_ = nullptr;
};

}  // namespace pumice
