// What training asks of the native module.
#pragma once

#include <nanobind/nanobind.h>

namespace pumice::training {

void add_training(nanobind::module_& m);

}  // namespace pumice::training
