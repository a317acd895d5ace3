"""What pumice train says it made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pumice.train import Training


def made_of(stages: Sequence[Training], output: Path) -> dict[str, Any]:
    """The files and figures of a finished run, as JSON values."""
    training, regression = stages[-1], stages[0]
    model = training.model
    made = {
        "model": str(output),
        "card": str(output.with_suffix(".md")),
        "plot": str(output.with_suffix(".svg")),
        "name": model.name,
        "fingerprint": model.fingerprint,
        "tokens": len(model.tokens),
        "dimensions": model.dimensions,
        "prefixes": list(model.prefixes or ()),
        "dtype": model.metadata["dtype"],
        "bytes": output.stat().st_size,
        "steps": len(training.history["losses"]),
        "best_step": training.history["best_step"],
        "stopped": "; ".join(stage.stopped for stage in stages if stage.stopped),
        "diverged": any(stage.diverged for stage in stages),
        "pairs_per_second": round(training.pairs_per_second),
        "figures": [asdict(figure) for figure in training.figures],
        "first_figures": [asdict(figure) for figure in stages[0].first_figures],
        "agreement": list(regression.agreement),
        "first_agreement": list(regression.first_agreement),
        "agreement_name": regression.history.get("agreement", ""),
        "agreement_dims": list(regression.history["dims"]),
    }
    if model.document_encoder is None:
        return made
    from pumice.train.alignment import kept_share

    kept = kept_share(training.figures)
    return {**made, "document_encoder": asdict(model.document_encoder), "kept_of_teacher": kept}


def told(made: dict[str, Any]) -> Iterator[str]:
    """What was made, for people."""
    yield (
        f"{made['model']}: {made['tokens']} tokens, {made['dimensions']} dimensions, "
        f"{made['dtype']}, {made['bytes'] / 1e6:.1f} MB; card {made['card']}, plot {made['plot']}"
    )
    if made["stopped"]:
        yield f"note: {made['stopped']}"
    if made["agreement"]:
        stage = "alignment" if "document_encoder" in made else "regression"
        yield (
            f"with the teacher, {made['agreement_name']}, before -> after the {stage}: "
            + ", ".join(
                f"{dim} d {first:.3f} -> {last:.3f}"
                for dim, first, last in zip(
                    made["agreement_dims"], made["first_agreement"], made["agreement"], strict=True
                )
            )
        )
    if "document_encoder" in made:
        yield f"queries alone: documents are encoded by {made['document_encoder']['name']}"
    if not made["figures"]:
        return
    before = {(_named(f), f["dim"]): f["ndcg"] for f in made["first_figures"]}
    dims: Sequence[int] = sorted({f["dim"] for f in made["figures"]}, reverse=True)
    yield "nDCG@10, before -> after: " + ", ".join(f"{dim} d" for dim in dims)
    for name in dict.fromkeys(map(_named, made["figures"])):
        after = {f["dim"]: f["ndcg"] for f in made["figures"] if _named(f) == name}
        cells = (_change(before.get((name, dim)), after[dim]) for dim in dims)
        yield f"  {name}: " + ", ".join(cells)
    if made.get("kept_of_teacher") is not None:
        yield f"{made['kept_of_teacher']:.1%} of the mean that the teacher's own queries reach"


def _named(figure: dict[str, Any]) -> str:
    return ", ".join(filter(None, (figure["name"], figure["code"])))


def _change(before: float | None, after: float) -> str:
    """Held-out pairs were not measured before a regression."""
    return f"{after:.3f}" if before is None else f"{before:.3f} -> {after:.3f}"
