// The intrinsics of AVX-512, for a source file that is built for it.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined registers of its own intrinsics for mistakes.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
