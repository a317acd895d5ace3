// Four threads share one model, each with a worker of its own, and get one answer; built with -fsanitize=thread.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "model_in_memory.h"
#include "pumice.h"

namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 20;

using pumice::tests::Memory;
using pumice::tests::memory_of;

// The vectors of all lines, one after the other; empty where a call failed.
std::vector<float> encode(const pumice_model* model, const std::vector<std::string>& lines) {
  Memory memory = memory_of(pumice_worker_size(model));
  pumice_worker* worker = nullptr;
  if (pumice_worker_init(model, memory.data(), pumice_worker_size(model), &worker) != PUMICE_OK) return {};
  const std::uint32_t dim = pumice_describe(model).dimensions;
  std::vector<float> vectors(dim * lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    float* out = vectors.data() + i * dim;
    if (pumice_encode(worker, lines[i].data(), lines[i].size(), dim, PUMICE_VECTOR_F32, out) != PUMICE_OK) return {};
  }
  return vectors;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "threads MODEL TEXT\n"), 2;
  const pumice::tests::ModelInMemory opened(argv[1]);
  const pumice_model* model = opened.model;
  if (model == nullptr) return 2;
  std::vector<std::string> lines;
  std::ifstream text(argv[2]);
  for (std::string line; std::getline(text, line);) lines.push_back(line);

  const std::vector<float> wanted = encode(model, lines);
  bool same[kThreads] = {};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      same[i] = !wanted.empty();
      for (int round = 0; round < kRounds; ++round) {
        const std::vector<float> found = encode(model, lines);
        same[i] = same[i] && found.size() == wanted.size() &&
                  std::memcmp(found.data(), wanted.data(), wanted.size() * sizeof(float)) == 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const bool one : same) {
    if (!one) return std::fprintf(stderr, "a thread got other vectors\n"), 1;
  }
  std::printf("%zu lines, %d threads\n", lines.size(), kThreads);
  return 0;
}
