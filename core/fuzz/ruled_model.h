// A golden model in memory, whose rules for texts are the fuzzed input's first bytes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "contract.h"

#ifndef PUMICE_FUZZ_MODELS
#error "compile with -DPUMICE_FUZZ_MODELS='\"/path/to/testdata/\"'"
#endif

namespace pumice::fuzz {

inline constexpr std::uint32_t kNone = UINT32_MAX;

// Four bytes: flags of the normalizer, unknown tokens, normalisation and the longest word; most tokens; most code
// points (0: no limit); the last is free for the target.
struct Rules {
  static constexpr std::size_t kSize = 4;
  static constexpr std::uint32_t kWordChars[] = {1, 3, 100, 1024};

  explicit Rules(const std::uint8_t* data) : bytes(data) {}
  std::uint32_t max_tokens() const { return bytes[1] == 0 ? kNone : bytes[1]; }
  std::uint32_t max_chars() const { return bytes[2] == 0 ? kNone : bytes[2]; }

  const std::uint8_t* bytes;
};

// The bytes of testdata/golden-NAME.pumice; only its parameters ever change.
class RuledModel {
 public:
  explicit RuledModel(const char* name) : file_(size_of(name)), memory_(pumice_model_size()) {
    std::FILE* stream = open(name);
    CONTRACT(std::fread(file_.bytes(), 1, file_.size(), stream) == file_.size());
    std::fclose(stream);
    const void* section = nullptr;
    std::size_t size = 0;
    CONTRACT(pumice_section(reopened(), PUMICE_SECTION_PARAMETERS, &section, &size) && size == 64);
    parameters_ = file_.bytes() + (static_cast<const std::uint8_t*>(section) - file_.bytes());
  }

  // The model under these rules, until the next call. They lie in the parameters as docs/format.md says.
  const pumice_model* under(const Rules& rules) {
    const std::uint8_t flags = rules.bytes[0];
    parameters_[14] = flags >> 4 & 1;
    parameters_[15] = flags >> 5 & 1;
    set(20, rules.max_tokens());
    set(24, rules.max_chars());
    set(28, Rules::kWordChars[flags >> 6]);
    set(32, flags & 15u);
    return reopened();
  }

 private:
  static std::FILE* open(const char* name) {
    char path[4096];
    const int length = std::snprintf(path, sizeof path, "%sgolden-%s.pumice", PUMICE_FUZZ_MODELS, name);
    CONTRACT(length > 0 && static_cast<std::size_t>(length) < sizeof path);
    std::FILE* stream = std::fopen(path, "rb");
    CONTRACT(stream != nullptr);
    return stream;
  }

  static std::size_t size_of(const char* name) {
    std::FILE* stream = open(name);
    CONTRACT(std::fseek(stream, 0, SEEK_END) == 0);
    const long size = std::ftell(stream);
    std::fclose(stream);
    CONTRACT(size > 0);
    return static_cast<std::size_t>(size);
  }

  const pumice_model* reopened() const {
    const pumice_model* model = nullptr;
    CONTRACT(pumice_open(file_.bytes(), file_.size(), memory_.bytes(), memory_.size(), &model) == PUMICE_OK);
    return model;
  }

  void set(std::size_t at, std::uint32_t value) { std::memcpy(parameters_ + at, &value, sizeof value); }

  Block file_;
  Block memory_;
  std::uint8_t* parameters_ = nullptr;
};

}  // namespace pumice::fuzz
