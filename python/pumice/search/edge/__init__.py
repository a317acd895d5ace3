"""Qdrant Edge as the home of an index: a folder, in this process."""

from pumice.search.edge.engine import engine
from pumice.search.edge.home import SHARD_FOLDER, EdgeHome

__all__ = ["SHARD_FOLDER", "EdgeHome", "engine"]
