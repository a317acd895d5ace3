"""Prints and draws the figures of a benchmark: medians, spread, ratios to each peer."""

from __future__ import annotations

import os
import platform
import statistics
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pumice

Rows = dict[str, list[float]]


def processor() -> str:
    """What the machine calls its processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.split(": ", 1)[1] for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def megahertz() -> float | None:
    """The processors' present clock, where the machine says."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    clocks = [float(line.split(":", 1)[1]) for line in lines if line.startswith("cpu MHz")]
    return statistics.mean(clocks) if clocks else None


def print_machine(model: pumice.StaticModel, absent: list[str]) -> None:
    """Machine, versions and model, and what is not measured."""
    print(f"{processor()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    packages = []
    for name in ("pumice", "numpy"):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            packages.append(f"{name} from its source folder")
    print(", ".join(packages))
    print(
        f"{len(model.tokens)} tokens x {model.dimensions} dimensions; float32 vectors equal to 1e-6"
    )
    for sentence in absent:
        print(sentence)


def print_table(label: str, rows: Rows) -> None:
    """Median, smallest and largest of each row, and how many times each peer ours is."""
    faster_is_more = label.endswith("MB/s")
    ours = next((n for n in rows if n in ("pumice float32", "pumice")), None)
    print(f"\n{label}")
    for name, values in rows.items():
        middle = statistics.median(values)
        ratio = ""
        if ours and name != ours and not name.startswith("pumice"):
            best = statistics.median(rows[ours])
            times = best / middle if faster_is_more else middle / best
            ratio = (
                f"  {ours} is {times:.2f} of it"
                if times < 2
                else f"  {ours} is {times:.0f} times it"
            )
        print(f"  {name:36} {middle:10.2f}  ({min(values):.2f} to {max(values):.2f}){ratio}")


def plot(figures: dict[str, Rows], path: Path) -> None:
    """Bars of the throughput tables, spread as error bars."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    tables = {label: rows for label, rows in figures.items() if label.endswith("MB/s")}
    figure, axes = pyplot.subplots(1, len(tables), figsize=(6 * len(tables), 5), squeeze=False)
    for axis, (label, rows) in zip(axes[0], tables.items(), strict=True):
        names = list(rows)[::-1]
        middles = [statistics.median(rows[n]) for n in names]
        low = [m - min(rows[n]) for n, m in zip(names, middles, strict=True)]
        high = [max(rows[n]) - m for n, m in zip(names, middles, strict=True)]
        colours = ["#c8553d" if n.startswith("pumice") else "#9aa5b1" for n in names]
        axis.barh(names, middles, xerr=[low, high], color=colours, error_kw={"elinewidth": 0.8})
        axis.set_title(label)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)
