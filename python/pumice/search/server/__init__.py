"""A Qdrant server or cluster as the home of an index: a collection, by URL."""

from pumice.search.server.address import Server
from pumice.search.server.opening import open_server

__all__ = ["Server", "open_server"]
