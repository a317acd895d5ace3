// Memory that is kept from batch to batch and grows only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace pumice::training {

class Buffer {
 public:
  // Room for so many numbers, which hold anything.
  float* room(std::size_t count) {
    if (count > size_) {
      memory_.reset();
      size_ = 0;  // there may be no memory for more
      memory_.reset(static_cast<float*>(::operator new(count * sizeof(float), kAlignment)));
      size_ = count;
    }
    return memory_.get();
  }

  const float* data() const { return memory_.get(); }

  float* zeros(std::size_t count) {
    float* const made = room(count);
    std::fill(made, made + count, 0.0f);
    return made;
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(float* memory) const { ::operator delete(memory, kAlignment); }
  };
  std::unique_ptr<float, Free> memory_;
  std::size_t size_ = 0;
};

}  // namespace pumice::training
