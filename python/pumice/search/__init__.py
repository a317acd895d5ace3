"""Search: an index of texts in a folder (Qdrant Edge), filled from records or from files."""

from pumice.search.documents import IndexProgress, IndexReport, SkippedFile, index_paths
from pumice.search.index import Index
from pumice.search.record import AddReport, Hit, Skipped

__all__ = [
    "AddReport",
    "Hit",
    "Index",
    "IndexProgress",
    "IndexReport",
    "Skipped",
    "SkippedFile",
    "index_paths",
]
