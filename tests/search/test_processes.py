"""Real processes: a second owner, kill -9, forks, an interrupted optimizer, a full disk."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pumice.errors import IndexInUseError, SearchIndexError
from pumice.search import Index, index_paths
from pumice.search.owner import LOCK_FILE, Owner

HOLD = """
import sys, time
from pumice.search import Index
index = Index(sys.argv[1], sys.argv[2])
print("open", flush=True)
time.sleep(60)
"""
ADD = """
import sys
from pumice.search import Index
index = Index(sys.argv[1], sys.argv[2])
for at in range(0, 1_000_000, 50):
    index.add({"id": one, "text": f"train number {one}"} for one in range(at, at + 50))
    print(at + 50, flush=True)
"""
INDEX = """
import sys
from pumice.search import Index, index_paths
with Index(sys.argv[1], sys.argv[2]) as index:
    index_paths(index, [sys.argv[3]], progress=lambda p: print(p.files_done, flush=True))
"""
DIE = """
import os, signal, sys
from pumice.search import Index, index_paths
def die(progress):
    if progress.passages > 2000:
        os.kill(os.getpid(), signal.SIGKILL)
index_paths(Index(sys.argv[1], sys.argv[2]), [sys.argv[3]], progress=die)
"""
FILL = """
import sys
from pumice.errors import PumiceError
from pumice.search import Index
stored = 0
try:
    with Index(sys.argv[1] + "/index", sys.argv[2]) as index:
        for at in range(0, 10_000_000, 500):
            text = "bread and wine " * 100
            index.add({"id": i, "text": f"{i} {text}"} for i in range(at, at + 500))
            stored = at + 500
except PumiceError as error:
    print(error)
with Index(sys.argv[1] + "/index", sys.argv[2]) as index:
    print("kept" if len(index) >= stored > 0 else "lost", len(index), stored)
    print("deleted", index.delete(range(500)))
"""
FLUSH = """
import atexit, sys
from qdrant_client import QdrantClient
from pumice.search import Index, Server
place = Server("articles", client=QdrantClient(":memory:")) if sys.argv[1] == ":memory:" else sys.argv[1]
index = Index(place, sys.argv[2])
def flush():
    report = index.add({"id": at, "text": f"train {at}"} for at in range(2100))
    print(report.added, len(index), flush=True)
atexit.register(flush)
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and forks")


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


@posix
def test_a_second_process_is_told_who_holds_the_index(tmp_path: Path, model_path: Path) -> None:
    holder = start(HOLD, tmp_path / "i", model_path)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(SearchIndexError, match=rf"in use by process {holder.pid} on .*-c"):
            Index(tmp_path / "i", model_path)
    finally:
        kill(holder)
    Index(tmp_path / "i", model_path).close()  # a killed holder's note is stale, its lock is gone


@posix
def test_a_holder_is_named_even_if_its_note_comes_late(tmp_path: Path) -> None:
    holder = Owner(tmp_path)
    note = (tmp_path / LOCK_FILE).read_text()
    dead = subprocess.Popen(["true"])
    dead.wait()
    for stale in ("", note.replace(str(os.getpid()), str(dead.pid))):
        (tmp_path / LOCK_FILE).write_text(stale)
        late = threading.Timer(0.2, (tmp_path / LOCK_FILE).write_text, [note])
        late.start()
        with pytest.raises(IndexInUseError, match="already open in this process"):
            Owner(tmp_path)
        late.join()
    holder.release()
    assert (tmp_path / LOCK_FILE).read_text() == ""
    Owner(tmp_path).release()


@posix
def test_kill_9_loses_nothing_that_add_returned_from(tmp_path: Path, model_path: Path) -> None:
    writer = start(ADD, tmp_path / "i", model_path)
    assert writer.stdout is not None
    acknowledged = 0
    while acknowledged < 1000:
        acknowledged = int(writer.stdout.readline())
    writer.kill()
    rest = writer.stdout.read().split("\n")
    kill(writer)
    acknowledged = max([acknowledged, *(int(line) for line in rest[:-1])])
    with Index(tmp_path / "i", model_path) as index:
        assert len(index) >= acknowledged
        assert index.delete(range(acknowledged)) == acknowledged
        assert index.add([{"id": 0, "text": "bread"}]).added == 1


