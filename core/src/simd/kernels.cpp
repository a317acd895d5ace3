// The kernels that this processor runs fastest, chosen once when a model is opened.
#include "kernels.h"

#include "instructions.h"

namespace pumice::simd {

namespace {

constexpr Kernels kPortable = {&kPortableRows, &kPortablePacked, classify_portable, list_words_portable,
                               &kPortableFind};
#if defined(PUMICE_X86)
constexpr Kernels kAvx2 = {&kAvx2Rows, &kAvx2Packed, classify_avx2, list_words_avx2, &kAvx2Find, valid_utf8_avx2};
constexpr Kernels kAvx512 = {&kAvx512Rows,    &kAvx512Packed, classify_avx512,
                             list_words_avx2, &kAvx512Find,   valid_utf8_avx2};
constexpr Kernels kAvx512Vbmi2 = {&kAvx512Rows,      &kAvx512Packed, classify_avx512,
                                  list_words_avx512, &kAvx512Find,   valid_utf8_avx2};
#elif defined(PUMICE_NEON)
constexpr Kernels kNeon = {&kNeonRows, &kNeonPacked, classify_neon, list_words_neon, &kPortableFind};
#elif defined(PUMICE_WASM_SIMD)
constexpr Kernels kWasm = {&kWasmRows, &kWasmPacked, classify_wasm, list_words_wasm, &kWasmFind};
#endif

}  // namespace

const Kernels& kernels() {
#if defined(PUMICE_X86)
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  const bool bits = __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
  if (avx512) return bits ? kAvx512Vbmi2 : kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) return kAvx2;
#elif defined(PUMICE_NEON)
  return kNeon;
#elif defined(PUMICE_WASM_SIMD)
  return kWasm;
#endif
  return kPortable;
}

}  // namespace pumice::simd
