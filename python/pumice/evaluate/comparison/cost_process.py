"""The process that cost.py starts: opens one model, encodes, prints what it took. Run with -m."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pumice.errors import PumiceError
from pumice.evaluate.comparison.cost import Cost
from pumice.evaluate.opening import open_model

_STATIC_AT_ONCE, _TRANSFORMER_AT_ONCE = 4096, 32
_QUERIES = 50


def main(task: str) -> int:
    """Print a Cost as JSON; an error is one sentence on standard error."""
    content: dict[str, Any] = json.loads(Path(task).read_text("utf-8"))
    try:
        cost = _measure(content)
    except PumiceError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(asdict(cost)))
    return 0


def _measure(content: dict[str, Any]) -> Cost:
    name: str | None = content["model"]
    started = time.perf_counter()
    model = open_model(name)
    if model is None:
        raise PumiceError("bm25 is no embedding model")
    side: Any = model.documents
    encode: Callable[[Sequence[str]], Any] = side.encode if model.static else side.time
    ask: Callable[[Sequence[str]], Any] = encode if model.static else _time_of(model.queries)
    encode(content["texts"][:1])
    loaded = time.perf_counter() - started
    latencies = []
    for query in content["queries"][:_QUERIES]:
        begun = time.perf_counter()
        ask([query])
        latencies.append(time.perf_counter() - begun)
    at_once = _STATIC_AT_ONCE if model.static else _TRANSFORMER_AT_ONCE
    texts: list[str] = content["texts"]
    encode(texts[:at_once])  # threads start, memory is made
    count = size = at = 0
    begun, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < content["seconds"]:
        part = texts[at : at + at_once]
        encode(part)
        count += len(part)
        size += sum(len(text.encode()) for text in part)
        at = at + at_once if at + at_once < len(texts) else 0
    return Cost(
        texts=count,
        text_bytes=size,
        processor_seconds=time.process_time() - used,
        seconds=time.perf_counter() - begun,
        load_seconds=loaded,
        query_milliseconds=1e3 * statistics.median(latencies),
        resident_bytes=_most_resident(),
        model_bytes=side.nbytes,
        dimensions=side.dimensions,
    )


def _time_of(side: Any) -> Callable[[Sequence[str]], Any]:
    timed: Callable[[Sequence[str]], Any] = side.time
    return timed


def _most_resident() -> int:
    """Not getrusage where it can be helped: Linux hands a child its parent's peak."""
    try:
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
