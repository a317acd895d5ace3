"""An index as one file: packed, shipped, opened elsewhere; every way in which such a file may be hostile."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pumice.errors import InputError, SearchIndexError
from pumice.search import Index, Storage, index_paths, pack, unpack
from pumice.search.manifest import MANIFEST_FILE
from pumice.search.packing import LISTING


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_packed_index_opens_elsewhere_with_its_model(
    tmp_path: Path, model_path: Path, sentences: list[str]
) -> None:
    folder, file = tmp_path / "i", tmp_path / "notes.index"
    with Index(folder, model_path, storage=Storage(quantize="binary", stages=(16,))) as index:
        index.add({"id": at, "text": text} for at, text in enumerate(sentences))
        expected = index.search("winter train", k=20)
        with pytest.raises(SearchIndexError, match="already open"):
            pack(folder, file)
    assert pack(folder, file) == file.stat().st_size < 12_000_000
    with pytest.raises(SearchIndexError, match="there is no index"):
        pack(tmp_path / "none", tmp_path / "third")
    with pytest.raises(InputError, match="cannot be written"):
        pack(folder, tmp_path / "no" / "such")
    assert sorted(os.listdir(tmp_path)) == ["i", "notes.index"]
    shutil.rmtree(folder)
    for _ in range(2):  # the second finds it unpacked
        with Index(file) as index:
            assert len(index) == len(sentences)
            assert index.search("winter train", k=20) == expected
            for change in (
                lambda: index.add([{"id": 1, "text": "a"}]),
                lambda: index.delete(1),
                lambda: index_paths(index, __file__),
                index.optimize,
            ):
                with pytest.raises(SearchIndexError, match="is a packed file"):
                    change()
    with Index(unpack(file, tmp_path / "again")) as index:
        index.add([{"id": "new", "text": "a cat"}])
        assert len(index) == len(sentences) + 1
    with pytest.raises(SearchIndexError, match="is there already"):
        unpack(file, tmp_path / "again")


def test_a_cache_that_cannot_be_written_is_no_damage(
    tmp_path: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Index(tmp_path / "i", model_path).close()
    pack(tmp_path / "i", tmp_path / "notes.index")
    (tmp_path / "nowhere").symlink_to("none")  # not even root may write there
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(SearchIndexError, match=r"cannot be unpacked into .*--unpack") as told:
        Index(tmp_path / "notes.index")
    assert "damaged" not in str(told.value)


def small() -> dict[str, bytes]:
    """What a packed index holds, but for its real shard: enough to be refused before it is opened."""
    manifest = {
        "format": "pumice-index",
        "version": 2,
        "model_name": "m",
        "model_fingerprint": "f",
        "dim": 64,
        "storage": {},
        "words": 1,
    }
    return {MANIFEST_FILE: json.dumps(manifest).encode(), "shard/segment": b"\0" * 2_000_000 + b"1"}


def hostile_file(
    target: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None], *, mode: int = 0
) -> Path:
    """A packed index with its listing and files changed; names may be hostile."""
    files = small()
    listed = [
        {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
    ]
    listing: dict[str, Any] = {"format": "pumice-pack", "version": 1, "files": listed}
    change(listing, files)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [*files.items(), (LISTING, json.dumps(listing).encode())]:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return target


def renamed(name: str) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(listing: dict[str, Any], files: dict[str, bytes]) -> None:
        one = next(one for one in listing["files"] if one["path"].startswith("shard/"))
        files[name] = files.pop(one["path"])
        one["path"] = name

    return change


def set_in_first(**values: Any) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda listing, files: listing["files"][0].update(values)


HOSTILE = {
    "outside": (renamed("../outside"), "is no file of an index"),
    "deep outside": (renamed("shard/../../outside"), "is no file of an index"),
    "absolute": (renamed("/tmp/outside"), "is no file of an index"),
    "backslash": (renamed("shard\\..\\outside"), "is no file of an index"),
    "drive": (renamed("C:/outside"), "is no file of an index"),
    "elsewhere": (renamed("other/file"), "is no file of an index"),
    "hidden": (renamed("shard/.profile"), "is no file of an index"),
    "other content": (
        lambda listing, f: f.update({MANIFEST_FILE: f[MANIFEST_FILE] + b" "}),
        "larger than listed",
    ),
    "other hash": (set_in_first(sha256="0" * 64), "is not the one that was packed"),
    "longer": (set_in_first(size=10**9), "is not the one that was packed"),
    "huge": (set_in_first(size=2**60), "too large"),
    "negative": (set_in_first(size=-1), "list of files is damaged"),
    "unlisted": (lambda listing, f: f.update({"shard/more": b""}), "other files than it lists"),
    "twice": (
        lambda listing, f: listing["files"].append(listing["files"][0]),
        "other files than it lists",
    ),
    "missing": (lambda listing, f: listing["files"].pop(), "other files than it lists"),
    "version": (lambda listing, f: listing.update(version=2), "format version 2"),
    "foreign": (lambda listing, f: listing.update(format="other"), "another's"),
    "no list": (lambda listing, f: listing.update(files=7), "is none"),
    "odd list": (lambda listing, f: listing.update(files=[7]), "list of files is damaged"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_and_leave_nothing(tmp_path: Path, kind: str) -> None:
    change, told = HOSTILE[kind]
    (tmp_path / "in").mkdir()
    hostile = hostile_file(tmp_path / "in" / "hostile", change)
    for attempt in (lambda: Index(hostile), lambda: unpack(hostile, tmp_path / "in" / "target")):
        with pytest.raises(SearchIndexError, match=told) as refused:
            attempt()
        assert "\n" not in str(refused.value)
    assert os.listdir(tmp_path / "in") == ["hostile"]
    assert set(os.listdir(tmp_path)) <= {"in", "cache"}
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o040755])
def test_links_and_devices_are_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SearchIndexError, match="is a link or a device"):
        Index(hostile_file(tmp_path / "hostile", lambda *_: None, mode=mode))


def test_holes_take_no_space(tmp_path: Path) -> None:
    file = hostile_file(tmp_path / "file", lambda *_: None)
    segment = unpack(file, tmp_path / "target") / "shard" / "segment"
    assert segment.read_bytes() == small()["shard/segment"]
    assert segment.stat().st_blocks * 512 < 1_500_000


def test_every_cut_is_refused(tmp_path: Path) -> None:
    data = hostile_file(tmp_path / "whole", lambda *_: None).read_bytes()
    for size in range(4, len(data), 23):
        (tmp_path / "cut").write_bytes(data[:size])
        with pytest.raises(SearchIndexError, match="cannot be read as a packed index"):
            Index(tmp_path / "cut")
    flipped = bytearray(data)
    flipped[len(data) // 3] ^= 0xFF
    (tmp_path / "flipped").write_bytes(flipped)
    with pytest.raises(SearchIndexError, match="is damaged"):
        unpack(tmp_path / "flipped", tmp_path / "target")


def test_another_zip_is_no_index(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a.jpg", b"")
    with pytest.raises(SearchIndexError, match="is no packed index"):
        Index(tmp_path / "photos.zip")
    (tmp_path / "text").write_text("a cat")
    with pytest.raises(SearchIndexError, match="is a file"):
        Index(tmp_path / "text")
