// Asks for memory before it is needed; nothing where the compiler cannot say so.
#pragma once

namespace pumice {

inline void prefetch(const void* address) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(address);
#else
  (void)address;
#endif
}

}  // namespace pumice
