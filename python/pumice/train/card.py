"""The model card: what the model was trained on, how, and what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pumice.model import StaticModel
from pumice.modelfile.parts import DocumentEncoder
from pumice.train.dataset import TokenizedSource
from pumice.train.figures import Figure
from pumice.train.training import CARD_MARK

_STAGES = (("mined", "hard negatives mined"), ("labelled", "pairs with scores"))

_ASKED_BY = {
    "teacher_share": ("teacher_share",),
    "teacher_dtype": ("teacher_share",),
    "trust_remote_code": ("teacher_share",),
    "code_share": ("codes",),
    "mine_below": ("mine", "cross_encoder"),
    "rotation_epochs": ("rotation_epochs",),
}
"""Settings that say something only where one of these is given; a stage without these has a teacher."""


@dataclass(frozen=True)
class Story:
    """All that a card tells."""

    model: StaticModel
    trained: str
    """A sentence: started from what, and how."""
    data: Sequence[str]
    """Lines on what it was trained on."""
    settings: Mapping[str, Any]
    history: Mapping[str, Any]
    figures: Sequence[Figure]
    stopped: str
    agreement: Sequence[float] = ()
    """With the teacher, at each prefix ascending."""
    documents: DocumentEncoder | None = None
    """Of a model of queries."""


def write_card(story: Story) -> str:
    """Markdown."""
    return "\n".join(_lines(story)) + "\n"


def _lines(story: Story) -> Iterator[str]:
    model = story.model
    yield f"# {model.name or 'A static embedding model'}"
    yield ""
    yield (
        f"{len(model.tokens):,} tokens, {model.dimensions} dimensions, rows stored as "
        f"{model.metadata['dtype']}; prefixes {', '.join(map(str, model.prefixes or ()))}. "
        "A text's vector is the mean of its tokens' vectors, divided by its length."
    )
    if counting := model.metadata.get("counting"):
        yield f"Tokens do not count alike; of the first: {counting}."
    yield f"Licence: {model.metadata.get('license') or 'not stated'}. {CARD_MARK}{model.fingerprint}`."
    if story.documents is not None:
        yield (
            f"These are vectors of queries, for documents that {story.documents.name} has encoded; its "
            f"weights: `{story.documents.fingerprint}`."
        )
    yield ""
    yield "```python"
    yield "import pumice"
    yield ""
    if story.documents is None:
        yield 'vectors = pumice.load("model.pumice").encode(["a text", "another"])'
    else:
        yield 'model = pumice.load("model.pumice")'
        yield 'documents = model.encode_documents(["a text", "another"])'
        yield 'scores = model.encode("a question") @ documents.T'
    yield "```"
    yield ""
    yield "## Data"
    yield ""
    yield from story.data
    yield ""
    yield "## Training"
    yield ""
    yield (
        f"{story.trained}, {len(story.history['losses']):,} steps; the model is the state after step "
        f"{story.history['best_step']:,}."
    )
    if story.stopped:
        yield f"The run ended early: {story.stopped}."
    yield ""
    yield "| setting | value |"
    yield "|---|---|"
    for name, value in story.settings.items():
        played = any(story.settings.get(one, True) for one in _ASKED_BY.get(name, ("",)))
        if value not in (None, "", []) and played:
            yield f"| {name} | {cell(str(value))} |"
    yield ""
    yield "![loss and figures over the steps](training.svg)"
    yield ""
    yield "## Figures"
    yield ""
    if story.agreement:
        dims = story.history["dims"]
        listed = (f"{a:.3f} at {d}" for a, d in zip(story.agreement, dims, strict=True))
        yield f"With the teacher, on held-out texts: {story.history['agreement']} {', '.join(listed)}."
        yield ""
    if not story.figures and not story.agreement:
        yield "Nothing was held out and no evaluation set was given: nothing was measured."
    if not story.figures:
        return
    if story.documents is None:
        yield "nDCG@10 of the finished file, exact cosine search; held-out sets are small, and so easy."
    else:
        yield "nDCG@10 over the transformer's documents, exact cosine search: of the finished file's queries,"
        yield "and of the transformer's own (teacher)."
    yield ""
    dims = sorted({figure.dim for figure in story.figures}, reverse=True)
    yield f"| set | {' | '.join(f'{dim} d' for dim in dims)} | first hit relevant, {dims[0]} d |"
    yield "|---" * (len(dims) + 2) + "|"
    for name, code in dict.fromkeys((figure.name, figure.code) for figure in story.figures):
        of = {f.dim: f for f in story.figures if (f.name, f.code) == (name, code)}
        cells = " | ".join(f"{of[dim].ndcg:.3f}" for dim in dims)
        shown = f"{name}, {code}" if code else name
        yield f"| {cell(shown)} | {cells} | {of[dims[0]].accuracy:.3f} |"


def pair_lines(sources: Sequence[TokenizedSource]) -> Iterator[str]:
    """The data of a training on pairs."""
    yield "| source | weight | pairs | with a negative | duplicates dropped | without a known token |"
    yield "|---|---|---|---|---|---|"
    for source in sources:
        counts = source.counts
        columns = ("pairs", "triplets", "duplicates", "without_tokens")
        listed = " | ".join(f"{counts[column]:,}" for column in columns)
        yield f"| {cell(source.name)} | {source.weight:g} | {listed} |"
    yield ""
    held_out = sum(len(source.held_out) for source in sources)
    for source in sources:
        counts = source.counts
        if told := [f"{counts[name]:,} {what}" for name, what in _STAGES if name in counts]:
            yield f"{cell(source.name)}: {', '.join(told)}."
    yield f"Of these, {held_out:,} pairs were held out and only measured on."


def cell(text: str) -> str:
    """Text that a table's cell can hold."""
    return text.replace("|", "\\|").replace("\n", " ")