@posix
def test_kill_9_during_indexing_then_a_second_run_completes(
    tmp_path: Path, model_path: Path
) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for at in range(120):
        (folder / f"{at:03}.txt").write_text(
            "\n\n".join(f"train {at} {n} " * 30 for n in range(20))
        )
    (folder / "040.txt").write_text("\n\n".join(f"garden {n} " * 50 for n in range(2500)))
    with Index(tmp_path / "fresh", model_path) as index:
        index_paths(index, [folder])
        expected = contents(index)
    for stop_after in (10, 41, 90):
        run = start(INDEX, tmp_path / "i", model_path, folder)
        assert run.stdout is not None
        for line in run.stdout:
            if int(line) >= stop_after:
                break
        kill(run)
        # The next run sees changed files too, and puts them back afterwards.
        (folder / "005.txt").write_text("short")
        (folder / "119.txt").rename(tmp_path / "away.txt")
        run = start(INDEX, tmp_path / "i", model_path, folder)
        assert run.stdout is not None
        run.stdout.readline()
        kill(run)
        (folder / "005.txt").write_text("\n\n".join(f"train 5 {n} " * 30 for n in range(20)))
        (tmp_path / "away.txt").rename(folder / "119.txt")
    with Index(tmp_path / "i", model_path) as index:
        index_paths(index, [folder])
        assert contents(index) == expected
        again = index_paths(index, [folder])
        assert (again.files_indexed, again.passages_added, again.files_removed) == (0, 0, 0)


@posix
def test_kill_9_within_a_large_file_then_a_second_run_completes(
    tmp_path: Path, model_path: Path
) -> None:
    table = tmp_path / "table.jsonl"
    table.write_text("".join(f'{{"text": "train number {n}"}}\n' for n in range(5000)))
    os.utime(table, (time.time() - 100, time.time() - 100))
    died = start(DIE, tmp_path / "i", model_path, table)
    assert died.wait() == -signal.SIGKILL
    kill(died)
    with Index(tmp_path / "i", model_path) as index:
        assert 1000 < len(index) < 5000
        assert index_paths(index, [table]).files_indexed == 1
        assert len(index) == 5000


def contents(index: Index) -> set[tuple[Any, ...]]:
    keys = ("source", "passage", "start", "end", "line", "text")
    return {tuple(payload[key] for key in keys) for _, payload in index.home.scroll([], keys=keys)}


@posix
def test_a_forked_child_is_refused_and_does_not_keep_the_lock(tmp_path: Path, model: Any) -> None:
    index = Index(tmp_path / "i", model)
    index.add([{"id": 1, "text": "bread"}])
    child = os.fork()
    if child == 0:  # what pytest set up must not run here: leave by os._exit only
        signal.alarm(20)
        told = 0
        for call in (lambda: index.search("x"), lambda: len(index), index.flush):
            try:
                call()
            except SearchIndexError as error:
                told += "forked" in str(error)
        index.close()
        (tmp_path / "told").write_text(str(told))
        time.sleep(15)
        os._exit(0)
    try:
        for _ in range(200):
            if (tmp_path / "told").exists() and (tmp_path / "told").read_text():
                break
            time.sleep(0.05)
        assert (tmp_path / "told").read_text() == "3"
        assert index.search("bread", k=1)[0].id == 1
        index.add([{"id": 2, "text": "wine"}])
        index.close()
        with Index(tmp_path / "i", model) as index:  # although the child lives
            assert os.waitpid(child, os.WNOHANG) == (0, 0)
            assert len(index) == 2
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


class Locking:
    """An embedder that holds a lock while it works, until it is let go."""

    name, fingerprint, dimensions = "locking", "0" * 64, 4

    def __init__(self) -> None:
        self.lock, self.within, self.go_on = threading.Lock(), threading.Event(), threading.Event()

    def encode(self, texts: Any, *, dim: int | None = None) -> np.ndarray:
        if any(texts):  # opening an index asks for an empty one, to check `dim`
            with self.lock:
                self.within.set()
                self.go_on.wait(60)
        return np.ones((len(texts), 4), np.float32)


