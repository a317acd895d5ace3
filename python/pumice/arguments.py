"""What encode takes, checked: texts, dtype, threads, and an array to write to."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import InputError

VECTOR_DTYPES = ("float32", "float16", "int8", "binary")
"""In the order of pumice_vector_type."""
_BINARY = VECTOR_DTYPES.index("binary")
_FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
_NUMPY_DTYPES = tuple(np.dtype("uint8" if name == "binary" else name) for name in VECTOR_DTYPES)


def checked_dtype(dtype: str) -> int:
    """The number of a vector type; InputError for one that does not exist."""
    if dtype not in VECTOR_DTYPES:
        raise InputError(f"dtype={dtype!r} is not one of {', '.join(VECTOR_DTYPES)}")
    return VECTOR_DTYPES.index(dtype)


def checked_threads(threads: int | None) -> int:
    """A number of threads, 0 for as many as there are processors."""
    if threads is None:
        return 0
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024:
        raise InputError(f"threads={threads!r} is not a whole number from 1 to 1024")
    return threads


def checked_count(name: str, count: int) -> int:
    """A positive whole number."""
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
        raise InputError(f"{name}={count!r} is not a positive whole number")
    return int(count)


def listed(texts: Any) -> Sequence[str]:
    """Texts as a list or tuple, an Arrow column's copied; what they are is left to whoever reads them.

    Without the GIL a list is copied: another thread may change it between two uses.
    """
    if is_arrow(texts):
        to_list = getattr(texts, "to_pylist", None) or texts.to_list
        strings: list[str] = to_list()
        return strings
    refused = (bytes, bytearray, dict, set, frozenset)
    scalar = getattr(texts, "shape", None) == ()
    if isinstance(texts, refused) or not isinstance(texts, Iterable) or scalar:
        raise InputError(
            f"texts is {type(texts).__name__}: pass a str, a sequence of str, or an Arrow string column"
        )
    if isinstance(texts, tuple) or (isinstance(texts, list) and not _FREE_THREADED):
        return texts
    return tuple(texts) if isinstance(texts, list) else list(texts)


def check_string(text: Any, *, name: str) -> None:
    """InputError unless ``text`` is one str that UTF-8 can carry."""
    if not isinstance(text, str):
        raise InputError(f"{name} is {type(text).__name__}, not str: pass strings only")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{name} holds a lone surrogate, which UTF-8 cannot carry: "
            'clean it with text.encode("utf-8", "replace").decode()'
        ) from None


def check_strings(texts: Iterable[Any], *, first: int = 0) -> None:
    """InputError naming the position, counted from ``first``, of what is not a str or not UTF-8."""
    for position, text in enumerate(texts, start=first):
        check_string(text, name=f"texts[{position}]")


def is_arrow(texts: Any) -> bool:
    """Whether ``texts`` can hand its strings over through the Arrow C interface."""
    return hasattr(texts, "__arrow_c_stream__") or hasattr(texts, "__arrow_c_array__")


def coded(vectors: NDArray[np.float32], *, kind: int) -> NDArray[Any]:
    """Vectors of shape (n, dim) normalised, as the core writes a vector type; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(lengths > 0, lengths, np.float32(1))
    name = VECTOR_DTYPES[kind]
    if name == "binary":
        return np.packbits(units > 0, axis=1)
    if name == "int8":
        largest = np.abs(units).max(axis=1, keepdims=True, initial=0)
        units *= 127 / np.where(largest > 0, largest, np.float32(1))
        np.rint(units, out=units)
    return np.ascontiguousarray(units.astype(_NUMPY_DTYPES[kind]))


def room(
    count: int | None, *, dim: int, kind: int, out: NDArray[Any] | None = None
) -> NDArray[Any]:
    """``out``, or a new array, for ``count`` vectors of ``dim`` dimensions (None: for one, without an axis).

    InputError where ``out`` is not a writable C-contiguous array of just that shape and dtype.
    """
    width = (dim + 7) // 8 if kind == _BINARY else dim
    shape = (width,) if count is None else (count, width)
    dtype = _NUMPY_DTYPES[kind]
    if out is None:
        return np.empty(shape, dtype)
    wanted = f"pass a writable, C-contiguous numpy array of shape {shape} and dtype {dtype}"
    if not isinstance(out, np.ndarray):
        raise InputError(f"out is {type(out).__name__}: {wanted}")
    if out.shape != shape or out.dtype != dtype:
        raise InputError(f"out has shape {out.shape} and dtype {out.dtype}: {wanted}")
    if not out.flags.c_contiguous or not out.flags.writeable:
        fault = "read-only" if out.flags.c_contiguous else "not C-contiguous"
        raise InputError(f"out is {fault}: {wanted}")
    return out
