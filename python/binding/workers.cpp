// Workers kept between calls, so that the words they have met stay known.
#include "workers.h"

#include <new>
#include <utility>

namespace pumice {
namespace {

constexpr std::size_t kMostScratch = sizeof(std::size_t) == 8 ? std::size_t{1} << 36 : std::size_t{1} << 30;

}  // namespace

Scratch::Scratch(const pumice_model* model) : model_(model) { allocate(pumice_worker_fast_size(model)); }

Scratch::~Scratch() { ::operator delete(memory_, std::align_val_t{PUMICE_ALIGNMENT}); }

void Scratch::allocate(std::size_t size) {
  void* memory = ::operator new(size, std::align_val_t{PUMICE_ALIGNMENT});
  ::operator delete(memory_, std::align_val_t{PUMICE_ALIGNMENT});
  memory_ = memory;
  size_ = size;
  pumice_worker_init(model_, memory_, size_, &worker_);
}

bool Scratch::grow() {
  if (size_ > kMostScratch / 4) return false;
  allocate(4 * size_);
  grown_ = true;
  return true;
}

std::unique_ptr<Scratch> Workers::take() {
  {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock.owns_lock() && !idle_.empty()) {
      std::unique_ptr<Scratch> scratch = std::move(idle_.back());
      idle_.pop_back();
      return scratch;
    }
  }
  return std::make_unique<Scratch>(model_);
}

void Workers::give(std::unique_ptr<Scratch> scratch) {
  if (scratch == nullptr || scratch->grown()) return;  // one long text must not hold its memory for ever
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock() && idle_.size() < kMostIdle) idle_.push_back(std::move(scratch));
}

}  // namespace pumice
