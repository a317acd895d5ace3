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

// Does texts [begin, end); *done is how many of them were, and so which one the status is about.
using Share =
    std::function<pumice_status(pumice_worker* worker, std::size_t begin, std::size_t end, std::size_t* done)>;

// Calls `work` for shares of the texts, until each is done. `threads` 0: as many as the machine has processors. Holds
// no GIL. Stops early and says where if a call fails. Threads that cannot be started are done without. The calling
// thread asks `interrupted` between shares, every 50 ms, whether to stop; a share that was begun is finished.
Failure for_each_share(Workers& workers, const std::vector<std::string_view>& texts, unsigned threads,
                       const Share& work, const std::function<bool()>& interrupted);

}  // namespace pumice
