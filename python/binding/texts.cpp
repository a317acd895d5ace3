// Where the UTF-8 bytes of a call's texts lie in Python strings.
#include "texts.h"

#include <string>

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

Texts texts_of_sequence(nb::handle sequence) {
  Texts texts;
  texts.strings = nb::steal(PySequence_Tuple(sequence.ptr()));
  if (!texts.strings.is_valid()) throw nb::python_error();
  const Py_ssize_t count = PyTuple_Size(texts.strings.ptr());
  texts.views.reserve(static_cast<std::size_t>(count));
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (i % kBetweenPolls == kBetweenPolls - 1 && PyErr_CheckSignals() != 0) throw nb::python_error();
    texts.views.push_back(utf8_of(PyTuple_GetItem(texts.strings.ptr(), i), i));
  }
  return texts;
}

}  // namespace pumice
