// memchr with SIMD, 16 bytes at a time; the C library's takes one after the other.
#include <wasm_simd128.h>

#include <cstddef>
#include <cstring>

extern "C" void* memchr(const void* memory, int byte, std::size_t size) {
  const char* at = static_cast<const char*>(memory);
  const char* const end = at + size;
  const v128_t wanted = wasm_i8x16_splat(static_cast<signed char>(byte));
  for (; end - at >= 16; at += 16) {
    const auto found = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(at), wanted));
    if (found != 0) return const_cast<char*>(at + __builtin_ctz(found));
  }
  for (; at < end; ++at) {
    if (*at == static_cast<char>(byte)) return const_cast<char*>(at);
  }
  return nullptr;
}
