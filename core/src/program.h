// A normalizer or pre-tokenizer as the file holds it: steps in order, each an operation and its data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pumice {

// A step: u32 operation, u32 length of its data, the data, zeros up to a multiple of 4.
struct Step {
  std::uint32_t operation;
  const std::uint8_t* data;
  std::uint32_t size;
};

// Steps of a section whose bounds `is_program` has checked.
class Program {
 public:
  Program() = default;
  Program(const std::uint8_t* bytes, std::size_t size) : at_(bytes), end_(bytes + size) {}

  bool next(Step& step) {
    if (at_ == end_) return false;
    std::memcpy(&step.operation, at_, 4);
    std::memcpy(&step.size, at_ + 4, 4);
    step.data = at_ + 8;
    at_ += 8 + padded(step.size);
    return true;
  }

  static std::size_t padded(std::uint32_t size) { return (static_cast<std::size_t>(size) + 3) / 4 * 4; }

 private:
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
};

// A program runs once for each text: no more steps, and no longer pattern to look for at each of its bytes.
inline constexpr std::size_t kMostSteps = 256;
inline constexpr std::uint32_t kLongestPattern = 256;

// Whether the bytes are whole steps and nothing else.
inline bool is_program(const std::uint8_t* bytes, std::size_t size) {
  for (std::size_t steps = 0; size != 0; ++steps) {
    std::uint32_t length;
    if (size < 8 || steps == kMostSteps) return false;
    std::memcpy(&length, bytes + 4, 4);
    if (length > size - 8 || Program::padded(length) > size - 8) return false;
    bytes += 8 + Program::padded(length);
    size -= 8 + Program::padded(length);
  }
  return true;
}

}  // namespace pumice
