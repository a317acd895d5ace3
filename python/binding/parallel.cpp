// Splits a call's texts by bytes over threads; every text is done by one thread, whichever it is.
#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

namespace pumice {
namespace {

// A share takes some 100 µs: long against handing it out, short against a core that comes late.
constexpr std::size_t kShareBytes = 16 << 10;
constexpr std::size_t kTextCost = 64;  // bytes that a text costs before its first byte
// Each poll may wait for a busy GIL, 5 ms by default.
constexpr std::chrono::milliseconds kBetweenPolls{50};

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

Failure for_each_share(Workers& workers, const std::vector<std::string_view>& texts, unsigned threads,
                       const Share& work, const std::function<bool()>& interrupted) {
  const std::vector<std::size_t> bounds = share_bounds(texts);
  const std::size_t shares = bounds.size() - 1;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  Failure failure;
  std::exception_ptr thrown;
  // A share that was taken is always done, so that the first text that fails is the one reported. Only the calling
  // thread polls.
  const auto work_off = [&](bool polls) {
    const Borrowed scratch(workers);
    auto polled = std::chrono::steady_clock::now();
    while (!failed) {
      if (polls && std::chrono::steady_clock::now() - polled >= kBetweenPolls) {
        failure.interrupted = interrupted();
        if (failure.interrupted) failed = true;
        polled = std::chrono::steady_clock::now();
      }
      const std::size_t share = next++;
      if (share >= shares) return;
      std::size_t at = bounds[share];
      pumice_status status;
      do {
        std::size_t done = 0;
        status = work(scratch->worker(), at, bounds[share + 1], &done);
        at += done;
      } while (status == PUMICE_MEMORY_TOO_SMALL && scratch->grow());
      if (status == PUMICE_OK) continue;
      const std::lock_guard lock(mutex);
      if (failure.status == PUMICE_OK || at < failure.position) {
        failure.status = status;
        failure.position = at;
      }
      failed = true;
    }
  };
  const auto run = [&](bool polls) {
    try {
      work_off(polls);
    } catch (...) {  // memory ran out; it must not leave a thread
      const std::lock_guard lock(mutex);
      thrown = std::current_exception();
      failed = true;
    }
  };
  const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  const std::size_t wanted = std::min<std::size_t>(threads == 0 ? processors : threads, shares);
  std::vector<std::thread> helpers;
  try {
    for (std::size_t i = 1; i < wanted; ++i) helpers.emplace_back(run, false);
  } catch (const std::exception&) {
    // No more threads or memory to be had: those that started, and this one, do all the work.
  }
  run(true);
  for (std::thread& helper : helpers) helper.join();
  if (thrown) std::rethrow_exception(thrown);
  return failure;
}

}  // namespace pumice
