"""README.md of a model's folder: front matter that model hubs read, what it is, how it is loaded."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from pumice.modelfile.parts import ModelParts

_LOADING = {
    "pumice": """import pumice

model = pumice.load("FOLDER")  # this folder, or owner/name on a hub
vectors = model.encode(["a text", "another"])""",
    "model2vec": """from model2vec import StaticModel

model = StaticModel.from_pretrained("FOLDER")  # this folder, or owner/name on a hub
vectors = model.encode(["a text", "another"])""",
    "sentence-transformers": """from sentence_transformers import SentenceTransformer

model = SentenceTransformer("FOLDER")  # this folder, or owner/name on a hub
vectors = model.encode(["a text", "another"])""",
}

_FILE = re.compile(r'pumice\.load\("[^"\n]+\.pumice"\)')
_TRAINED = re.compile(
    rf"```python\nimport pumice\n\nvectors = {_FILE.pattern}\.encode\([^\n]*\)\n```"
)


@dataclass(frozen=True)
class CardFacts:
    """What a card tells beside the model's own metadata."""

    library: str
    """Whose folder it is: a key of `_LOADING`."""
    fingerprint: str = ""
    body: str = ""
    """A card that was written when the model was trained; it takes the place of the short one."""


def model_card(parts: ModelParts, facts: CardFacts) -> str:
    """Markdown with YAML front matter."""
    return "\n".join([*_front_matter(parts, facts.library), "", *_body(parts, facts)]) + "\n"


def _front_matter(parts: ModelParts, library: str) -> list[str]:
    metadata = parts.metadata
    fields: dict[str, object] = {
        "license": metadata.license,
        "language": list(metadata.languages),
        "base_model": metadata.source,
        "library_name": library,
        "pipeline_tag": "sentence-similarity",
        "tags": ["embeddings", "static-embeddings", "pumice"],
    }
    # JSON is YAML, and quotes what a name may hold.
    given = {key: value for key, value in fields.items() if value}
    lines = (f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in given.items())
    return ["---", *lines, "---"]


def _body(parts: ModelParts, facts: CardFacts) -> list[str]:
    if facts.body:
        return [_loaded_so(facts.body.strip(), facts.library)]
    metadata = parts.metadata
    rows, dim = parts.embeddings.shape
    lines = [f"# {metadata.name or 'Static embedding model'}", ""]
    lines += [
        f"A static text embedding model, written by pumice: {rows:,} rows of {dim} dimensions. A text's "
        "vector is the mean of its tokens' vectors"
        + (", divided by its length." if parts.normalize else "."),
        "",
    ]
    if metadata.document_encoder is not None:
        lines += [
            f"These are vectors of queries, for documents that `{metadata.document_encoder.name}` encodes.",
            "",
        ]
    lines += ["```python", _LOADING[facts.library], "```", ""]
    method = metadata.provenance.get("method")
    told = {
        "licence": metadata.license or "not stated",
        "made from": metadata.source,
        "made by": method if isinstance(method, str) else "",
        "prefixes": ", ".join(map(str, metadata.prefixes or ())),
        "rows stored as": parts.embeddings.dtype.name,
        "tokens kept per text": "all" if parts.max_tokens is None else str(parts.max_tokens),
        "fingerprint": f"`{facts.fingerprint}`" if facts.fingerprint else "",
    }
    lines += ["| | |", "|---|---|"]
    lines += [f"| {key} | {_cell(value)} |" for key, value in told.items() if value]
    return lines


def _loaded_so(body: str, library: str) -> str:
    """A trained model's card tells how its file is loaded, which is not how the folder is."""
    loading = f"```python\n{_LOADING[library]}\n```"
    body = _TRAINED.sub(lambda _: loading, body, count=1)
    return _FILE.sub('pumice.load("FOLDER")', body)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
