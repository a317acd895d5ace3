// Builds a kernel once per instruction set and picks one when the program is loaded, where the platform can.
#pragma once

#include <cstdint>

// Kernels are plain loops, and the compiler may not contract a multiplication and an addition into one rounding
// (-ffp-contract=off), so that every clone, and every other platform, gives the same bits.
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PUMICE_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define PUMICE_CLONES
#endif
