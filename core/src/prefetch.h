// Asks for memory before it is needed, which can be read; nothing where the compiler cannot say so.
#pragma once

namespace pumice {

inline void prefetch(const void* address) {
#if defined(__wasm__)
  // It has no instruction for that; a load that nothing waits for does the same.
  static_cast<void>(*static_cast<const volatile char*>(address));
#elif defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(address);
#else
  (void)address;
#endif
}

}  // namespace pumice
