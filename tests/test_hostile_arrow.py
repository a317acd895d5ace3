"""Arrow columns that contradict themselves are refused; buffers as short as nobody can see are trusted."""

from __future__ import annotations

import ctypes
import struct
from typing import Any

import pytest

import pumice
from pumice.errors import InputError
from tests.modelfile.test_container import tiny_parts

RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class Schema(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_char_p),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", RELEASE),
        ("private_data", ctypes.c_void_p),
    )


class Array(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.POINTER(ctypes.c_void_p)),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", RELEASE),
        ("private_data", ctypes.c_void_p),
    )


class Column:
    """A column of any shape; what it points to lives as long as it does."""

    def __init__(self, form: bytes, *buffers: bytes | None, **changes: Any) -> None:
        held = [None if b is None else ctypes.create_string_buffer(b, len(b)) for b in buffers]
        pointers = [None if b is None else ctypes.addressof(b) for b in held]
        release = RELEASE(lambda _: None)
        self.schema = Schema(format=form, release=release)
        self.array = Array(
            n_buffers=len(buffers),
            buffers=(ctypes.c_void_p * len(buffers))(*pointers),
            release=release,
        )
        for name, value in changes.items():
            setattr(self.array, name, value)
        self.held = held, release

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[Any, Any]:
        return (
            new_capsule(ctypes.addressof(self.schema), b"arrow_schema", None),
            new_capsule(ctypes.addressof(self.array), b"arrow_array", None),
        )


def offsets(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def view(length: int, buffer: int, offset: int) -> bytes:
    return struct.pack("<i4sii", length, b"abcd", buffer, offset)


TEXT = b"abcd" * 8
SIZES = struct.pack("<q", len(TEXT))
WHOLE = (None, offsets(0, 3, 4), b"a b ")

HOSTILE = {
    "negative-length": Column(b"u", *WHOLE, length=-1),
    "negative-offset": Column(b"u", *WHOLE, length=1, offset=-1),
    "offset-wraps": Column(b"u", *WHOLE, length=2, offset=2**63 - 1),
    "length-wraps": Column(b"u", *WHOLE, length=2**63 - 1),
    "few-buffers": Column(b"u", *WHOLE[:2], length=2),
    "no-buffers": Column(b"u", *WHOLE, length=2, buffers=None),
    "no-offsets": Column(b"u", None, None, b"a", length=1),
    "no-text": Column(b"u", None, offsets(0, 1), None, length=1),
    "falling": Column(b"u", None, offsets(3, 0), b"abcd", length=1),
    "negative": Column(b"u", None, offsets(-1, 0), b"abcd", length=1),
    "falling-64": Column(b"U", None, struct.pack("<2q", 3, 0), b"abcd", length=1),
    "view-negative": Column(b"vu", None, view(-1, 0, 0), TEXT, SIZES, length=1),
    "view-buffer": Column(b"vu", None, view(20, 1, 0), TEXT, SIZES, length=1),
    "view-buffer-negative": Column(b"vu", None, view(20, -1, 0), TEXT, SIZES, length=1),
    "view-past-end": Column(b"vu", None, view(20, 0, 13), TEXT, SIZES, length=1),
    "view-offset-negative": Column(b"vu", None, view(20, 0, -1), TEXT, SIZES, length=1),
    "view-no-sizes": Column(b"vu", None, view(20, 0, 0), TEXT, None, length=1),
    "view-no-text": Column(b"vu", None, view(20, 0, 0), None, SIZES, length=1),
    "view-few-buffers": Column(b"vu", None, view(20, 0, 0), length=1),
}


@pytest.fixture(scope="module")
def tiny() -> pumice.StaticModel:
    return pumice.StaticModel.from_parts(tiny_parts())


@pytest.mark.parametrize("name", HOSTILE)
def test_contradictions_are_refused(tiny: pumice.StaticModel, name: str) -> None:
    with pytest.raises(InputError, match="the Arrow column is damaged"):
        tiny.encode(HOSTILE[name])


def test_the_same_column_undamaged_is_read(tiny: pumice.StaticModel) -> None:
    assert (tiny.encode(Column(b"u", *WHOLE, length=2)) == tiny.encode(["a b", " "])).all()
    views = Column(b"vu", None, view(20, 0, 12) + view(3, 0, 0), TEXT, SIZES, length=2)
    assert (tiny.encode(views) == tiny.encode([TEXT[12:32].decode(), "abc"])).all()


def test_a_column_is_read_once(tiny: pumice.StaticModel) -> None:
    column = Column(b"u", *WHOLE, length=2)
    tiny.encode(column)
    with pytest.raises(InputError, match="was read before"):
        tiny.encode(column)
