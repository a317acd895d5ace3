// Where the UTF-8 bytes of a call's texts lie: Python strings or an Arrow string column, never copied.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace pumice {

// References to str objects, which a caller may take out of its list meanwhile. Strings lie all over the memory: while
// one is counted, the next are on their way.
class Strings {
 public:
  Strings() = default;
  Strings(Strings&& other) noexcept : held_(std::move(other.held_)) { other.held_.clear(); }
  Strings(const Strings&) = delete;
  Strings& operator=(const Strings&) = delete;
  ~Strings();

  static constexpr std::size_t kAhead = 16;

  void reserve(std::size_t count) { held_.reserve(count); }
  void hold(PyObject* text) {
    Py_IncRef(text);
    held_.push_back(text);
  }

 private:
  std::vector<PyObject*> held_;
};

// Views stay valid while the strings and columns live.
struct Texts {
  std::vector<std::string_view> views;
  Strings strings;
  nanobind::object exported;                   // the capsule or capsules of an Arrow column
  std::vector<std::shared_ptr<void>> columns;  // Arrow arrays, released with the last view
};

// A sequence of str, which is read text by text.
class Sequence {
 public:
  explicit Sequence(nanobind::handle sequence);

  std::size_t size() const { return size_; }

  // Adds the texts, with the room for all of them taken before: no view is moved. `on_text` is told of each. Raises
  // pumice.errors.InputError naming the position of what is not a str, or not UTF-8.
  void read(Texts& texts, const std::function<void(std::string_view)>& on_text) const;

 private:
  nanobind::object items_;  // a tuple or a list
  std::size_t size_;
};

// The same at once.
Texts texts_of_sequence(nanobind::handle sequence);

// An object with __arrow_c_stream__ or __arrow_c_array__ of strings (utf8, large_utf8, utf8_view).
Texts texts_of_arrow(nanobind::handle column);

// One str as UTF-8; `position` < 0: a single text.
std::string_view utf8_of(nanobind::handle text, Py_ssize_t position);

// Raises pumice.errors.NAME with a message.
[[noreturn]] void raise(const char* name, const char* message);

}  // namespace pumice
