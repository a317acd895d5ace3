"""What a run ends with: trained rows become a model, the start's tokenizer and rules, a provenance of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pumice.modelfile.counting import counting_of
from pumice.modelfile.parts import DocumentEncoder, Metadata
from pumice.train.options import RunOptions
from pumice.train.training import Training

if TYPE_CHECKING:
    from pumice.model import StaticModel
    from pumice.train.card import Story
    from pumice.train.checkpoint import RunFolder
    from pumice.train.loop import Outcome


def compiled(
    start: StaticModel,
    rows: NDArray[np.float32],
    dims: tuple[int, ...],
    *,
    options: RunOptions,
    told: Mapping[str, Any],
    documents: DocumentEncoder | None = None,
) -> StaticModel:
    """The start's tokenizer and rules over trained rows; ``told`` goes into its provenance."""
    import torch

    from pumice.model import StaticModel

    before = start.parts()
    described = before.metadata
    provenance = {
        **told,
        "start": {"name": described.name, "fingerprint": start.fingerprint},
        "start_provenance": described.provenance,
        "versions": {"numpy": np.__version__, "torch": str(torch.__version__)},
    }
    metadata = Metadata(
        name=options.name,
        license=options.license,
        source=described.source,
        languages=described.languages,
        prefixes=dims,
        provenance=provenance,
        document_encoder=documents,
    )
    parts = replace(
        before,
        embeddings=rows,
        token_weights=None,
        token_rows=None,
        row_scales=None,
        normalize=True,
        metadata=metadata,
    )
    return StaticModel.from_parts(parts, dtype=options.dtype)


def counting(start: StaticModel, options: RunOptions) -> StaticModel:
    """The start with tokens counted as the options say."""
    from pumice.model import StaticModel

    if options.repeats is None and options.lead is None:
        return start
    made = counting_of(repeats=options.repeats, lead=options.lead)
    return StaticModel.from_parts(replace(start.parts(), normalize=True, counting=made))


def called(start: StaticModel) -> str:
    """A start's name, or that of what it was made from."""
    return start.name or str(start.metadata.get("source", "")) or "a model without a name"


def finished(
    outcome: Outcome, story: Story, *, folder: RunFolder | None, options: RunOptions, line: str
) -> Training:
    """The run as its caller gets it, its card written; ``line`` is told. The run's state goes with `save`."""
    from pumice.train.card import write_card

    if options.progress is not None and line:
        last = len(story.history["losses"])
        options.progress(last, last, line)
    evaluations = story.history["evaluations"]
    return Training(
        model=story.model,
        figures=list(story.figures),
        first_figures=outcome.first_figures,
        history=dict(story.history),
        stopped=outcome.stopped,
        diverged=outcome.diverged,
        card=write_card(story),
        pairs_per_second=outcome.pairs_per_second,
        agreement=story.agreement,
        first_agreement=evaluations[0].get("agreement", []) if evaluations else [],
        state=None if folder is None or options.keep_folder else folder.path,
    )
