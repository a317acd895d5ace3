// Where the UTF-8 bytes of a call's texts lie in Python strings.
#include "texts.h"

#include <string>

#include "prefetch.h"

namespace nb = nanobind;

namespace pumice {

void raise(const char* name, const char* message) {
  nb::object type = nb::module_::import_("pumice.errors").attr(name);
  PyErr_SetString(type.ptr(), message);
  throw nb::python_error();
}

namespace {

constexpr Py_ssize_t kBetweenPolls = 1 << 16;  // strings

std::string place(Py_ssize_t position) {
  return position < 0 ? std::string("the text") : "texts[" + std::to_string(position) + "]";
}

}  // namespace

std::string_view utf8_of(nb::handle text, Py_ssize_t position) {
  if (!PyUnicode_Check(text.ptr())) {
    const std::string type = nb::str(text.type().attr("__name__")).c_str();
    raise("InputError", (place(position) + " is " + type + ", not str: pass strings only").c_str());
  }
  Py_ssize_t size = 0;
  const char* bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (bytes == nullptr) {
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) throw nb::python_error();
    PyErr_Clear();
    raise("InputError", (place(position) + " holds a lone surrogate, which UTF-8 cannot carry: clean it with "
                                           "text.encode(\"utf-8\", \"replace\").decode()")
                            .c_str());
  }
  return {bytes, static_cast<std::size_t>(size)};
}

Strings::~Strings() {
  for (std::size_t i = 0; i < held_.size(); ++i) {
    if (i + kAhead < held_.size()) prefetch(held_[i + kAhead]);
    Py_DecRef(held_[i]);
  }
}

Sequence::Sequence(nb::handle sequence) {
#ifdef Py_GIL_DISABLED
  const bool as_it_is = PyTuple_Check(sequence.ptr());  // another thread may change a list
#else
  const bool as_it_is = PyTuple_Check(sequence.ptr()) || PyList_Check(sequence.ptr());
#endif
  items_ = as_it_is ? nb::borrow(sequence) : nb::steal(PySequence_Tuple(sequence.ptr()));
  if (!items_.is_valid()) throw nb::python_error();
  const Py_ssize_t size = PyTuple_Check(items_.ptr()) ? PyTuple_Size(items_.ptr()) : PyList_Size(items_.ptr());
  size_ = static_cast<std::size_t>(size);
}

void Sequence::read(Texts& texts, const std::function<void(std::string_view)>& on_text) const {
  PyObject* const items = items_.ptr();
  const bool is_tuple = PyTuple_Check(items);
  // The size is asked for again: a signal's handler may have changed the list.
  const auto left = [&](Py_ssize_t i) { return i < (is_tuple ? PyTuple_Size(items) : PyList_Size(items)); };
  const auto item = [&](Py_ssize_t i) { return is_tuple ? PyTuple_GetItem(items, i) : PyList_GetItem(items, i); };
  texts.views.reserve(size_);
  texts.strings.reserve(size_);
  for (Py_ssize_t i = 0; i < static_cast<Py_ssize_t>(size_) && left(i); ++i) {
    if (i % kBetweenPolls == kBetweenPolls - 1) {
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      if (!left(i)) break;
    }
    constexpr auto kAhead = static_cast<Py_ssize_t>(Strings::kAhead);
    if (left(i + kAhead)) prefetch(item(i + kAhead));
    PyObject* text = item(i);
    texts.strings.hold(text);
    texts.views.push_back(utf8_of(text, i));
    on_text(texts.views.back());
  }
}

Texts texts_of_sequence(nb::handle sequence) {
  Texts texts;
  Sequence(sequence).read(texts, [](std::string_view) {});
  return texts;
}

}  // namespace pumice
