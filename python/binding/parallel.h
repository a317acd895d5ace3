// Splits a call's texts by bytes over threads; every text is done by one thread, whichever it is.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "pumice.h"
#include "workers.h"

namespace pumice {

struct Failure {
  pumice_status status = PUMICE_OK;
  std::size_t position = 0;
  bool interrupted = false;  // whatever else failed
};

// Does texts [begin, end); *done is how many of them were, and so which one the status is about.
using Share =
    std::function<pumice_status(pumice_worker* worker, std::size_t begin, std::size_t end, std::size_t* done)>;

// Calls `work` for shares of texts as they come. The thread that adds them may hold the GIL while it does: the others,
// which begin with the first shares, never ask for it. Threads that cannot be started are done without.
class Crew {
 public:
  // `threads` 0: as many as the machine has processors. `work` is kept by reference.
  Crew(Workers& workers, const Share& work, unsigned threads);
  ~Crew();  // what was not begun is left undone
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // There is one more text, which `work` may be called for at once.
  void add(std::string_view text);

  // There are no more: works along until each is done. Stops early and says where if a call failed. Asks `interrupted`
  // between shares, every 50 ms, whether to stop; a share that was begun is finished. Holds no GIL.
  Failure finish(const std::function<bool()>& interrupted);

 private:
  void end_share();
  bool take(std::size_t& begin, std::size_t& end);
  void work_off(const std::function<bool()>* interrupted);
  void run(const std::function<bool()>* interrupted);
  void join();

  Workers& workers_;
  const Share& work_;
  std::size_t most_threads_;
  std::size_t texts_ = 0;
  std::size_t cost_ = 0;  // of the texts after the last bound
  std::vector<std::thread> helpers_;
  std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  std::vector<std::size_t> bounds_{0};  // where shares begin, and the last ends
  std::size_t next_ = 0;                // the share that is taken next
  bool complete_ = false;
  bool stopped_ = false;
  Failure failure_;
  std::exception_ptr thrown_;
};

}  // namespace pumice
