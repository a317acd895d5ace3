"""Batch: files of texts become files of vectors, in bounded memory, whatever is killed on the way."""

from pumice.batch.encoding import check_inputs, encode_files, store_files
from pumice.batch.options import EncodeOptions
from pumice.batch.report import EncodeProgress, EncodeReport

__all__ = [
    "EncodeOptions",
    "EncodeProgress",
    "EncodeReport",
    "check_inputs",
    "encode_files",
    "store_files",
]
