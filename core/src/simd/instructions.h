// Which instruction sets a kernel can be built for here, and the attribute that builds it for one.
#pragma once

// Kernels of one operation give the same bits on every instruction set: they add in the same order, and the
// compiler may not contract a multiplication and an addition into one rounding (-ffp-contract=off).
#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__))
#define PUMICE_X86 1
// Functions between BEGIN and END are built for the instruction set. Include system headers before.
// clang-format off
#if defined(__clang__)
#define PUMICE_BEGIN_AVX2 \
  _Pragma("clang attribute push(__attribute__((target(\"avx2,bmi,bmi2,f16c\"))), apply_to = function)")
#define PUMICE_BEGIN_AVX2_FMA \
  _Pragma("clang attribute push(__attribute__((target(\"avx2,fma\"))), apply_to = function)")
#define PUMICE_BEGIN_AVX512 \
  _Pragma("clang attribute push(__attribute__((target(\"avx512f,avx512bw,avx512vl,avx512dq,bmi,bmi2,f16c\"))), apply_to = function)")
#define PUMICE_BEGIN_AVX512_VBMI2 \
  _Pragma("clang attribute push(__attribute__((target(\"avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vbmi2,bmi,bmi2,lzcnt,popcnt\"))), apply_to = function)")
#define PUMICE_END _Pragma("clang attribute pop")
#else
#define PUMICE_BEGIN_AVX2 _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,bmi,bmi2,f16c\")")
#define PUMICE_BEGIN_AVX2_FMA _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,fma\")")
#define PUMICE_BEGIN_AVX512 \
  _Pragma("GCC push_options") _Pragma("GCC target(\"avx512f,avx512bw,avx512vl,avx512dq,bmi,bmi2,f16c\")")
#define PUMICE_BEGIN_AVX512_VBMI2 \
  _Pragma("GCC push_options") _Pragma("GCC target(\"avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vbmi2,bmi,bmi2,lzcnt,popcnt\")")
#define PUMICE_END _Pragma("GCC pop_options")
#endif
// clang-format on
#endif
#if defined(__aarch64__) && defined(__ARM_NEON)
#define PUMICE_NEON 1
#endif
#if defined(__wasm_simd128__)
#define PUMICE_WASM_SIMD 1
#endif
