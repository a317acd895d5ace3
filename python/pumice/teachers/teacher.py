"""Loads a teacher and embeds token sequences with it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumice.errors import (
    InputError,
    MissingExtraError,
    ModelFileError,
    PumiceError,
)
from pumice.teachers.files import read_card, teacher_folder, teacher_name
from pumice.teachers.options import Pooling, Precision, Progress, TeacherOptions
from pumice.teachers.precision import chosen_precision
from pumice.teachers.quiet import quiet

# Positions in one forward pass; sequences of a few tokens keep both caches and cores busy so.
_POSITIONS = 1536


Forward = Callable[[Any, Any], Any]
"""From ids (batch, length) and which of them count (the same shape, 1 or 0), padded on the right, to
vectors (batch, width): tensors."""


@dataclass(frozen=True)
class Teacher:
    """A loaded teacher: what its own files say about it, and a function from ids to vectors."""

    name: str
    license: str
    languages: tuple[str, ...]
    tokenizer: dict[str, Any]
    """Its parsed tokenizer.json, as transformers sets the tokenizer up."""
    padding: str | None
    width: int
    versions: dict[str, str]
    prefix: tuple[int, ...]
    """Ids before each text: a [CLS] and the like, then the prompt."""
    suffix: tuple[int, ...]
    longest: int
    """The most ids one sequence may have."""
    cut_at: int
    """The ids after which the teacher itself cuts a text; at most ``longest``."""
    prompt: str
    forward: Forward
    device: str
    precision: Precision
    """float32 or bfloat16: that of the transformer; its further layers are float32."""
    modules: tuple[Any, ...]
    """Everything with weights, and what pools."""

    def embed(
        self, pieces: Sequence[Sequence[int]], *, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Embed each piece, a few ids without special tokens, as if it were a text of its own.

        Returns shape (len(pieces), width), float32. Pieces of equal length share a batch, so
        nothing is padded. Raises ModelFileError when the teacher's numbers are not finite.
        """
        import torch

        by_length: dict[int, list[int]] = {}
        for index, piece in enumerate(pieces):
            by_length.setdefault(len(piece), []).append(index)
        vectors = np.empty((len(pieces), self.width), dtype=np.float32)
        done = 0
        if progress is not None:
            progress(0, len(pieces))
        with torch.inference_mode():
            for length, indices in sorted(by_length.items()):
                total = len(self.prefix) + length + len(self.suffix)
                if total > self.longest:
                    raise InputError(
                        f"a vocabulary entry takes {total} tokens but teacher {self.name} reads "
                        f"at most {self.longest}: shorten it"
                    )
                step = max(1, _POSITIONS // max(1, total))
                for start in range(0, len(indices), step):
                    batch = indices[start : start + step]
                    ids = [[*self.prefix, *pieces[index], *self.suffix] for index in batch]
                    tensor = torch.tensor(ids, device=self.device)
                    output = self.forward(tensor, torch.ones_like(tensor))
                    vectors[batch] = output.float().cpu().numpy()
                    done += len(batch)
                    if progress is not None:
                        progress(done, len(pieces))
        broken = int((~np.isfinite(vectors)).any(axis=1).sum())
        if broken:
            raise ModelFileError(
                f"teacher {self.name}: {broken} of {len(pieces)} vectors hold NaN or infinity: "
                "its weights are damaged, or its precision is too low for this device"
            )
        return vectors


def load_teacher(teacher: str | Path, options: TeacherOptions) -> Teacher:
    """Load a sentence-transformers or Hugging Face model from a folder, the cache or the hub."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", "distill") from error
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError("transformers", "distill") from error

    device = _device(options.device)
    precision = chosen_precision(options.precision, device=device)
    folder = teacher_folder(teacher, offline=options.offline)
    name = teacher_name(teacher)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    with quiet():
        try:
            if (folder / "modules.json").exists():
                loaded = _sentence_transformer(
                    folder, options=options, device=device, precision=precision
                )
                versions["sentence-transformers"] = loaded.version
            else:
                loaded = _transformer(folder, options=options, device=device, precision=precision)
        except PumiceError:
            raise
        except Exception as error:  # loaders raise whatever their file formats' libraries do
            reason = str(error).strip().split("\n")[0]
            if reason.endswith((":", ": ")):  # what follows is on the lines below
                reason = textwrap.shorten(str(error), 300, placeholder=" …")
            raise ModelFileError(f"teacher {name} cannot be loaded: {reason}") from error

    backend = getattr(loaded.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelFileError(
            f"teacher {name} has only a slow tokenizer (no tokenizer.json): "
            "save it with AutoTokenizer.from_pretrained(..., use_fast=True) first"
        )
    tokenizer = json.loads(backend.to_str())
    if loaded.lowercase:
        members = [{"type": "Lowercase"}, tokenizer["normalizer"]]
        members = [member for member in members if member is not None]
        tokenizer["normalizer"] = {"type": "Sequence", "normalizers": members}
    special = _special_ids(backend, name=name)
    prompt = options.prompt if options.prompt is not None else loaded.prompt
    prompt_ids = backend.encode(prompt, add_special_tokens=False).ids if prompt else []
    prefix = (*special.prefix, *prompt_ids)
    _check_embedding_rows(loaded.transformer, backend, name=name)
    pooled = _pooled(loaded, pooling=options.pooling, before=len(prefix), after=len(special.suffix))
    with torch.inference_mode():
        ids = torch.tensor([[*prefix, 0, *special.suffix]], device=device)
        probe = pooled(ids, torch.ones_like(ids))
    longest = int(getattr(loaded.transformer.config, "max_position_embeddings", None) or 2**31)
    card = read_card(folder)
    languages = card.get("language") or ()
    return Teacher(
        name=name,
        license=str(card.get("license") or ""),
        languages=(languages,) if isinstance(languages, str) else tuple(map(str, languages)),
        tokenizer=tokenizer,
        padding=loaded.tokenizer.pad_token,
        width=int(probe.shape[1]),
        versions=versions,
        prefix=prefix,
        suffix=special.suffix,
        longest=longest,
        cut_at=min(longest, loaded.cut_at),
        prompt=prompt or "",
        forward=pooled,
        device=device,
        precision=precision,
        modules=loaded.modules or (loaded.transformer,),
    )


def _device(asked: str | None) -> str:
    """Choose the device, or try the one that was asked for: torch says only in use what it has."""
    import torch

    if asked is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(asked).type
    except RuntimeError:
        raise InputError(
            f"device {asked}: torch knows no such device: use cpu, cuda, cuda:1 or mps"
        ) from None
    try:
        torch.zeros(1, device=asked).cpu()
    except (
        Exception
    ) as error:  # AssertionError, RuntimeError, NotImplementedError: each backend its own
        reason = str(error).strip().split("\n")[0].split(". ")[0]
        if kind == "cuda" and torch.version.cuda is None:
            reason = "torch was built without CUDA"
        raise InputError(f"device {asked}: {reason}: use cpu, or leave it out") from error
    return asked


@dataclass(frozen=True)
class _Loaded:
    tokenizer: Any
    transformer: Any
    prompt: str | None = None
    lowercase: bool = False
    pooling: Pooling = "mean"
    """How a plain transformer is pooled when the teacher does not say."""
    modules: tuple[Any, ...] | None = None
    """The modules of a sentence transformer, without a final Normalize."""
    version: str = ""
    cut_at: int = 2**31


def _sentence_transformer(
    folder: Path, *, options: TeacherOptions, device: str, precision: Precision
) -> _Loaded:
    try:
        import sentence_transformers
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "distill") from error
    model = sentence_transformers.SentenceTransformer(
        str(folder),
        device=device,
        local_files_only=True,
        trust_remote_code=options.trust_remote_code,
        model_kwargs={"dtype": precision},
    ).eval()
    modules = list(model)
    for module in modules[1:]:
        module.float()  # what pools and turns costs little, and loses most in bfloat16
    transformer = getattr(modules[0], "auto_model", None)
    if transformer is None:
        raise ModelFileError(
            f"teacher {folder.name} begins with {type(modules[0]).__name__}, which is not a "
            "transformer: there is nothing to distil"
        )
    # The length of a token's vector says how much it matters; a final Normalize would drop it.
    if type(modules[-1]).__name__ == "Normalize":
        modules.pop()
    return _Loaded(
        tokenizer=model.tokenizer,
        transformer=transformer,
        prompt=model.prompts.get(model.default_prompt_name or ""),
        lowercase=bool(getattr(modules[0], "do_lower_case", False)),
        modules=tuple(modules),
        version=sentence_transformers.__version__,
        cut_at=int(model.max_seq_length or 2**31),
    )


def _transformer(
    folder: Path, *, options: TeacherOptions, device: str, precision: Precision
) -> _Loaded:
    import torch
    from transformers import AutoModel, AutoTokenizer

    local: dict[str, Any] = {
        "local_files_only": True,
        "trust_remote_code": options.trust_remote_code,
    }
    tokenizer = AutoTokenizer.from_pretrained(str(folder), **local)
    model = AutoModel.from_pretrained(str(folder), dtype=getattr(torch, precision), **local)
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    causal = ("ForCausalLM", "LMHeadModel")
    decoder = any(kind.endswith(causal) for kind in model.config.architectures or ())
    decoder = decoder and not model.config.is_encoder_decoder
    return _Loaded(
        tokenizer=tokenizer,
        transformer=model.to(device).eval(),
        pooling="last" if decoder else "mean",
        cut_at=min(2**31, int(tokenizer.model_max_length)),
    )


def _pooled(loaded: _Loaded, *, pooling: Pooling, before: int, after: int) -> Forward:
    """Compose transformer and pooling; ``before`` and ``after`` count the ids around a piece."""
    if pooling == "teacher" and loaded.modules is not None:
        modules = loaded.modules

        def run_modules(ids: Any, mask: Any) -> Any:
            features = {"input_ids": ids, "attention_mask": mask, "prompt_length": before}
            for module in modules:
                features = module(features)
                if "token_embeddings" in features:  # no copy where the transformer is float32
                    features["token_embeddings"] = features["token_embeddings"].float()
            return features["sentence_embedding"]

        return run_modules

    how = loaded.pooling if pooling == "teacher" else pooling

    def run_transformer(ids: Any, mask: Any) -> Any:
        states = loaded.transformer(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        if how == "first":
            return states[:, 0]
        if bool(mask.all()):
            if how == "last":
                return states[:, -1]
            if how == "token":
                states = states[:, before : states.shape[1] - after]
            return states.mean(dim=1)
        lengths = mask.sum(1)
        if how == "last":
            return states[range(len(states)), lengths - 1]
        if how == "token":
            mask = mask.clone()
            mask[:, :before] = 0
            for row, length in enumerate(lengths.tolist()):
                mask[row, length - after :] = 0
        return (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)

    return run_transformer


@dataclass(frozen=True)
class _SpecialIds:
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]


def _special_ids(backend: Any, *, name: str) -> _SpecialIds:
    """Find the ids that the teacher's post-processor puts around a text."""
    encoding = backend.encode("a")
    own = [index for index, special in enumerate(encoding.special_tokens_mask) if not special]
    # A tokenizer.json may ask for padding to a fixed length: that is no suffix.
    used = [index for index, attended in enumerate(encoding.attention_mask) if attended]
    if not own:
        raise ModelFileError(f"teacher {name}: its tokenizer makes no token of the letter a")
    ids = encoding.ids
    return _SpecialIds(
        tuple(ids[index] for index in used if index < own[0]),
        tuple(ids[index] for index in used if index > own[-1]),
    )


def _check_embedding_rows(transformer: Any, backend: Any, *, name: str) -> None:
    rows = transformer.get_input_embeddings().num_embeddings
    largest = max(backend.get_vocab(with_added_tokens=True).values())
    if largest >= rows:
        raise ModelFileError(
            f"teacher {name}: its tokenizer has token id {largest} but its embedding table only "
            f"{rows} rows: the two do not belong together"
        )
