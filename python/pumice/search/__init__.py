"""Search: an index of texts in a folder (Qdrant Edge) or on a server, filled from records or files."""

from pumice.search.documents import IndexProgress, IndexReport, SkippedFile, index_paths
from pumice.search.index import Index
from pumice.search.packing import pack
from pumice.search.record import AddReport, Hit, Ranking, Skipped
from pumice.search.reranking import rerank
from pumice.search.search_params import Fusion, Mode, SearchParams
from pumice.search.server import Server
from pumice.search.storage import Storage
from pumice.search.unpacking import unpack

__all__ = [
    "AddReport",
    "Fusion",
    "Hit",
    "Index",
    "IndexProgress",
    "IndexReport",
    "Mode",
    "Ranking",
    "SearchParams",
    "Server",
    "Skipped",
    "SkippedFile",
    "Storage",
    "index_paths",
    "pack",
    "rerank",
    "unpack",
]
