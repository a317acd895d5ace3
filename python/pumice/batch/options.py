"""What a batch run may be told, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass

from pumice import arguments
from pumice.errors import InputError

FORMATS = ("parquet", "npy", "lance")
LAYOUTS = ("list", "bytes")
ON_ERROR = ("fail", "null", "skip")
DEFAULT_MEMORY = 512 << 20
SMALLEST_MEMORY = 256 << 20


@dataclass(frozen=True)
class EncodeOptions:
    """How files become vectors.

    ``text`` names the column of texts (plain text files need none), ``keep`` the columns that go beside the
    vectors, ``column`` theirs. ``layout`` of Parquet is "list" (a list of numbers a row) or "bytes" (a
    fixed-size binary, which is written twenty times as fast and read back by ``numpy.frombuffer``); None
    takes lists for float32 and float16, bytes for int8 and binary; a Lance dataset holds lists. ``on_error``
    says what becomes of a row whose text is null, not a string or not UTF-8: "fail" ends the run, "null" gives
    it a null vector, "skip" leaves it out. ``id`` and ``state`` are for an index (`store_files`): the column of
    ids, and a folder or URL that remembers which rows the index holds. ``rows_per_file`` bounds the rows of an
    output file (a Parquet input's row groups are never cut), ``memory`` is what the process should stay under,
    in bytes. Raises InputError.
    """

    text: str | None = None
    id: str | None = None
    dim: int | None = None
    dtype: str = "float32"
    keep: tuple[str, ...] = ()
    column: str = "vector"
    format: str = "parquet"
    layout: str | None = None
    on_error: str = "fail"
    input_format: str | None = None
    rows_per_file: int | None = None
    memory: int = DEFAULT_MEMORY
    threads: int | None = None
    state: str | None = None

    def __post_init__(self) -> None:
        arguments.checked_dtype(self.dtype)
        arguments.checked_threads(self.threads)
        _one_of("format", self.format, FORMATS)
        _one_of("on_error", self.on_error, ON_ERROR)
        if self.layout is not None:
            _one_of("layout", self.layout, LAYOUTS)
        if self.rows_per_file is not None:
            arguments.checked_count("rows_per_file", self.rows_per_file)
        if arguments.checked_count("memory", self.memory) < SMALLEST_MEMORY:
            raise InputError(
                f"memory={self.memory} is less than {SMALLEST_MEMORY >> 20} MB, which Python, Arrow and one "
                "batch of rows take"
            )
        ids = () if self.id is None or self.id in self.keep else (self.id,)
        object.__setattr__(self, "keep", (*ids, *self.keep))
        if len(set(self.keep)) < len(self.keep):
            raise InputError(f"keep names a column twice: {', '.join(self.keep)}")
        if self.column in self.keep:
            raise InputError(
                f'keep names "{self.column}", which is what the vectors are called: call them otherwise '
                "(column, --column)"
            )
        if self.dtype == "binary" and self.layout == "list":
            raise InputError("a binary code is no list of numbers: leave layout out")
        if self.format == "npy" and (self.keep or self.layout):
            raise InputError(
                "npy files hold vectors alone: leave out keep and layout, or write parquet"
            )
        if self.format == "lance" and self.layout == "bytes":
            raise InputError("a Lance dataset holds lists of numbers: leave layout out")
        if self.on_error == "skip" and not self.keep:
            raise InputError(
                "with rows left out and no column kept, nothing says which vector is whose: name a column to "
                'keep, or use on_error="null"'
            )

    @property
    def vector_layout(self) -> str:
        """ "list" or "bytes"."""
        fast = self.format != "lance" and self.dtype in ("int8", "binary")
        return self.layout or ("bytes" if fast else "list")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name}={value!r} is not one of {', '.join(known)}")
