// A model file on the heap, for test programs.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "pumice.h"

namespace pumice::tests {

struct Cell {
  alignas(PUMICE_ALIGNMENT) std::uint8_t bytes[PUMICE_ALIGNMENT];
};
using Memory = std::vector<Cell>;

inline Memory memory_of(std::size_t size) { return Memory((size + sizeof(Cell) - 1) / sizeof(Cell)); }

// A model and the memory it lies in; `model` is null where the file cannot be opened.
struct ModelInMemory {
  Memory file, view;
  const pumice_model* model = nullptr;

  explicit ModelInMemory(const char* path) {
    std::ifstream stream(path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(stream), {}};
    file = memory_of(content.size());
    std::memcpy(file.data(), content.data(), content.size());
    view = memory_of(pumice_model_size());
    pumice_open(file.data(), content.size(), view.data(), pumice_model_size(), &model);
  }
  ModelInMemory(const ModelInMemory&) = delete;
  ModelInMemory& operator=(const ModelInMemory&) = delete;
};

}  // namespace pumice::tests
