// The words of Python strings as numbers, counted: what the table does not know yet, Python is asked for.
#include "terms.h"

#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "texts.h"

namespace nb = nanobind;

namespace pumice {
namespace {

using Numbers = nb::ndarray<const std::uint32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Counts = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <class T>
nb::object array_of(std::vector<T> values) {
  auto held = std::make_unique<std::vector<T>>(std::move(values));
  T* data = held->data();
  const std::size_t size = held->size();
  nb::capsule owner(held.get(), [](void* it) noexcept { delete static_cast<std::vector<T>*>(it); });
  held.release();
  return nb::cast(nb::ndarray<nb::numpy, T, nb::ndim<1>>(data, {size}, owner));
}

void learn(RunTable& table, const nb::callable& look_up) {
  nb::list runs;
  for (std::size_t i = 0; i < table.unknown(); ++i)
    runs.append(nb::str(table.unknown(i).data(), table.unknown(i).size()));
  const nb::object found = look_up(runs);
  const auto numbers = nb::cast<Numbers>(found[0]);
  const auto counts = nb::cast<Counts>(found[1]);
  std::size_t at = 0;
  if (counts.shape(0) != table.unknown()) throw std::invalid_argument("a count for each run is needed");
  for (std::size_t i = 0; i < counts.shape(0); ++i) {
    const std::int64_t count = counts(i);
    if (count < 0 || static_cast<std::size_t>(count) > numbers.shape(0) - at)
      throw std::invalid_argument("more numbers were counted than given");
    table.learn(i, numbers.data() + at, static_cast<std::size_t>(count));
    at += static_cast<std::size_t>(count);
  }
}

// How often becomes how much: times (k1 + 1) / (times + k1 (1 - b + b length / average)).
void weigh(TextTerms& terms, double k1, double b, double average) {
  for (std::size_t text = 0; text + 1 < terms.offsets.size(); ++text) {
    const auto begin = terms.times.begin() + terms.offsets[text], end = terms.times.begin() + terms.offsets[text + 1];
    const double length = std::accumulate(begin, end, 0.0);
    const auto saturation = static_cast<float>(k1 * (1 - b + b * length / average));
    for (auto times = begin; times != end; ++times)
      *times = *times * static_cast<float>(k1 + 1) / (*times + saturation);
  }
}

}  // namespace

nb::tuple read_terms(RunTable& table, nb::handle sequence, nb::callable look_up, double k1, double b, double average) {
  const Texts texts = texts_of_sequence(sequence);
  try {
    {
      nb::gil_scoped_release released;
      table.cut(texts.views);
    }
    if (table.unknown() > 0) learn(table, look_up);
    TextTerms terms;
    {
      nb::gil_scoped_release released;
      terms = table.count();
      weigh(terms, k1, b, average);
    }
    return nb::make_tuple(array_of(std::move(terms.offsets)), array_of(std::move(terms.numbers)),
                          array_of(std::move(terms.times)));
  } catch (...) {
    table.clear();
    throw;
  }
}

}  // namespace pumice
