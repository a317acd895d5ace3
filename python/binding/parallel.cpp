// Splits a call's texts by bytes over threads; every text is done by one thread, whichever it is.
#include "parallel.h"

#include <algorithm>
#include <chrono>

namespace pumice {
namespace {

// A share takes some 50 µs: long against handing it out, short against a core that comes late.
constexpr std::size_t kShareBytes = 16 << 10;
constexpr std::size_t kTextCost = 64;  // bytes that a text costs before its first byte
// Each poll may wait for a busy GIL, 5 ms by default.
constexpr std::chrono::milliseconds kBetweenPolls{50};

}  // namespace

Crew::Crew(Workers& workers, const Share& work, unsigned threads)
    : workers_(workers), work_(work), most_threads_(threads) {
  if (threads == 0) most_threads_ = std::max(1u, std::thread::hardware_concurrency());
}

Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  join();
}

void Crew::add(std::string_view text) {
  ++texts_;
  cost_ += text.size() + kTextCost;
  if (cost_ >= kShareBytes) end_share();
}

void Crew::end_share() {
  cost_ = 0;
  std::size_t shares;
  {
    const std::lock_guard lock(mutex_);
    shares = bounds_.size();
    bounds_.push_back(texts_);
  }
  changed_.notify_one();
  if (helpers_.size() + 1 >= std::min(most_threads_, shares)) return;
  try {
    helpers_.emplace_back([this] { run(nullptr); });
  } catch (const std::exception&) {
    most_threads_ = helpers_.size() + 1;  // no more threads or memory to be had
  }
}

// A share that was taken is always done, so that the first text that fails is the one reported.
bool Crew::take(std::size_t& begin, std::size_t& end) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || complete_ || next_ + 1 < bounds_.size(); });
  if (stopped_ || next_ + 1 >= bounds_.size()) return false;
  begin = bounds_[next_++];
  end = bounds_[next_];
  return true;
}

// Only the calling thread polls.
void Crew::work_off(const std::function<bool()>* interrupted) {
  const Borrowed scratch(workers_);
  auto polled = std::chrono::steady_clock::now();
  for (std::size_t at, end;;) {
    if (interrupted != nullptr && std::chrono::steady_clock::now() - polled >= kBetweenPolls) {
      const bool stop = (*interrupted)();
      const std::lock_guard lock(mutex_);
      failure_.interrupted = stop;
      stopped_ = stopped_ || stop;
      polled = std::chrono::steady_clock::now();
    }
    if (!take(at, end)) return;
    pumice_status status;
    do {
      std::size_t done = 0;
      status = work_(scratch->worker(), at, end, &done);
      at += done;
    } while (status == PUMICE_MEMORY_TOO_SMALL && scratch->grow());
    if (status == PUMICE_OK) continue;
    const std::lock_guard lock(mutex_);
    if (failure_.status == PUMICE_OK || at < failure_.position) {
      failure_.status = status;
      failure_.position = at;
    }
    stopped_ = true;
  }
}

void Crew::run(const std::function<bool()>* interrupted) {
  try {
    work_off(interrupted);
  } catch (...) {  // memory ran out; it must not leave a thread
    const std::lock_guard lock(mutex_);
    thrown_ = std::current_exception();
    stopped_ = true;
  }
}

void Crew::join() {
  changed_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
  helpers_.clear();
}

Failure Crew::finish(const std::function<bool()>& interrupted) {
  if (cost_ != 0) end_share();
  {
    const std::lock_guard lock(mutex_);
    complete_ = true;
  }
  changed_.notify_all();
  run(&interrupted);
  join();
  if (thrown_) std::rethrow_exception(thrown_);
  return failure_;
}

}  // namespace pumice
