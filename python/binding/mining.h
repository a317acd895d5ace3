// Mining's inner loops for Python: arrays are checked, the GIL is released.
#pragma once

#include <nanobind/nanobind.h>

namespace pumice {

// Adds `occurrences`, `best_passages`, `BestOf` and `choose_negatives` to the module.
void add_mining(nanobind::module_& m);

}  // namespace pumice
