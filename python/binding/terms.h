// The words of Python strings as numbers, counted: what the table does not know yet, Python is asked for.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>

#include "run_table.h"

namespace pumice {

// (offsets int64 of n + 1, numbers uint32, weights float32), a number's weight by how often it stands in its text and
// how long that is (BM25's k1 and b; `average` words are an average text). `look_up` gets the list of runs that are
// new, and gives a sequence of numbers for each, all in one uint32 array, and how many each has, in an int64 array.
// Where it raises, the table forgets everything. One thread at a time: the caller sees to that.
nanobind::tuple read_terms(RunTable& table, nanobind::handle texts, nanobind::callable look_up, double k1, double b,
                           double average);

}  // namespace pumice
