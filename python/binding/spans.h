// Token spans for Python: characters of a str instead of bytes of UTF-8.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "pumice.h"

namespace pumice {

// int64, shape (n, 3): id, first character, character after the last.
using SpanTable = nanobind::ndarray<nanobind::numpy, std::int64_t, nanobind::ndim<2>>;

// All tokens of a text, however many. Holds no GIL.
pumice_status read_spans(pumice_worker* worker, std::string_view text, std::vector<pumice_token>& tokens);

SpanTable span_table(std::string_view text, const std::vector<pumice_token>& tokens);

}  // namespace pumice
