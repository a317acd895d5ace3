// Splits a call's texts by bytes over threads; every text is done by one thread, whichever it is.
#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

namespace pumice {
namespace {

// A share takes some 100 µs: long against handing it out, short against a core that comes late.
constexpr std::size_t kShareBytes = 16 << 10;
constexpr std::size_t kMostScratch = std::size_t{1} << 36;
constexpr std::size_t kTextCost = 64;  // bytes that a text costs before its first byte
// Each poll may wait for a busy GIL, 5 ms by default.
constexpr std::chrono::milliseconds kBetweenPolls{50};

class Scratch {
 public:
  explicit Scratch(const pumice_model* model) : model_(model), size_(pumice_worker_size(model)) {
    memory_ = ::operator new(size_, std::align_val_t{PUMICE_ALIGNMENT});
    pumice_worker_init(model, memory_, size_, &worker_);
  }
  ~Scratch() { ::operator delete(memory_, std::align_val_t{PUMICE_ALIGNMENT}); }
  // More room for the next try; false where a text asks for more than any can need.
  bool grow() {
    if (size_ > kMostScratch / 4) return false;
    ::operator delete(memory_, std::align_val_t{PUMICE_ALIGNMENT});
    size_ *= 4;
    memory_ = ::operator new(size_, std::align_val_t{PUMICE_ALIGNMENT});
    pumice_worker_init(model_, memory_, size_, &worker_);
    return true;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  pumice_worker* worker() { return worker_; }

 private:
  const pumice_model* model_;
  std::size_t size_;
  void* memory_ = nullptr;
  pumice_worker* worker_ = nullptr;
};

// Begins of shares of about kShareBytes, and the end.
std::vector<std::size_t> share_bounds(const std::vector<std::string_view>& texts) {
  std::vector<std::size_t> bounds{0};
  std::size_t cost = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    cost += texts[i].size() + kTextCost;
    if (cost >= kShareBytes) {
      bounds.push_back(i + 1);
      cost = 0;
    }
  }
  if (bounds.back() != texts.size()) bounds.push_back(texts.size());
  return bounds;
}

}  // namespace

Failure for_each_text(const pumice_model* model, const std::vector<std::string_view>& texts, unsigned threads,
                      const std::function<pumice_status(pumice_worker*, std::size_t)>& work,
                      const std::function<bool()>& interrupted) {
  const std::vector<std::size_t> bounds = share_bounds(texts);
  const std::size_t shares = bounds.size() - 1;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  Failure failure;
  bool stopped = false;  // the calling thread's own
  const auto run = [&](Scratch& scratch, bool polls) {
    auto polled = std::chrono::steady_clock::now();
    for (std::size_t share = next++; share < shares && !failed; share = next++) {
      if (polls && std::chrono::steady_clock::now() - polled >= kBetweenPolls) {
        stopped = interrupted();
        if (stopped) {
          failed = true;
          return;
        }
        polled = std::chrono::steady_clock::now();
      }
      for (std::size_t i = bounds[share]; i < bounds[share + 1]; ++i) {
        pumice_status status = work(scratch.worker(), i);
        while (status == PUMICE_MEMORY_TOO_SMALL && scratch.grow()) status = work(scratch.worker(), i);
        if (status == PUMICE_OK) continue;
        const std::lock_guard lock(mutex);
        if (!failed || i < failure.position) failure = {status, i};
        failed = true;
        break;
      }
    }
  };
  const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  const std::size_t wanted = std::min<std::size_t>(threads == 0 ? processors : threads, shares);
  std::vector<std::unique_ptr<Scratch>> scratches;
  for (std::size_t i = 0; i < std::max<std::size_t>(wanted, 1); ++i)
    scratches.push_back(std::make_unique<Scratch>(model));
  std::vector<std::thread> helpers;
  helpers.reserve(wanted);
  try {
    for (std::size_t i = 1; i < wanted; ++i)
      helpers.emplace_back([&run, &scratch = *scratches[i]] { run(scratch, false); });
  } catch (const std::system_error&) {
    // No more threads to be had: those that started, and this one, do all the work.
  }
  run(*scratches[0], true);
  for (std::thread& helper : helpers) helper.join();
  failure.interrupted = stopped;
  return failure;
}

}  // namespace pumice
