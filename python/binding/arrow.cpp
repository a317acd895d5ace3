// Where the UTF-8 bytes of an Arrow string column lie (the Arrow C data and stream interfaces).
#include <cstdint>
#include <cstring>
#include <string>

#include "texts.h"

namespace nb = nanobind;

// The structures of https://arrow.apache.org/docs/format/CDataInterface.html, an ABI that never changes.
extern "C" {
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  ArrowSchema** children;
  ArrowSchema* dictionary;
  void (*release)(ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  ArrowArray** children;
  ArrowArray* dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};
struct ArrowArrayStream {
  int (*get_schema)(ArrowArrayStream*, ArrowSchema*);
  int (*get_next)(ArrowArrayStream*, ArrowArray*);
  const char* (*get_last_error)(ArrowArrayStream*);
  void (*release)(ArrowArrayStream*);
  void* private_data;
};
}

namespace pumice {
namespace {

template <class T>
struct Released {
  T value{};
  ~Released() {
    if (value.release != nullptr) value.release(&value);
  }
};

enum class Layout { kOffsets32, kOffsets64, kViews };

Layout layout_of(const ArrowSchema& schema) {
  const std::string format = schema.format ? schema.format : "";
  if (schema.dictionary == nullptr) {
    if (format == "u") return Layout::kOffsets32;
    if (format == "U") return Layout::kOffsets64;
    if (format == "vu") return Layout::kViews;
  }
  if (format == "+s") raise("InputError", "texts is a table: pass one of its columns, such as table[\"text\"]");
  if (schema.dictionary != nullptr) {
    raise("InputError", "the Arrow column is dictionary-encoded (categorical), not a string type: cast it to string");
  }
  raise("InputError", ("the Arrow column has type \"" + format +
                       "\", not a string type: cast it to string, large_string or string_view")
                          .c_str());
}

[[noreturn]] void raise_damaged() {
  raise("InputError", "the Arrow column is damaged: its lengths, buffers or offsets contradict each other");
}

bool is_null(const ArrowArray& array, int64_t i) {
  const auto* valid = static_cast<const std::uint8_t*>(array.buffers[0]);
  return array.null_count != 0 && valid != nullptr && (valid[i / 8] >> (i % 8) & 1) == 0;
}

template <class Offset>
std::string_view by_offset(const ArrowArray& array, int64_t i) {
  const auto* offsets = static_cast<const Offset*>(array.buffers[1]);
  const auto* bytes = static_cast<const char*>(array.buffers[2]);
  if (offsets[i] < 0 || offsets[i + 1] < offsets[i]) raise_damaged();
  if (bytes == nullptr && offsets[i + 1] != offsets[i]) raise_damaged();
  return {bytes + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i])};
}

// A view is 16 bytes: a length, then up to 12 bytes in place, or a prefix, a buffer's index and an offset.
std::string_view by_view(const ArrowArray& array, int64_t i) {
  const auto* view = static_cast<const char*>(array.buffers[1]) + 16 * i;
  std::int32_t length, buffer, offset;
  std::memcpy(&length, view, 4);
  if (length < 0) raise_damaged();
  if (length <= 12) return {view + 4, static_cast<std::size_t>(length)};
  std::memcpy(&buffer, view + 8, 4);
  std::memcpy(&offset, view + 12, 4);
  // The last buffer holds the sizes of the data buffers, which lie between it and the views.
  const int64_t count = array.n_buffers - 3;
  const auto* sizes = static_cast<const int64_t*>(array.buffers[array.n_buffers - 1]);
  if (buffer < 0 || buffer >= count || offset < 0 || sizes[buffer] - offset < length) raise_damaged();
  const auto* bytes = static_cast<const char*>(array.buffers[2 + buffer]);
  if (bytes == nullptr) raise_damaged();
  return {bytes + offset, static_cast<std::size_t>(length)};
}

