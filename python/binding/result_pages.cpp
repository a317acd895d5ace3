// Has the memory of a large result made by one thread while others write to what is there already.
#include "result_pages.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace pumice {

void ResultPages::make(std::size_t block) const {
#ifdef __linux__
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, which older headers do not name
  constexpr std::uintptr_t kPage = 4096;
  const auto first = reinterpret_cast<std::uintptr_t>(result_);
  const std::uintptr_t begin = first / kBlock * kBlock + block * kBlock;
  const std::uintptr_t from = (begin < first ? first + kPage - 1 : begin) / kPage * kPage;
  const std::uintptr_t last = (first + size_) / kPage * kPage;
  const std::uintptr_t to = begin + kBlock < last ? begin + kBlock : last;
  // Kernels before 5.14 refuse; the pages are then made when they are written to.
  if (from < to) madvise(reinterpret_cast<void*>(from), to - from, kPopulateWrite);
#else
  (void)block;
#endif
}

}  // namespace pumice
