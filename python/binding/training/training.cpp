// What training asks of the native module: the ranking loss and the optimiser's rows.
#include "training.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bags.h"
#include "kernels.h"
#include "products.h"
#include "ranking.h"
#include "simd/instructions.h"

namespace nb = nanobind;

namespace pumice::training {
namespace {

using Matrix = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Numbers = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Ids = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Weights = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

const Kernels& named(const std::string& name) {
#ifdef PUMICE_X86
  const Kernels* const best = kernels();
  for (const Kernels* one : {&kAvx512Kernels, &kAvx2Kernels})
    if (name == one->name && best != nullptr && (one == best || best == &kAvx512Kernels)) return *one;
#endif
  throw std::invalid_argument("no kernels " + name + " here");
}

nb::list names() {
  nb::list made;
#ifdef PUMICE_X86
  const Kernels* const best = kernels();
  if (best == &kAvx512Kernels) made.append(kAvx512Kernels.name);
  if (best != nullptr) made.append(kAvx2Kernels.name);
#endif
  return made;
}

void check(bool good) {
  if (!good) throw std::invalid_argument("arrays of shapes that do not fit");
}

void check_below(const Numbers& numbers, std::size_t limit) {
  for (std::size_t i = 0; i < numbers.size(); ++i)
    check(numbers.data()[i] >= 0 && static_cast<std::size_t>(numbers.data()[i]) < limit);
}

// Its arrays are kept until another batch begins, which may not be before all of its parts have returned.
class RankingOfBatches {
 public:
  RankingOfBatches(const std::string& kernels, std::vector<std::size_t> dims, std::vector<float> weights, float scale,
                   bool symmetric, std::size_t lanes)
      : dim_(dims.empty() ? 0 : dims.back()),
        lanes_(lanes),
        ranking_(named(kernels), {checked(std::move(dims), weights), weights, scale, symmetric, lanes}) {}

  void begin(const Matrix& anchors, const Matrix& candidates, const Numbers& excluded_anchors,
             const Numbers& excluded_candidates, const std::optional<Matrix>& targets, const Matrix& gradients) {
    const std::size_t n = anchors.shape(0), k = candidates.shape(0);
    check(anchors.shape(1) == dim_ && candidates.shape(1) == dim_ && gradients.shape(1) == dim_);
    check(n > 0 && k >= n && gradients.shape(0) == n + k && excluded_anchors.size() == excluded_candidates.size());
    check(!targets || (targets->shape(0) == n && targets->shape(1) == k));
    check_below(excluded_anchors, n);
    check_below(excluded_candidates, k);
    count_ = n;
    candidates_ = k;
    batch_ = Arrays{anchors, candidates, excluded_anchors, excluded_candidates, targets, gradients};
    ranking_.begin({anchors.data(), n, candidates.data(), k, excluded_anchors.data(), excluded_candidates.data(),
                    excluded_anchors.size(), targets ? targets->data() : nullptr, gradients.data()});
  }

  std::size_t panels() const { return ranking_.candidate_panels(); }

  void pack(std::size_t lane, std::size_t first, std::size_t last) {
    check(lane < lanes_ && first <= last && last <= ranking_.candidate_panels());
    const nb::gil_scoped_release released;
    ranking_.pack(first, last);
  }

  void forward(std::size_t lane, std::size_t first, std::size_t last) {
    check(lane < lanes_ && first <= last && last <= count_);
    const nb::gil_scoped_release released;
    ranking_.forward(lane, first, last);
  }

  void meet() { ranking_.meet(); }

  void backward(std::size_t lane, std::size_t, std::size_t) {
    check(lane < lanes_);
    const nb::gil_scoped_release released;
    ranking_.backward(lane);
  }

  void finish(std::size_t lane, std::size_t first, std::size_t last) {
    check(lane < lanes_ && first <= last && last <= candidates_);
    const nb::gil_scoped_release released;
    ranking_.finish(first, last);
  }

  std::vector<double> losses() const { return ranking_.losses(); }

 private:
  static std::vector<std::size_t> checked(std::vector<std::size_t> dims, const std::vector<float>& weights) {
    check(!dims.empty() && weights.size() == dims.size());
    std::size_t before = 0;
    for (const std::size_t dim : dims) {
      check(dim > before && dim <= 65535);
      before = dim;
    }
    return dims;
  }

  struct Arrays {
    Matrix anchors, candidates;
    Numbers excluded_anchors, excluded_candidates;
    std::optional<Matrix> targets;
    Matrix gradients;
  };

