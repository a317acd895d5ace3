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

Texts texts_of_sequence(nb::handle sequence) {
#ifdef Py_GIL_DISABLED
  const bool as_it_is = PyTuple_Check(sequence.ptr());  // another thread may change a list
#else
  const bool as_it_is = PyTuple_Check(sequence.ptr()) || PyList_Check(sequence.ptr());
#endif
  const nb::object items = as_it_is ? nb::borrow(sequence) : nb::steal(PySequence_Tuple(sequence.ptr()));
  if (!items.is_valid()) throw nb::python_error();
  const bool is_tuple = PyTuple_Check(items.ptr());
  const auto size = [&] { return is_tuple ? PyTuple_Size(items.ptr()) : PyList_Size(items.ptr()); };
  const auto item = [&](Py_ssize_t i) {
    return is_tuple ? PyTuple_GetItem(items.ptr(), i) : PyList_GetItem(items.ptr(), i);
  };
  Texts texts;
  texts.views.reserve(static_cast<std::size_t>(size()));
  texts.strings.reserve(static_cast<std::size_t>(size()));
  // The size is asked for again: a signal's handler may have changed the list.
  for (Py_ssize_t i = 0; i < size(); ++i) {
    if (i % kBetweenPolls == kBetweenPolls - 1) {
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      if (i >= size()) break;
    }
    constexpr auto kAhead = static_cast<Py_ssize_t>(Strings::kAhead);
    if (i + kAhead < size()) prefetch(item(i + kAhead));
    PyObject* text = item(i);
    texts.strings.hold(text);
    texts.views.push_back(utf8_of(text, i));
  }
  return texts;
}

}  // namespace pumice
