"""Files into passages: readers, one per format, the splitter, and the incremental indexer."""

from pumice.search.documents.indexing import index_paths
from pumice.search.documents.report import IndexProgress, IndexReport
from pumice.search.documents.walk import SkippedFile

__all__ = ["IndexProgress", "IndexReport", "SkippedFile", "index_paths"]
