// Vectors of the native code as numpy arrays that own them.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace pumice {

template <class T>
nanobind::object array_of(std::vector<T> values, std::initializer_list<std::size_t> shape) {
  auto held = std::make_unique<std::vector<T>>(std::move(values));
  T* data = held->data();
  nanobind::capsule owner(held.get(), [](void* it) noexcept { delete static_cast<std::vector<T>*>(it); });
  held.release();
  return nanobind::cast(nanobind::ndarray<nanobind::numpy, T>(data, shape, owner));
}

template <class T>
nanobind::object array_of(std::vector<T> values) {
  const std::size_t count = values.size();
  return array_of(std::move(values), {count});
}

}  // namespace pumice
