// The native module pumice._core: converts, releases the GIL, calls the core, maps the error.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <string>
#include <vector>

#include "double_array_build.h"
#include "mining.h"
#include "normalized.h"
#include "parallel.h"
#include "pumice.h"
#include "result_pages.h"
#include "run_table.h"
#include "spans.h"
#include "terms.h"
#include "texts.h"
#include "token_borders.h"
#include "token_parts.h"
#include "training.h"

namespace nb = nanobind;

namespace pumice {
namespace {

using Bytes = nb::ndarray<std::uint8_t, nb::c_contig, nb::device::cpu>;
using Ids = nb::ndarray<const std::uint32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Offsets = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

[[noreturn]] void raise_status(pumice_status status, std::size_t position) {
  const bool of_text = status == PUMICE_INVALID_UTF8;
  const std::string subject = of_text ? "texts[" + std::to_string(position) + "]: " : "";
  raise(of_text || status == PUMICE_BAD_ARGUMENT ? "InputError" : "ModelFileError",
        (subject + pumice_status_message(status)).c_str());
}

// A model file in a Python buffer (an mmap, or bytes), opened in place.
class Model {
 public:
  explicit Model(nb::handle file) {
    if (PyObject_GetBuffer(file.ptr(), &buffer_, PyBUF_SIMPLE) != 0) throw nb::python_error();
    memory_ = std::make_unique<Cell[]>((pumice_model_size() + sizeof(Cell) - 1) / sizeof(Cell));
    const pumice_status status =
        pumice_open(buffer_.buf, static_cast<std::size_t>(buffer_.len), memory_.get(), pumice_model_size(), &model_);
    if (status != PUMICE_OK) {
      PyBuffer_Release(&buffer_);
      raise_status(status, 0);
    }
    workers_ = std::make_unique<Workers>(model_);
  }
  ~Model() { PyBuffer_Release(&buffer_); }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  nb::dict describe() const {
    const pumice_info info = pumice_describe(model_);
    nb::dict out;
    out["dimensions"] = info.dimensions;
    out["tokens"] = info.tokens;
    out["rows"] = info.rows;
    out["row_type"] = info.row_type;
    out["tokenizer"] = info.tokenizer;
    out["unknown_id"] = optional(info.unknown_id);
    out["drops_unknown"] = info.drops_unknown != 0;
    out["normalizes"] = info.normalizes != 0;
    out["max_tokens"] = optional(info.max_tokens);
    out["max_chars"] = optional(info.max_chars);
    out["multiplier_unit"] = info.multiplier_unit;
    return out;
  }

  std::optional<std::pair<std::size_t, std::size_t>> section(std::uint32_t kind) const {
    const void* bytes = nullptr;
    std::size_t size = 0;
    if (!pumice_section(model_, kind, &bytes, &size)) return std::nullopt;
    return std::pair(static_cast<std::size_t>(static_cast<const char*>(bytes) - static_cast<const char*>(buffer_.buf)),
                     size);
  }

  void encode(nb::handle sequence, std::uint32_t dim, int type, unsigned threads, Bytes out) const {
    const Sequence items(sequence);
    check_room(out, items.size(), dim, type);
    Texts texts;
    texts.views.reserve(items.size());
    const Share encode = encoder(texts.views.data(), dim, type, out);
    // The first texts are encoded while the others are read.
    Crew crew(*workers_, encode, threads);
    items.read(texts, [&crew](std::string_view text) { crew.add(text); });
    if (texts.views.size() < items.size()) {  // a signal's handler did that
      raise("InputError", "texts became shorter while they were read: pass a list that nothing else changes");
    }
    finish(crew);
  }

  nb::object encode_arrow(nb::handle column, std::uint32_t dim, int type, unsigned threads,
                          nb::callable allocate) const {
    const Texts texts = texts_of_arrow(column);
    nb::object array = allocate(texts.views.size());
    const Bytes out = nb::cast<Bytes>(array, false);
    check_room(out, texts.views.size(), dim, type);
    run_shares(texts.views, threads, encoder(texts.views.data(), dim, type, out));
    return array;
  }

  void encode_one(nb::handle text, std::uint32_t dim, int type, Bytes out) const {
    const std::string_view view = utf8_of(text, -1);
    check_room(out, 1, dim, type);
    const auto encode = [&](Scratch& scratch) {
      return pumice_encode(scratch.worker(), view.data(), view.size(), dim, vector_type(type), out.data());
    };
    pumice_status status = PUMICE_OK;
    const auto work = [&] {
      const Borrowed scratch(*workers_);
      do status = encode(*scratch);
      while (status == PUMICE_MEMORY_TOO_SMALL && scratch->grow());
    };
    if (view.size() < kShort) {
      work();  // done before another thread could have had the GIL
    } else {
      nb::gil_scoped_release released;
      work();
    }
    if (status != PUMICE_OK) raise_status(status, 0);
  }