@posix
def test_a_child_forked_while_a_thread_embeds_is_refused_before_it_embeds(tmp_path: Path) -> None:
    model = Locking()
    with Index(tmp_path / "i", model) as index:
        adding = threading.Thread(target=index.add, args=([{"id": 1, "text": "bread"}],))
        adding.start()
        assert model.within.wait(20)
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            told = 0
            for call in (
                lambda: index.add([{"id": 2, "text": "wine"}]),
                lambda: index.search("wine"),
                lambda: index.rank(["wine"]),
            ):
                try:
                    call()
                except SearchIndexError as error:
                    told += "forked" in str(error)
            os._exit(told)
        try:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        finally:
            model.go_on.set()
            adding.join()
        assert len(index) == 1


@pytest.mark.parametrize("place", ["folder", ":memory:"])
def test_records_added_while_the_interpreter_shuts_down_are_stored(
    tmp_path: Path, model_path: Path, place: str
) -> None:
    pytest.importorskip("qdrant_client", reason="needs pumice[server]")
    where = place if place == ":memory:" else str(tmp_path / place)
    ran = subprocess.run(
        [sys.executable, "-c", FLUSH, where, str(model_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout == "2100 2100\n", ran.stderr


@posix
def test_a_child_may_open_the_index_that_its_parent_closed(tmp_path: Path, model: Any) -> None:
    with Index(tmp_path / "i", model) as index:
        index.add([{"id": 1, "text": "bread"}])
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            with Index(tmp_path / "i", model) as index:
                os._exit(len(index))
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


@posix
def test_interrupting_optimize_loses_nothing(tmp_path: Path, model: Any) -> None:
    with Index(tmp_path / "i", model) as index:
        index.add({"id": at, "text": f"train {at} to the mountain"} for at in range(3_000))
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        started = time.monotonic()
        try:
            with pytest.raises(KeyboardInterrupt):
                index.optimize()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        assert time.monotonic() - started < 5
        assert len(index) == 3_000
        assert index.search("train 77 to the mountain", k=1, mode="dense")[0].score > 0.99


@posix
def test_a_killed_optimize_is_told_and_loses_nothing(tmp_path: Path, model: Any) -> None:
    with Index(tmp_path / "i", model) as index:
        index.add({"id": at, "text": f"train {at} to the mountain"} for at in range(20_000))
        killer = threading.Thread(target=kill_the_child_of, args=(tmp_path / "i" / LOCK_FILE,))
        killer.start()
        with pytest.raises(SearchIndexError, match=r"its process was ended by signal 9\): nothing"):
            index.optimize()
        killer.join()
        assert len(index) == 20_000
        index.optimize()
        assert index.search("train 77 to the mountain", k=1, mode="dense")[0].score > 0.99


def kill_the_child_of(lock: Path) -> None:
    while "building" not in (note := lock.read_text()):
        time.sleep(0.001)
    os.kill(json.loads(note)["pid"], signal.SIGKILL)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def small_disk(folder: Path) -> list[str]:
    """A command prefix that mounts 52 MB of disk on `folder`, for its own process only."""
    folder.mkdir()
    unshare = shutil.which("unshare")
    prefix = [str(unshare), "--mount"] if os.geteuid() == 0 else [str(unshare), "-r", "--mount"]
    mount = f'mount -t tmpfs -o size=52m none "{folder}" && exec "$@"'
    command = [*prefix, "sh", "-c", mount, "sh"]
    if unshare is None or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("needs a name space of its own to mount a small disk in")
    return command


@posix
def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path, model_path: Path) -> None:
    command = [*small_disk(tmp_path / "disk"), sys.executable, "-c", FILL]
    ran = subprocess.run(
        [*command, str(tmp_path / "disk"), str(model_path)], capture_output=True, text=True
    )
    assert ran.returncode == 0, (ran.returncode, ran.stderr)  # Edge alone dies of SIGBUS here
    told, kept, deleted = ran.stdout.splitlines()
    assert re.search(r"the disk is full \(\d+ MB free, \d+ MB needed\)", told)
    assert kept.startswith("kept")
    assert deleted == "deleted 500"
