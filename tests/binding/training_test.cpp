// Training's kernels at sizes that fill no register, no tile and no panel, over memory of exactly their size, in lanes
// that run side by side: for the sanitizers. Every instruction set that is here gives the same bits.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "bags.h"
#include "kernels.h"
#include "products.h"
#include "ranking.h"
#include "simd/instructions.h"

using namespace pumice::training;

namespace {

// Heap memory that ends where its numbers do.
template <class T>
class Exact {
 public:
  explicit Exact(std::size_t count) : count_(count), data_(new T[count]{}) {}
  T* data() { return data_.get(); }
  std::size_t size() const { return count_; }

 private:
  std::size_t count_;
  std::unique_ptr<T[]> data_;
};

using Floats = Exact<float>;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

void fill(Floats& numbers, std::mt19937& random) {
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers.data()[i] = normal(random);
}

template <class Work>
void in_lanes(std::size_t lanes, std::size_t total, const Work& work) {
  std::vector<std::thread> threads;
  for (std::size_t lane = 0; lane < lanes; ++lane)
    threads.emplace_back([=, &work] { work(lane, total * lane / lanes, total * (lane + 1) / lanes); });
  for (std::thread& thread : threads) thread.join();
}

struct Shape {
  std::size_t anchors, candidates;
  std::vector<std::size_t> dims;
  bool symmetric, targets;
  std::size_t lanes;
};

// Losses and gradients of one batch, then of another one with the same memory.
std::vector<float> ranked(const Kernels& kernels, const Shape& shape) {
  const std::size_t n = shape.anchors, k = shape.candidates, dim = shape.dims.back();
  std::mt19937 random(1);
  Ranking ranking(kernels, {shape.dims, std::vector<float>(shape.dims.size(), 1), 20, shape.symmetric, shape.lanes});
  std::vector<float> found;
  for (int round = 0; round < 2; ++round) {
    Floats anchors(n * dim), candidates(k * dim), targets(n * k), gradients((n + k) * dim);
    fill(anchors, random);
    fill(candidates, random);
    std::fill_n(anchors.data(), dim, 0.0f);  // a text whose rows are all zero, and one that no anchor may have
    std::fill_n(candidates.data() + (k - 1) * dim, dim, 0.0f);
    Exact<std::int64_t> rows(n - 1), columns(n - 1);
    for (std::size_t i = 0; i < n; ++i) {
      targets.data()[i * k + i] = 1;
      if (i == 0) continue;
      rows.data()[i - 1] = static_cast<std::int64_t>(i - 1);
      columns.data()[i - 1] = static_cast<std::int64_t>(k - 1);
    }
    ranking.begin({anchors.data(), n, candidates.data(), k, rows.data(), columns.data(), n - 1,
                   shape.targets ? targets.data() : nullptr, gradients.data()});
    in_lanes(shape.lanes, ranking.candidate_panels(),
             [&](std::size_t, std::size_t first, std::size_t last) { ranking.pack(first, last); });
    in_lanes(shape.lanes, n, [&](std::size_t lane, std::size_t first, std::size_t last) {
      if (first < last) ranking.forward(lane, first, last);
    });
    if (shape.symmetric) {
      ranking.meet();
      in_lanes(shape.lanes, n, [&](std::size_t lane, std::size_t, std::size_t) { ranking.backward(lane); });
    }
    in_lanes(shape.lanes, k, [&](std::size_t, std::size_t first, std::size_t last) { ranking.finish(first, last); });
    for (const double loss : ranking.losses()) found.push_back(static_cast<float>(loss));
    found.insert(found.end(), gradients.data(), gradients.data() + gradients.size());
  }
  for (const float one : found) require(std::isfinite(one), "a loss or a gradient is no number");
  return found;
}

std::vector<float> products(const Kernels& kernels, std::size_t n, std::size_t k, std::size_t dim) {
  std::mt19937 random(2);
  Floats left(n * dim), right(k * dim), out(n * k);
  fill(left, random);
  fill(right, random);
  dot_products(kernels, {left.data(), n}, {right.data(), k}, dim, out.data(), k);
  for (std::size_t i = 0; i < n * k; ++i) {
    double wanted = 0;
    for (std::size_t d = 0; d < dim; ++d) wanted += left.data()[i / k * dim + d] * right.data()[i % k * dim + d];
    require(std::abs(out.data()[i] - wanted) < 1e-3, "a product is wrong");
  }
  return {out.data(), out.data() + n * k};
}

// A step of Adam on every other row, with and without weights; texts as bags have them.
std::vector<float> stepped(const Kernels& kernels, std::size_t dim, bool weighted) {
  constexpr std::int32_t kIds[] = {0, 2, 2, 4, 0, 4, 4};
  constexpr std::int64_t kOffsets[] = {0, 3, 3, 7};  // the second text is empty
  CountsOfTokens counts;
  if (weighted) counts = {{4, 2}, {3, 1}};
  TokenBags bags = bags_of({kIds, kOffsets, 3}, counts);
  std::mt19937 random(3);
  Floats table(5 * dim), first(5 * dim), second(5 * dim), gradients(3 * dim);
  fill(table, random);
  fill(gradients, random);
  const std::vector<float> before(table.data(), table.data() + table.size());
  for (int step = 0; step < 3; ++step)
    kernels.adam({table.data(), first.data(), second.data(), dim, bags.rows.data(), bags.row_offsets.data(),
                  bags.rows.size(), bags.texts.data(), weighted ? bags.by_token.data() : nullptr, gradients.data(),
                  0.1f, 0.999f, 0.001f, 0.1f, 1e-8f});
  std::vector<float> found(table.data(), table.data() + table.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    require((i / dim % 2 == 0) == (found[i] != before[i]), "another row has changed, or one of these has not");
  found.insert(found.end(), second.data(), second.data() + second.size());
  return found;
}

std::vector<const Kernels*> all() {
  std::vector<const Kernels*> made;
#ifdef PUMICE_X86
  const Kernels* const best = kernels();
  if (best == &kAvx512Kernels) made.push_back(best);
  if (best != nullptr) made.push_back(&kAvx2Kernels);
#endif
  return made;
}

template <class Work>
void same_of_all(const Work& work) {
  std::vector<std::vector<float>> found;
  for (const Kernels* one : all()) found.push_back(work(*one));
  for (const std::vector<float>& one : found) require(one == found[0], "two instruction sets differ");
}

}  // namespace

int main() {
  const std::vector<std::vector<std::size_t>> dims = {{1}, {7}, {33}, {16, 32}, {5, 31, 64, 100}};
  const std::size_t sizes[][2] = {{1, 1}, {1, 40}, {9, 9}, {33, 64}, {130, 135}, {257, 600}};
  for (const auto& [n, k] : sizes) {
    for (const std::vector<std::size_t>& prefixes : dims) {
      for (int form = 0; form < 4; ++form)
        same_of_all([&, n = n, k = k](const Kernels& kernels) {
          return ranked(kernels, {n, k, prefixes, form % 2 == 1, form / 2 == 1, form == 3 ? 1u : 3u});
        });
      same_of_all([&, n = n, k = k](const Kernels& kernels) { return products(kernels, n, k, prefixes.back()); });
    }
  }
  for (const std::size_t dim : {1, 8, 15, 16, 31, 65, 256, 333})
    for (const bool weighted : {false, true})
      same_of_all([&](const Kernels& kernels) { return stepped(kernels, dim, weighted); });
  std::printf("training: %zu instruction sets\n", all().size());
}
