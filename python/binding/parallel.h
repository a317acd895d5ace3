// Splits a call's texts by bytes over threads; every text is done by one thread, whichever it is.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "pumice.h"
#include "workers.h"

namespace pumice {

struct Failure {
  pumice_status status = PUMICE_OK;
  std::size_t position = 0;
  bool interrupted = false;  // whatever else failed
};

// Calls `work(worker, i)` for every text. `threads` 0: as many as the machine has processors. Holds no GIL.
// Stops early and says where if a call fails. Threads that cannot be started are done without. The calling thread
// asks `interrupted` between shares, every 50 ms, whether to stop; a text that was begun is finished.
Failure for_each_text(Workers& workers, const std::vector<std::string_view>& texts, unsigned threads,
                      const std::function<pumice_status(pumice_worker*, std::size_t)>& work,
                      const std::function<bool()>& interrupted);

}  // namespace pumice
