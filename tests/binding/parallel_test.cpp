// Many calls at once of the binding's Crew over one model's workers; built with -fsanitize=thread.
#include "../../python/binding/parallel.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../../core/tests/model_in_memory.h"

namespace {

constexpr std::size_t kTexts = 400;
constexpr unsigned kCallers = 3;
constexpr unsigned kRounds = 5;

// Texts of many lengths, which fill several shares; some need more scratch than a worker begins with.
std::vector<std::string> make_texts() {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < kTexts; ++i) {
    std::string text;
    while (text.size() < (i % 50 == 0 ? 20000 : 10 * (i % 40))) text += "the word " + std::to_string(i * text.size());
    texts.push_back(text);
  }
  return texts;
}

struct Job {
  const pumice_model* model;
  pumice::Workers* workers;
  const std::vector<std::string_view>* texts;
};

using Texts = std::vector<std::string_view>;

pumice::Failure for_each_share(pumice::Workers& workers, const Texts& texts, unsigned threads,
                               const pumice::Share& work, bool interrupted = false) {
  pumice::Crew crew(workers, work, threads);
  for (const std::string_view text : texts) crew.add(text);
  return crew.finish([interrupted] { return interrupted; });
}

// Texts that are written down while others are worked on, as the binding reads them from Python; `finished`: all of
// them, else half, and no more are waited for.
pumice::Failure while_they_come(const Job& job, unsigned threads, const Texts& texts, bool finished) {
  Texts views;
  views.reserve(texts.size());
  const std::string_view* const first = views.data();
  std::atomic<std::size_t> done{0};
  const pumice::Share work = [&](pumice_worker* worker, std::size_t begin, std::size_t end, std::size_t* count) {
    for (*count = 0; begin + *count < end; ++*count) {
      const std::string_view text = first[begin + *count];
      std::size_t ids = 0;
      const pumice_status status = pumice_tokenize(worker, text.data(), text.size(), nullptr, 0, &ids);
      if (status != PUMICE_OK) return status;
    }
    done += end - begin;
    return PUMICE_OK;
  };
  pumice::Failure failure;
  {
    pumice::Crew crew(*job.workers, work, threads);
    for (std::size_t i = 0; i < (finished ? texts.size() : texts.size() / 2); ++i) {
      if (i % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      views.push_back(texts[i]);
      crew.add(views.back());
    }
    if (finished) failure = crew.finish([] { return false; });
  }
  if (finished && failure.status == PUMICE_OK && done != texts.size()) failure.status = PUMICE_BAD_ARGUMENT;
  return failure;
}

// The vectors of all texts, on `threads` threads; empty where one failed.
std::vector<float> encode(const Job& job, unsigned threads) {
  const std::uint32_t dim = pumice_describe(job.model).dimensions;
  std::vector<float> vectors(dim * job.texts->size());
  const auto work = [&](pumice_worker* worker, std::size_t begin, std::size_t end, std::size_t* done) {
    std::vector<pumice_text> share;
    for (std::size_t i = begin; i < end; ++i) share.push_back({(*job.texts)[i].data(), (*job.texts)[i].size()});
    float* out = vectors.data() + begin * dim;
    return pumice_encode_many(worker, share.data(), share.size(), dim, PUMICE_VECTOR_F32, out, done);
  };
  const auto failure = for_each_share(*job.workers, *job.texts, threads, work);
  if (failure.status != PUMICE_OK || failure.interrupted) vectors.clear();
  return vectors;
}

// Of texts that are not UTF-8 the first is reported, whichever thread met it.
bool reports_the_first(const Job& job, std::vector<std::string_view> texts) {
  for (const std::size_t at : {kTexts - 1, kTexts / 2, kTexts / 3}) texts[at] = "\xFF";
  const auto work = [&](pumice_worker* worker, std::size_t begin, std::size_t end, std::size_t* done) {
    pumice_status status = PUMICE_OK;
    for (*done = 0; begin + *done < end; ++*done) {
      const std::string_view text = texts[begin + *done];
      std::size_t count = 0;
      status = pumice_tokenize(worker, text.data(), text.size(), nullptr, 0, &count);
      if (status != PUMICE_OK) break;
    }
    return status;
  };
  const auto failure = for_each_share(*job.workers, texts, 4, work);
  return failure.status == PUMICE_INVALID_UTF8 && failure.position == kTexts / 3;
}

bool stops_when_interrupted(const Job& job) {
  const auto slow = [](pumice_worker*, std::size_t begin, std::size_t end, std::size_t* done) {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    *done = end - begin;
    return PUMICE_OK;
  };
  return for_each_share(*job.workers, *job.texts, 2, slow, true).interrupted;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "parallel_test MODEL\n"), 2;
  const pumice::tests::ModelInMemory opened(argv[1]);
  const pumice_model* model = opened.model;
  if (model == nullptr) return 2;
  const std::vector<std::string> texts = make_texts();
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  pumice::Workers workers(model);
  const Job job{model, &workers, &views};

  const std::vector<float> wanted = encode(job, 1);
  std::atomic<bool> same{!wanted.empty()};
  std::vector<std::thread> callers;
  for (unsigned i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, i] {
      for (unsigned round = 0; round < kRounds; ++round) {
        if (encode(job, 2 + i) != wanted) same = false;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  if (!same) return std::fprintf(stderr, "a call got other vectors\n"), 1;
  if (!reports_the_first(job, views)) return std::fprintf(stderr, "not the first failure was reported\n"), 1;
  if (!stops_when_interrupted(job)) return std::fprintf(stderr, "an interruption was overlooked\n"), 1;
  for (const unsigned threads : {1u, 2u, 5u}) {
    const bool all = while_they_come(job, threads, views, true).status == PUMICE_OK;
    while_they_come(job, threads, views, false);
    std::vector<std::string_view> broken = views;
    for (const std::size_t at : {kTexts - 1, kTexts / 3}) broken[at] = "\xFF";
    const auto failure = while_they_come(job, threads, broken, true);
    if (!all) return std::fprintf(stderr, "texts that came later were left out\n"), 1;
    if (failure.position != kTexts / 3) return std::fprintf(stderr, "not the first failure was reported\n"), 1;
  }
  std::printf("%zu texts, %u callers\n", views.size(), kCallers);
  return 0;
}
