"""Where the command line keeps an index when it is not told: the user's own data folder."""

from __future__ import annotations

from pathlib import Path

from pumice.errors import MissingExtraError


def default_index_folder() -> Path:
    """The user's index, the same from every working directory: ~/.local/share/pumice/index on Linux."""
    return _folder("data") / "index"


def demo_index_folder() -> Path:
    """The demo's index, kept for further questions: ~/.cache/pumice/demo on Linux."""
    return _folder("cache") / "demo"


def unpacked_folder() -> Path:
    """Where packed indexes are opened: ~/.cache/pumice/unpacked on Linux."""
    return _folder("cache") / "unpacked"


def _folder(kind: str) -> Path:
    try:
        import platformdirs
    except ImportError:
        raise MissingExtraError("platformdirs", "search") from None
    find = platformdirs.user_data_path if kind == "data" else platformdirs.user_cache_path
    return find("pumice", appauthor=False)
