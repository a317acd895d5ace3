"""The search index: records in, ranked hits out, one model throughout."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from pumice.errors import InputError, SearchIndexError
from pumice.search.ahead import one_ahead
from pumice.search.embedding import Embedded, Embedding
from pumice.search.filter import Missing, parse_filter, path_of
from pumice.search.folder import open_folder
from pumice.search.groups import Groups
from pumice.search.home import Home, Plan, Scored
from pumice.search.incoming import Batch, batches_of_columns, batches_of_records, length_of
from pumice.search.points import Points
from pumice.search.record import (
    PRIVATE,
    AddReport,
    Hit,
    Ranking,
    RecordId,
    Skipped,
    check_unicode,
    field_names,
    hit_of,
    point_id_of,
    ranking_of,
)
from pumice.search.search_params import Mode, SearchParams
from pumice.search.server import Server, open_server
from pumice.search.storage import Storage
from pumice.search.unknown_fields import check_fields
from pumice.search.unpacking import is_packed, unpacked
from pumice.search.wanted import Wanted

if TYPE_CHECKING:
    from pumice.model import StaticModel
    from pumice.search.models import Embedder

_FIELDS_FROM = 1000  # records that are looked at
MAX_K = 2**31 - 1
_LARGE_K = 10_000
GRAPH_FROM = 200_000  # records from which the command line builds a graph: a scan takes 20 ms there
NO_TOKENS = "its text is empty, or the model knows no token of it"


class Index:
    """Texts with payloads, found again by meaning. Stays open until `close` or the `with` ends.

    Threads may share an Index. One process owns its folder: a second one is told which does, and
    a forked child is refused. Search is an exact scan (9 ms at 100,000 passages of 256 dimensions
    on two cores); `optimize` builds a graph where that is too slow.
    """

    def __init__(
        self,
        location: str | os.PathLike[str] | Server,
        model: StaticModel | Embedder | str | os.PathLike[str] | None = None,
        *,
        dim: int | None = None,
        storage: Storage | None = None,
        create: bool = True,
    ) -> None:
        """Open the index at `location`, or create it there.

        `location` is a folder (Qdrant Edge, in this process), a file that `pumice.search.pack` made
        of one, for searching only, or a collection of a Qdrant server:
        `http://host:6333/collection`, or a `pumice.search.Server` with an API key and the like.
        `model` is a StaticModel or what `pumice.load` takes; None means the model that filled the
        index (a new index takes the shipped one). `dim` keeps a Matryoshka prefix of the vectors;
        `storage` says how a new index keeps them (None: as it does, or as they are).
        Raises SearchIndexError where another model filled the index or it keeps its vectors
        otherwise, where another process has it, or where there is none and `create` is False.
        """
        if not (storage is None or isinstance(storage, Storage)):
            raise InputError(f"storage is a {type(storage).__name__}: give a pumice.search.Storage")
        wanted = Wanted(model, dim, storage, create)
        place = _place(location)
        self.location = place.where if isinstance(place, Server) else str(place)
        self._packed = isinstance(place, Path) and is_packed(place)
        if isinstance(place, Server):
            opened = open_server(place, wanted)
        else:
            folder = unpacked(place) if self._packed else place
            opened = open_folder(folder, replace(wanted, create=wanted.create and not self._packed))
        self.model, self._home = opened.model, opened.home
        self.dim, self.storage = opened.manifest.dim, opened.manifest.storage
        self._embedding = Embedding(self.model, dim=self.dim, words=self.storage.sparse)

    def add(
        self, records: Iterable[Mapping[str, Any]], *, vectors: NDArray[float32] | None = None
    ) -> AddReport:
        """Store records, replacing those whose id is there already; report what was left out.

        A record is a dict with "id" (int, UUID or str), "text", and any JSON payload. A text
        without a token the model knows has no vector: it is skipped and reported, never stored,
        and a record of its id that is there already is deleted. `vectors`, of shape (n, dim), are
        the model's own of these texts, where the caller has them already.
        Records are stored in batches of 256 (a server's: 1,024); an InputError names the first one
        that cannot be stored, and the batches before it stay. `records` is read ahead of what is
        stored, by 32 batches at most, which another thread embeds meanwhile. What `add` has
        returned from survives `kill -9`.
        """
        self.check_writable()
        if isinstance(records, (Mapping, str)):
            raise InputError("records is one record: give a list of them")
        if vectors is not None:
            records = records if isinstance(records, Sequence) else list(records)
            vectors = self._embedding.checked(vectors, count=len(records))
        return self._add(batches_of_records(records, size=self._home.batch), vectors)

    def add_columns(
        self, columns: Mapping[str, Sequence[Any]], *, vectors: NDArray[float32] | None = None
    ) -> AddReport:
        """`add` of records that are held in columns: `{"id": [1, 2], "text": ["...", "..."], "year": [...]}`.

        Columns are lists, or what Arrow, Polars and numpy hold. Plain values (str, int, float, bool,
        None) are checked a column at a time, which takes a quarter of the time that dicts take.
        """
        self.check_writable()
        count = length_of(columns)
        if vectors is not None:
            vectors = self._embedding.checked(vectors, count=count)
        return self._add(batches_of_columns(columns, size=self._home.batch), vectors)

    @overload
    def search(  # type: ignore[overload-overlap]  # a str is a Sequence[str] too
        self,
        query: str,
        *,
        k: int = ...,
        filter: Mapping[str, Any] | None = ...,
        mode: Mode | None = ...,
        params: SearchParams | None = ...,
    ) -> list[Hit]: ...

    @overload
    def search(
        self,
        query: Sequence[str],
        *,
        k: int = ...,
        filter: Mapping[str, Any] | None = ...,
        mode: Mode | None = ...,
        params: SearchParams | None = ...,
    ) -> list[list[Hit]]: ...

    def search(
        self,
        query: str | Sequence[str],
        *,
        k: int = 10,
        filter: Mapping[str, Any] | None = None,
        mode: Mode | None = None,
        params: SearchParams | None = None,
    ) -> list[Hit] | list[list[Hit]]:
        """The `k` best records for the query, best first; a list of queries gives a list each.

        `filter` keeps records whose payload matches: `{"year": 2024}`, `{"tag": ["a", "b"]}`
        (any of them), `{"year": {"gte": 2020, "lt": 2024}}`, `{"author": None}` (missing).
        `mode`: `dense` compares vectors, `sparse` words (BM25), `hybrid` fuses both, which is what
        None means where the index keeps words. A query without a token the model knows is searched
        by its words alone; one without a word finds nothing. InputError for an empty query, and
        for a filter that finds nothing because no record has its field.
        """
        if isinstance(query, np.ndarray):
            query = query.tolist()
        if not isinstance(query, (str, Sequence)):
            raise InputError(f"query is a {type(query).__name__}: give a str or a list of str")
        queries = [query] if isinstance(query, str) else list(query)
        for at, text in enumerate(queries):
            if not isinstance(text, str):
                continue
            name = "query" if isinstance(query, str) else f"queries[{at}]"
            if not text.strip():
                raise InputError(f"{name} is empty: ask for something")
            check_unicode(text, name)
        plan = self._plan(k, filter, params)
        hits = [
            [hit_of(one) for one in found]
            for found in self._answer(queries, None, plan=plan, mode=mode)
        ]
        if filter and queries and not any(hits):
            check_fields(self, filter)
        return hits[0] if isinstance(query, str) else hits

    def rank(
        self,
        queries: Sequence[str],
        *,
        k: int = 10,
        mode: Mode | None = None,
        params: SearchParams | None = None,
        vectors: NDArray[float32] | None = None,
    ) -> list[Ranking]:
        """Ids and scores of the `k` best records of each query, without their texts: for many queries.

        `vectors`, of shape (n, dim), are the model's own of these queries, where the caller has
        them already; otherwise as `search`.
        """
        if isinstance(queries, str):
            raise InputError("queries is a str: give a list of them")
        plan = self._plan(k, None, params, keys=[PRIVATE])
        if vectors is not None:
            vectors = self._embedding.checked(vectors, count=len(queries))
        return [
            ranking_of(found)
            for found in self._answer(list(queries), vectors, plan=plan, mode=mode)
        ]

    def delete(
        self,
        ids: RecordId | Iterable[RecordId] | None = None,
        *,
        filter: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete records by id (one or many), or all that match a filter; return how many went."""
        self.check_writable()
        if (ids is None) == (filter is None):
            raise InputError("delete takes ids or a filter: give one of them")
        if filter is not None:
            conditions = parse_filter(filter)
            if not conditions:
                raise InputError("delete(filter={}) would delete everything: name a payload key")
            matching = self._home.count(conditions)
            self._home.delete_matching(conditions)
            return matching
        many = [ids] if isinstance(ids, str) or not isinstance(ids, Iterable) else ids
        points = [point_id_of(one, where=f"ids[{at}]") for at, one in enumerate(many)]
        present = list(self._home.present(points)) if points else []
        if present:
            self._home.delete(present)
        return len(present)

    def count(self, *, filter: Mapping[str, Any] | None = None) -> int:
        """How many records there are, or how many match the filter."""
        return self._home.count(parse_filter(filter))

    def fields(self) -> list[str]:
        """The payload's keys that a filter may name, `a.b` for one within another, of the first records."""
        found: set[str] = set()
        for _, payload in islice(self._home.scroll([], keys=None), _FIELDS_FROM):
            found.update(field_names(payload))
        return sorted(found)

    def has_field(self, key: str) -> bool:
        """Whether any record has something there."""
        return self._home.count([Missing(path_of(key), absent=False)]) > 0

    def __len__(self) -> int:
        """How many records there are."""
        return self.count()

    def __bool__(self) -> bool:
        """An empty index is still an index."""
        return True

    def optimize(self) -> None:
        """Build a graph that finds nearly the same (recall@10 .997) in 1.5 ms, however many there are.

        Worth it from a few hundred thousand records; 100,000 take about a minute on two cores.
        It runs in a process of its own, this one stays responsive, and other threads must not use
        the index meanwhile. Interrupting it loses nothing.
        """
        self.check_writable()
        self._home.optimize()

    def check_writable(self) -> None:
        """Raise SearchIndexError where the index is a packed file, closed, or another process's."""
        if self._packed:
            raise SearchIndexError(
                f"index {self.location} is a packed file, for searching: unpack it into a folder "
                f"(pumice index --unpack {self.location} --index FOLDER) to change it"
            )
        self._home.check_open()

    def flush(self) -> None:
        """Write everything to the disk, so that it survives a power cut as well."""
        self._home.flush()

    def close(self) -> None:
        """Flush, and let other processes open the folder. May be called twice."""
        self._home.close()

    def __enter__(self) -> Index:
        """The index itself; leaving the block closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the index."""
        self.close()

    def __repr__(self) -> str:
        """Place, model and dimensions."""
        return f"Index({self.location!r}, model={self.model.name!r}, dim={self.dim})"

    def embed(self, texts: Sequence[str], *, vectors: NDArray[float32] | None = None) -> Embedded:
        """Vectors and words of texts; a zero vector means nothing."""
        return self._embedding.documents(texts, vectors=vectors)

    def _add(self, batches: Iterable[Batch], vectors: NDArray[float32] | None) -> AddReport:
        groups = Groups(batches)

        def embed(group: list[Batch]) -> list[Embedded]:
            begun = time.monotonic()
            first, end = group[0].first, group[-1].first + len(group[-1])
            own = None if vectors is None else vectors[first:end]
            texts = [text for batch in group for text in batch.texts]
            parts = self.embed(texts, vectors=own).parts([len(batch) for batch in group])
            groups.told(time.monotonic() - begun)
            return parts

        added = 0
        skipped: list[Skipped] = []
        # With nothing to embed and no words to read, a thread would only wait for the engine.
        threaded = vectors is None or self.storage.sparse
        embedded_groups = (
            one_ahead(groups, embed) if threaded else ((one, embed(one)) for one in groups)
        )
        for group, parts in embedded_groups:
            for batch, embedded in zip(group, parts, strict=True):
                self._store(batch, embedded)
                unknown = np.flatnonzero(~embedded.known).tolist()
                added += len(batch) - len(unknown)
                skipped += [Skipped(batch.ids[row], NO_TOKENS) for row in unknown]
        return AddReport(added, tuple(skipped))

    def _store(self, batch: Batch, embedded: Embedded) -> None:
        kept, rows = batch, embedded.of_known()
        if len(rows.known) < len(batch):
            kept = batch.take(np.flatnonzero(embedded.known).tolist())
        if len(kept):
            self._home.upsert(Points(kept.point_ids, rows.dense, rows.terms, kept.payloads))
        if len(kept) < len(batch):
            # A record replaced by a text without a vector must not be found by its old text.
            latest = dict(zip(batch.point_ids, embedded.known.tolist(), strict=True))
            replaced = [point_id for point_id, has in latest.items() if not has]
            if stored := self._home.present(replaced):
                self._home.delete(list(stored))

    def _plan(
        self,
        k: int,
        filter: Mapping[str, Any] | None,
        params: SearchParams | None,
        *,
        keys: Sequence[str] | None = None,
    ) -> Plan:
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise InputError(f"k is {k!r}: it must be an int of at least 1")
        if k > MAX_K:
            raise InputError(f"k is {k}: at most {MAX_K:,} hits can be asked for")
        if k > _LARGE_K:  # the engine makes room for k hits
            k = min(k, max(len(self), 1))
        if not (params is None or isinstance(params, SearchParams)):
            raise InputError(
                f"params is a {type(params).__name__}: give a pumice.search.SearchParams"
            )
        params = params or SearchParams()
        sizes = (*self.storage.stages, self.dim)
        if params.prefix is not None and params.prefix not in sizes:
            raise InputError(
                f"params: prefix is {params.prefix}: this index keeps {', '.join(map(str, sizes))}"
            )
        oversampling = params.oversampling or self.storage.widening
        return Plan(k, parse_filter(filter), params, oversampling, keys)

    def _answer(
        self,
        queries: Sequence[str],
        vectors: NDArray[float32] | None,
        *,
        plan: Plan,
        mode: Mode | None,
    ) -> Iterator[list[Scored]]:
        self._home.check_open()  # a forked child must not ask the model: its threads are gone
        asked = self._embedding.queries(queries, vectors=vectors, mode=mode)
        found = iter(self._home.query([one for one in asked if one is not None], plan))
        return (next(found) if one is not None else [] for one in asked)

    @property
    def home(self) -> Home:
        """Where the vectors are kept; for pumice's own use."""
        return self._home


def _place(location: Any) -> Path | Server:
    if isinstance(location, Server):
        return location
    if not isinstance(location, (str, os.PathLike)):
        raise InputError(
            f"location is a {type(location).__name__}: give the path of a folder, or a server's URL"
        )
    if "://" in str(location):
        return Server(str(location))
    return Path(os.path.expanduser(location)).absolute()
