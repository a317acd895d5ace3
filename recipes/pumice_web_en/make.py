"""Makes the web models and one for a small device out of the shipped model: what is best at each size."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pumice
from pumice.evaluate import RetrievalSet
from pumice.evaluate.beir import read_beir
from pumice.evaluate.ndcg import exact_ndcg
from pumice.shrink import Limit, Range, Rung, Shrinker, climb, fit
from pumice.shrink.ladder import model_of, whole_setting

HERE = Path(__file__).parent
COUNTS = HERE.parent / "pumice_base_en" / "token_counts.tsv"
SETS = ("scifact", "cacm", "xquad_en", "cosqa")


@dataclass(frozen=True)
class Target:
    """A model to make."""

    name: str
    limit: Limit
    within: Range
    """What may win: a limit that eight bits or all dimensions would fill with few tokens need not be tried."""


TARGETS = (
    Target(
        "pumice-web-en", Limit(4_000_000, "brotli"), Range((256, 512), ("int8", "int4", "int2"))
    ),
    Target(
        "pumice-web-en-small", Limit(1_000_000, "brotli"), Range((128, 256, 512), ("int2", "int1"))
    ),
    # A device of 512 KB keeps it in flash as it is, beside the program.
    Target("pumice-device-en", Limit(384_000), Range((64, 128, 256), ("int2", "int1"))),
)


def counts() -> dict[str, int]:
    """How often each token occurs in English text; no evaluation set was counted."""
    lines = COUNTS.read_text(encoding="utf-8").split("\n")
    return {token: int(count) for token, count in (line.split("\t") for line in lines if line)}


def row(rung: Rung, whole: Rung, name: str = "") -> Iterator[str]:
    """The cells of a rung in a table."""
    setting, sizes = rung.setting, rung.sizes
    yield name
    yield f"{setting.tokens:,}"
    yield str(setting.dim)
    yield setting.dtype
    for size in (sizes.stored, sizes.gzip, sizes.brotli):
        yield "–" if size is None else f"{size / 1e6:.2f}"
    if rung.quality is not None and whole.quality:
        yield f"{rung.quality:.3f}"
        yield f"{rung.quality / whole.quality:.1%}"


def table(rungs: list[Rung], whole: Rung, names: dict[int, str]) -> str:
    """Markdown; a name for each rung that was taken."""
    columns = ("model", "tokens", "dim", "rows", "MB", "gzip", "Brotli", "nDCG@10", "of the whole")
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [
        f"| {' | '.join(row(rung, whole, names.get(place, '')))} |"
        for place, rung in enumerate(rungs)
    ]
    return "\n".join(lines)


def named(model: pumice.StaticModel, name: str, *, dtype: str) -> pumice.StaticModel:
    """The model under its own name."""
    parts = model.parts()
    metadata = replace(parts.metadata, name=name)
    return pumice.StaticModel.from_parts(replace(parts, metadata=metadata), dtype=dtype)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with evaluation sets in BEIR layout")
    parser.add_argument("-o", "--output", type=Path, default=Path("web-models"), help="a folder")
    args = parser.parse_args()
    sets: list[RetrievalSet] = [read_beir(args.data / name) for name in SETS]

    def quality(model: pumice.StaticModel) -> float:
        found = exact_ndcg(model, sets)
        return sum(found.values()) / len(found)

    args.output.mkdir(parents=True, exist_ok=True)
    shrinker = Shrinker(pumice.load(), corpus=counts())
    [whole] = climb(shrinker, [whole_setting(shrinker)], quality=quality)
    for target in TARGETS:
        rungs = fit(shrinker, target.limit, quality=quality, within=target.within)
        print(f"\n{target.name}: {target.limit}\n")
        print(table([whole, *rungs], whole, {0: "pumice-base-en", 1: target.name}), flush=True)
        chosen = rungs[0].setting
        model = named(model_of(shrinker, chosen), target.name, dtype=chosen.dtype)
        model.save(args.output / f"{target.name}.pumice")
        print(f"\n{target.name}.pumice: {model.nbytes:,} bytes, {model.fingerprint}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
