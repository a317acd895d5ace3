// Mining's inner loops for Python: arrays are checked, the GIL is released.
#include "mining.h"

#include <nanobind/ndarray.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "arrays.h"
#include "negatives.h"
#include "postings.h"
#include "ranked.h"

namespace nb = nanobind;

namespace pumice {
namespace {

template <class T, std::size_t kAxes>
using Array = nb::ndarray<const T, nb::ndim<kAxes>, nb::c_contig, nb::device::cpu>;
using Numbers = Array<std::int64_t, 1>;
using Rows = Array<std::int64_t, 2>;
using Ids = Array<std::int32_t, 1>;
using Floats = Array<float, 1>;
using Matrix = Array<float, 2>;

void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

TokenTexts checked_texts(const Ids& ids, const Numbers& offsets, const Numbers& which) {
  for (std::size_t i = 0; i < which.shape(0); ++i) {
    const std::int64_t text = which(i);
    require(text >= 0 && static_cast<std::size_t>(text) + 1 < offsets.shape(0), "no such text");
    const std::int64_t begin = offsets(static_cast<std::size_t>(text)),
                       end = offsets(static_cast<std::size_t>(text) + 1);
    require(0 <= begin && begin <= end && static_cast<std::size_t>(end) <= ids.shape(0), "offsets leave the ids");
  }
  return {ids.data(), offsets.data(), which.data(), which.shape(0)};
}

// Whether every number is in [low, end).
template <class T>
bool within(const T* numbers, std::size_t count, std::int64_t low, std::int64_t end) {
  for (std::size_t i = 0; i < count; ++i)
    if (numbers[i] < low || numbers[i] >= end) return false;
  return true;
}

nb::tuple occurrences_of(const Ids& ids, const Numbers& offsets, const Numbers& which, std::size_t tokens) {
  const TokenTexts texts = checked_texts(ids, offsets, which);
  for (std::size_t i = 0; i < texts.count; ++i) {
    const std::int64_t begin = texts.offsets[texts.which[i]], end = texts.offsets[texts.which[i] + 1];
    const bool known =
        within(texts.ids + begin, static_cast<std::size_t>(end - begin), 0, static_cast<std::int64_t>(tokens));
    require(known, "an id is no token");
  }
  Occurrences made;
  {
    nb::gil_scoped_release released;
    made = occurrences(texts, tokens);
  }
  const std::size_t count = made.numbers.size();
  return nb::make_tuple(array_of(std::move(made.edges), {tokens + 1}), array_of(std::move(made.numbers), {count}),
                        array_of(std::move(made.times), {count}));
}

// Passages by token, checked once.
class PostingLists {
 public:
  PostingLists(Numbers edges, Ids numbers, Floats weights, std::size_t passages)
      : edges_(std::move(edges)), numbers_(std::move(numbers)), weights_(std::move(weights)), passages_(passages) {
    const std::size_t last = edges_.shape(0) - 1, count = numbers_.shape(0);
    require(edges_.shape(0) > 0 && edges_(0) == 0 && static_cast<std::size_t>(edges_(last)) == count,
            "edges do not cover the postings");
    for (std::size_t i = 0; i < last; ++i) require(edges_(i) <= edges_(i + 1), "edges do not rise");
    require(weights_.shape(0) == count, "a weight for each posting is needed");
    require(within(numbers_.data(), count, 0, static_cast<std::int64_t>(passages)), "no such passage");
  }

  nb::object best(const Ids& ids, const Numbers& offsets, const Numbers& which, const nb::tuple& asked,
                  std::size_t depth) const {
    const TokenTexts queries = checked_texts(ids, offsets, which);
    const AskedFor asked_for{nb::cast<std::size_t>(asked[0]), nb::cast<std::int64_t>(asked[1])};
    const Postings postings{edges_.data(), numbers_.data(), weights_.data(), passages_, edges_.shape(0) - 1};
    std::vector<std::int64_t> found(queries.count * depth);
    {
      nb::gil_scoped_release released;
      best_passages(postings, queries, asked_for, depth, found.data());
    }
    return array_of(std::move(found), {queries.count, depth});
  }

 private:
  Numbers edges_;
  Ids numbers_;
  Floats weights_;
  std::size_t passages_;
};

// The best numbers of each of several queries, offered a matrix of scores at a time.
class BestOf {
 public:
  BestOf(std::size_t queries, std::size_t depth) : depth_(depth) {
    require(depth > 0, "depth is 0");
    rows_.reserve(queries);
    for (std::size_t i = 0; i < queries; ++i) rows_.emplace_back(depth);
  }