  std::size_t dim_, lanes_, count_ = 0, candidates_ = 0;
  std::optional<Arrays> batch_;
  Ranking ranking_;
};

void products_of(const std::string& kernels, const Matrix& left, const Matrix& right, const Matrix& out) {
  check(left.shape(1) == right.shape(1) && left.shape(1) > 0);
  check(out.shape(0) == left.shape(0) && out.shape(1) >= right.shape(0));
  const Kernels& chosen = named(kernels);
  const nb::gil_scoped_release released;
  dot_products(chosen, {left.data(), left.shape(0)}, {right.data(), right.shape(0)}, left.shape(1), out.data(),
               out.shape(1));
}

void adam_rows(const std::string& kernels, const std::vector<Matrix>& state, const Ids& rows, const Ids& offsets,
               const Ids& texts, const std::optional<Weights>& weights, const Matrix& gradients,
               const std::vector<float>& numbers) {
  check(state.size() == 3 && numbers.size() == 5 && offsets.size() == rows.size() + 1);
  const std::size_t dim = gradients.shape(1), count = state[0].shape(0);
  for (const Matrix& one : state) check(one.shape(0) == count && one.shape(1) == dim);
  check(!weights || weights->size() == texts.size());
  const Kernels& chosen = named(kernels);
  bool good = true;
  {
    const nb::gil_scoped_release released;
    for (std::size_t i = 0; i < rows.size(); ++i)
      good = good && rows.data()[i] >= 0 && static_cast<std::size_t>(rows.data()[i]) < count &&
             offsets.data()[i] >= 0 && offsets.data()[i] <= offsets.data()[i + 1] &&
             static_cast<std::size_t>(offsets.data()[i + 1]) <= texts.size();
    if (good && rows.size() != 0)
      for (auto t = offsets.data()[0]; t < offsets.data()[rows.size()]; ++t)
        good = good && texts.data()[t] >= 0 && static_cast<std::size_t>(texts.data()[t]) < gradients.shape(0);
    if (good)
      chosen.adam({state[0].data(), state[1].data(), state[2].data(), dim, rows.data(), offsets.data(), rows.size(),
                   texts.data(), weights ? weights->data() : nullptr, gradients.data(), numbers[0], numbers[1],
                   numbers[2], numbers[3], numbers[4]});
  }
  check(good);
}

// (rows, row_offsets, texts), and where tokens do not count alike (ids, offsets, by_text, by_token, totals) too.
nb::tuple token_bags(const Ids& ids, const Numbers& lengths, std::vector<std::int64_t> repeats,
                     std::vector<std::int64_t> places) {
  std::vector<std::int64_t> offsets{0};
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const std::int64_t left = static_cast<std::int64_t>(ids.size()) - offsets.back();
    check(lengths.data()[i] >= 0 && lengths.data()[i] <= left);
    offsets.push_back(offsets.back() + lengths.data()[i]);
  }
  check(static_cast<std::size_t>(offsets.back()) == ids.size() && ids.size() <= INT32_MAX);
  TokenBags made;
  bool good = true;
  {
    const nb::gil_scoped_release released;
    for (std::size_t i = 0; i < ids.size(); ++i) good = good && ids.data()[i] >= 0;
    const CountsOfTokens counts{std::move(repeats), std::move(places)};
    if (good) made = bags_of({ids.data(), offsets.data(), lengths.size()}, counts);
  }
  check(good);
  return nb::make_tuple(array_of(std::move(made.rows)), array_of(std::move(made.row_offsets)),
                        array_of(std::move(made.texts)), array_of(std::move(made.ids)),
                        array_of(std::move(made.offsets)), array_of(std::move(made.by_text)),
                        array_of(std::move(made.by_token)), array_of(std::move(made.totals)));
}

}  // namespace

void add_training(nb::module_& m) {
  using Ranking = RankingOfBatches;
  nb::class_<Ranking>(m, "Ranking")
      .def(nb::init<const std::string&, std::vector<std::size_t>, std::vector<float>, float, bool, std::size_t>(),
           nb::arg("kernels"), nb::arg("dims"), nb::arg("weights"), nb::arg("scale"), nb::arg("symmetric"),
           nb::arg("lanes"))
      .def("begin", &Ranking::begin, nb::arg("anchors").noconvert(), nb::arg("candidates").noconvert(),
           nb::arg("excluded_anchors").noconvert(), nb::arg("excluded_candidates").noconvert(),
           nb::arg("targets").noconvert().none(), nb::arg("gradients").noconvert())
      .def_prop_ro("panels", &Ranking::panels)
      .def("pack", &Ranking::pack, nb::arg("lane"), nb::arg("first"), nb::arg("last"))
      .def("forward", &Ranking::forward, nb::arg("lane"), nb::arg("first"), nb::arg("last"))
      .def("meet", &Ranking::meet)
      .def("backward", &Ranking::backward, nb::arg("lane"), nb::arg("first"), nb::arg("last"))
      .def("finish", &Ranking::finish, nb::arg("lane"), nb::arg("first"), nb::arg("last"))
      .def("losses", &Ranking::losses);
  m.def("training_kernels", &names);
  m.def("dot_products", &products_of, nb::arg("kernels"), nb::arg("left").noconvert(), nb::arg("right").noconvert(),
        nb::arg("out").noconvert());
  m.def("token_bags", &token_bags, nb::arg("ids").noconvert(), nb::arg("lengths").noconvert(), nb::arg("repeats"),
        nb::arg("places"));
  m.def("adam_rows", &adam_rows, nb::arg("kernels"), nb::arg("state").noconvert(), nb::arg("rows").noconvert(),
        nb::arg("offsets").noconvert(), nb::arg("texts").noconvert(), nb::arg("weights").noconvert().none(),
        nb::arg("gradients").noconvert(), nb::arg("numbers"));
}

}  // namespace pumice::training