// What can be seen of an array without trusting it. How long its buffers are cannot: the interface does not say.
void check_shape(const ArrowArray& array, Layout layout) {
  constexpr int64_t kMost = INT64_MAX / 16 - 1;  // so that no place in a buffer overflows
  const bool counts = array.length >= 0 && array.offset >= 0 && array.offset <= kMost - array.length;
  const bool buffers = layout == Layout::kViews ? array.n_buffers >= 3 : array.n_buffers == 3;
  if (!counts || !buffers || array.buffers == nullptr) raise_damaged();
  if (array.length > 0 && array.buffers[1] == nullptr) raise_damaged();
  if (layout == Layout::kViews && array.n_buffers > 3 && array.buffers[array.n_buffers - 1] == nullptr) raise_damaged();
}

void add_views(const ArrowArray& array, Layout layout, std::vector<std::string_view>& views) {
  check_shape(array, layout);
  views.reserve(views.size() + static_cast<std::size_t>(array.length));
  for (int64_t i = array.offset; i < array.offset + array.length; ++i) {
    if (is_null(array, i)) {
      raise("InputError", ("texts[" + std::to_string(views.size()) + "] is null: fill or drop nulls first").c_str());
    }
    views.push_back(layout == Layout::kOffsets32   ? by_offset<std::int32_t>(array, i)
                    : layout == Layout::kOffsets64 ? by_offset<std::int64_t>(array, i)
                                                   : by_view(array, i));
  }
}

[[noreturn]] void raise_consumed() {
  raise("InputError", "the Arrow column was read before: pass a fresh one, a capsule is used once");
}

// Takes over the array in `source`, as the interface asks: copy the structure, mark the source released.
std::shared_ptr<void> take(ArrowArray& source) {
  if (source.release == nullptr) raise_consumed();
  auto owned = std::make_shared<Released<ArrowArray>>();
  owned->value = source;
  source.release = nullptr;
  return owned;
}

const ArrowArray& array_in(const std::shared_ptr<void>& owner) {
  return static_cast<Released<ArrowArray>*>(owner.get())->value;
}

void* pointer_in(nb::handle capsule, const char* name) {
  void* pointer = PyCapsule_GetPointer(capsule.ptr(), name);
  if (pointer == nullptr) throw nb::python_error();
  return pointer;
}

void read_stream(ArrowArrayStream& stream, Texts& texts) {
  if (stream.release == nullptr) raise_consumed();
  const auto check = [&stream](int code) {
    if (code == 0) return;
    const char* why = stream.get_last_error(&stream);
    raise("InputError", (std::string("the Arrow column cannot be read: ") + (why ? why : "unknown error")).c_str());
  };
  Released<ArrowSchema> schema;
  check(stream.get_schema(&stream, &schema.value));
  const Layout layout = layout_of(schema.value);
  while (true) {
    Released<ArrowArray> next;
    check(stream.get_next(&stream, &next.value));
    if (next.value.release == nullptr) return;
    texts.columns.push_back(take(next.value));
    add_views(array_in(texts.columns.back()), layout, texts.views);
  }
}

}  // namespace

Texts texts_of_arrow(nb::handle column) {
  Texts texts;
  if (nb::hasattr(column, "__arrow_c_stream__")) {
    texts.exported = column.attr("__arrow_c_stream__")();
    read_stream(*static_cast<ArrowArrayStream*>(pointer_in(texts.exported, "arrow_array_stream")), texts);
    return texts;
  }
  nb::tuple pair = nb::cast<nb::tuple>(column.attr("__arrow_c_array__")());
  texts.exported = pair;
  const auto& schema = *static_cast<ArrowSchema*>(pointer_in(pair[0], "arrow_schema"));
  if (schema.release == nullptr) raise_consumed();
  const Layout layout = layout_of(schema);
  texts.columns.push_back(take(*static_cast<ArrowArray*>(pointer_in(pair[1], "arrow_array"))));
  add_views(array_in(texts.columns.back()), layout, texts.views);
  return texts;
}

}  // namespace pumice