  // scores(i, j) is that of numbers(j) for the query queries(i).
  void offer(const Numbers& queries, const Ids& numbers, const Matrix& scores) {
    require(scores.shape(0) == queries.shape(0) && scores.shape(1) == numbers.shape(0), "shapes differ");
    require(within(queries.data(), queries.shape(0), 0, static_cast<std::int64_t>(rows_.size())), "no such query");
    nb::gil_scoped_release released;
    for (std::size_t i = 0; i < queries.shape(0); ++i)
      offer_row(rows_[static_cast<std::size_t>(queries(i))], numbers.data(), &scores(i, 0), scores.shape(1));
  }

  // (queries, depth): numbers by falling score, -1 where fewer were offered; what is offered next begins anew.
  nb::object finish() {
    std::vector<std::int64_t> found(rows_.size() * depth_, -1);
    {
      nb::gil_scoped_release released;
      std::int64_t* row = found.data();
      for (Ranked& ranked : rows_) {
        ranked.finish([row](std::size_t place, const Scored& one) { row[place] = one.number; });
        row += depth_;
      }
    }
    return array_of(std::move(found), {rows_.size(), depth_});
  }

 private:
  static void offer_row(Ranked& ranked, const std::int32_t* numbers, const float* scores, std::size_t count) {
    constexpr std::size_t kTogether = 16;
    std::size_t at = 0;
    for (; at + kTogether <= count; at += kTogether) {
      const float least = ranked.least();
      int reach = 0;
      for (std::size_t j = 0; j < kTogether; ++j) reach |= scores[at + j] >= least;
      if (reach == 0) continue;  // most of the time, once the best are about right
      for (std::size_t j = 0; j < kTogether; ++j) ranked.offer(scores[at + j], numbers[at + j]);
    }
    for (; at < count; ++at) ranked.offer(scores[at], numbers[at]);
  }

  std::size_t depth_;
  std::vector<Ranked> rows_;
};

nb::object chosen_negatives(const nb::tuple& found, const nb::tuple& vectors, const nb::tuple& refused,
                            std::size_t count, float below) {
  const auto near = nb::cast<Rows>(found[0]), worded = nb::cast<Rows>(found[1]);
  const auto queries = nb::cast<Matrix>(vectors[0]), passages = nb::cast<Matrix>(vectors[1]);
  const auto own = nb::cast<Numbers>(refused[0]), groups = nb::cast<Numbers>(refused[1]),
             keys = nb::cast<Numbers>(refused[2]);
  const std::size_t total = queries.shape(0);
  const auto most = static_cast<std::int64_t>(passages.shape(0));
  require(queries.shape(1) == passages.shape(1), "dimensions differ");
  require(near.shape(0) == total && worded.shape(0) == total && own.shape(0) == total && groups.shape(0) == total,
          "something for each query is needed");
  require(within(near.data(), near.size(), -1, most) && within(worded.data(), worded.size(), -1, most) &&
              within(own.data(), total, 0, most),
          "no such passage");
  std::vector<std::int64_t> chosen(total * count);
  {
    nb::gil_scoped_release released;
    choose_negatives({near.data(), near.shape(1), worded.data(), worded.shape(1)},
                     {queries.data(), passages.data(), queries.shape(1)},
                     {own.data(), groups.data(), keys.data(), keys.shape(0), most}, {count, below}, total,
                     chosen.data());
  }
  return array_of(std::move(chosen), {total, count});
}

}  // namespace

void add_mining(nb::module_& m) {
  m.def("occurrences", &occurrences_of, nb::arg("ids"), nb::arg("offsets"), nb::arg("which"), nb::arg("tokens"));
  nb::class_<PostingLists>(m, "PostingLists")
      .def(nb::init<Numbers, Ids, Floats, std::size_t>(), nb::arg("edges"), nb::arg("numbers"), nb::arg("weights"),
           nb::arg("passages"))
      .def("best", &PostingLists::best, nb::arg("ids"), nb::arg("offsets"), nb::arg("which"), nb::arg("asked"),
           nb::arg("depth"));
  nb::class_<BestOf>(m, "BestOf")
      .def(nb::init<std::size_t, std::size_t>(), nb::arg("queries"), nb::arg("depth"))
      .def("offer", &BestOf::offer, nb::arg("queries"), nb::arg("numbers"), nb::arg("scores"))
      .def("finish", &BestOf::finish);
  m.def("choose_negatives", &chosen_negatives, nb::arg("found"), nb::arg("vectors"), nb::arg("refused"),
        nb::arg("count"), nb::arg("below"));
}

}  // namespace pumice
