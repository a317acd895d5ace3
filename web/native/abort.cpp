// What libc++ calls where a precondition fails: a trap, in place of a message that would bring in printf and WASI.
namespace std {
inline namespace __1 {
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) noexcept { __builtin_trap(); }
}  // namespace __1
}  // namespace std