  std::vector<std::vector<std::uint32_t>> tokenize(nb::handle sequence, unsigned threads) const {
    const Texts texts = texts_of_sequence(sequence);
    std::vector<std::vector<std::uint32_t>> ids(texts.views.size());
    run(texts.views, threads, [&](pumice_worker* worker, std::size_t i) {
      const std::string_view text = texts.views[i];
      std::size_t count = 0;
      pumice_status status = pumice_tokenize(worker, text.data(), text.size(), nullptr, 0, &count);
      if (status != PUMICE_OK) return status;
      ids[i].resize(count);
      return pumice_tokenize(worker, text.data(), text.size(), ids[i].data(), count, &count);
    });
    return ids;
  }

  SpanTable token_spans(nb::handle text) const {
    const std::vector<std::string_view> views{utf8_of(text, -1)};
    std::vector<pumice_token> tokens;
    run(views, 1, [&](pumice_worker* worker, std::size_t) { return read_spans(worker, views[0], tokens); });
    return span_table(views[0], tokens);
  }

  void pool(Ids ids, Offsets offsets, std::uint32_t dim, int type, Bytes out) const {
    const std::size_t count = offsets.shape(0) == 0 ? 0 : offsets.shape(0) - 1;
    std::vector<std::string_view> spans;
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t begin = offsets(i), end = offsets(i + 1);
      if (begin < 0 || end < begin || static_cast<std::size_t>(end) > ids.shape(0))
        raise_status(PUMICE_BAD_ARGUMENT, i);
      spans.emplace_back(reinterpret_cast<const char*>(ids.data() + begin), 4 * static_cast<std::size_t>(end - begin));
    }
    check_room(out, count, dim, type);
    const std::size_t width = pumice_vector_size(dim, vector_type(type));
    run(spans, 0, [&](pumice_worker* worker, std::size_t i) {
      return pumice_pool(worker, reinterpret_cast<const std::uint32_t*>(spans[i].data()), spans[i].size() / 4, dim,
                         vector_type(type), out.data() + i * width);
    });
  }

 private:
  static constexpr std::size_t kShort = 4096;  // bytes; some 20 µs
  // Bytes of a result that processors' caches may hold until it is read.
  static constexpr std::size_t kCached = std::size_t{4} << 20;

  struct alignas(PUMICE_ALIGNMENT) Cell {
    std::uint8_t bytes[PUMICE_ALIGNMENT];
  };

  static nb::object optional(std::uint32_t value) {
    return value == UINT32_MAX ? nb::object(nb::none()) : nb::object(nb::int_(value));
  }

  static std::uint32_t vector_type(int type) { return static_cast<std::uint32_t>(type); }

  static void check_room(const Bytes& out, std::size_t count, std::uint32_t dim, int type) {
    const bool known = type >= PUMICE_VECTOR_F32 && type <= PUMICE_VECTOR_BINARY;
    if (!known || out.size() != count * pumice_vector_size(dim, vector_type(type)))
      raise_status(PUMICE_BAD_ARGUMENT, 0);
  }

  // Encodes shares of `texts`.
  static Share encoder(const std::string_view* texts, std::uint32_t dim, int type, const Bytes& out) {
    const std::size_t width = pumice_vector_size(dim, vector_type(type));
    const std::uint32_t kind = vector_type(type) | (out.size() > kCached ? PUMICE_PAST_CACHES : 0);
    std::uint8_t* const first = out.data();
    const auto pages = std::make_shared<ResultPages>(first, out.size());
    return [=](pumice_worker* worker, std::size_t begin, std::size_t end, std::size_t* done) {
      std::vector<pumice_text> share(end - begin);
      for (std::size_t i = begin; i < end; ++i) share[i - begin] = {texts[i].data(), texts[i].size()};
      pages->before(end * width);
      return pumice_encode_many(worker, share.data(), share.size(), dim, kind, first + begin * width, done);
    };
  }

  // Calls `work(worker, i)` for every text.
  template <class Work>
  void run(const std::vector<std::string_view>& texts, unsigned threads, Work work) const {
    run_shares(texts, threads, [&](pumice_worker* worker, std::size_t begin, std::size_t end, std::size_t* done) {
      for (*done = 0; begin + *done < end; ++*done) {
        const pumice_status status = work(worker, begin + *done);
        if (status != PUMICE_OK) return status;
      }
      return PUMICE_OK;
    });
  }

  void run_shares(const std::vector<std::string_view>& texts, unsigned threads, const Share& work) const {
    Crew crew(*workers_, work, threads);
    for (const std::string_view text : texts) crew.add(text);
    finish(crew);
  }

  // Every text is added.
  static void finish(Crew& crew) {
    Failure failure;
    {
      nb::gil_scoped_release released;
      failure = crew.finish([] {
        const nb::gil_scoped_acquire held;
        return PyErr_CheckSignals() != 0;  // runs Python's handlers on the main thread; elsewhere it is nothing
      });
    }
    if (failure.interrupted) throw nb::python_error();
    if (failure.status != PUMICE_OK) raise_status(failure.status, failure.position);
  }

  Py_buffer buffer_{};
  std::unique_ptr<Cell[]> memory_;
  const pumice_model* model_ = nullptr;
  std::unique_ptr<Workers> workers_;
};

nb::bytes double_array(const std::vector<nb::bytes>& keys, const std::vector<std::uint32_t>& values,
                       bool near_parents) {
  if (keys.size() != values.size()) throw std::invalid_argument("as many values as keys are needed");
  std::vector<TrieKey> pairs;
  pairs.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) pairs.push_back({{keys[i].c_str(), keys[i].size()}, values[i]});
  const auto units = build_double_array(pairs, near_parents);
  return nb::bytes(units.data(), units.size() * sizeof(units[0]));
}

std::string_view view(const nb::bytes& bytes) { return {bytes.c_str(), bytes.size()}; }

nb::bytes bpe_token_parts(const nb::bytes& model, const nb::bytes& vocabulary, const std::vector<nb::bytes>& texts,
                          const std::vector<std::uint32_t>& ids) {
  std::vector<std::string_view> views;
  views.reserve(texts.size());
  for (const nb::bytes& text : texts) views.push_back(view(text));
  std::vector<std::uint32_t> words;
  {
    const nb::gil_scoped_release released;
    words = token_parts(view(model), view(vocabulary), views, ids);
  }
  return nb::bytes(words.data(), words.size() * sizeof(words[0]));
}

nb::bytes bpe_token_borders(const nb::bytes& model, const nb::bytes& parts) {
  std::vector<TokenBorders> borders;
  {
    const nb::gil_scoped_release released;
    borders = token_borders(view(model), view(parts));
  }
  return nb::bytes(borders.data(), borders.size() * sizeof(borders[0]));
}

nb::bytes normalize_bytes(const nb::bytes& program, const nb::bytes& text) {
  const std::string result = normalized(view(program), view(text));
  return nb::bytes(result.data(), result.size());
}

}  // namespace
}  // namespace pumice

// Nothing here relies on the GIL, so the module also serves free-threaded Python: a Model is immutable, a call's
// strings are in a tuple of its own (where there is a GIL they are held one by one as the list is read), an Arrow
// stream is made for the call, the result's buffer is exported while it is written, and helper threads never touch
// Python. PyUnicode_AsUTF8AndSize races with itself on one str before CPython 3.13.2 (gh-128013); free-threaded wheels
// begin at 3.14.
NB_MODULE(_core, m) {
  using pumice::Model;
  // A model that lives until the interpreter ends is no leak worth a warning on standard error.
  nb::set_leak_warnings(false);
  m.doc() = "The native core of pumice; use the package's own classes.";
  nb::class_<Model>(m, "Model")
      .def(nb::init<nb::handle>(), nb::arg("file"))
      .def("describe", &Model::describe)
      .def("section", &Model::section, nb::arg("kind"))
      .def("encode", &Model::encode, nb::arg("texts"), nb::arg("dim"), nb::arg("kind"), nb::arg("threads"),
           nb::arg("out").noconvert())
      .def("encode_arrow", &Model::encode_arrow, nb::arg("column"), nb::arg("dim"), nb::arg("kind"), nb::arg("threads"),
           nb::arg("allocate"))
      .def("encode_one", &Model::encode_one, nb::arg("text"), nb::arg("dim"), nb::arg("kind"),
           nb::arg("out").noconvert())
      .def("tokenize", &Model::tokenize, nb::arg("texts"), nb::arg("threads"))
      .def("token_spans", &Model::token_spans, nb::arg("text"))
      .def("pool", &Model::pool, nb::arg("ids"), nb::arg("offsets"), nb::arg("dim"), nb::arg("kind"),
           nb::arg("out").noconvert());
  nb::class_<pumice::RunTable>(m, "RunTable")
      .def(nb::init<>())
      .def("read", &pumice::read_terms, nb::arg("texts"), nb::arg("look_up"), nb::arg("k1"), nb::arg("b"),
           nb::arg("average"));
  pumice::add_mining(m);
  pumice::training::add_training(m);
  m.def("double_array", &pumice::double_array, nb::arg("keys"), nb::arg("values"), nb::arg("near_parents"));
  m.def("bpe_token_parts", &pumice::bpe_token_parts, nb::arg("model"), nb::arg("vocabulary"), nb::arg("texts"),
        nb::arg("ids"));
  m.def("bpe_token_borders", &pumice::bpe_token_borders, nb::arg("model"), nb::arg("parts"));
  m.def("normalize", &pumice::normalize_bytes, nb::arg("program"), nb::arg("text"));
}
