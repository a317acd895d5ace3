"""Encoding with large vocabularies, Unigram and byte-level BPE, beside model2vec and tokenizers.

Text: Debian's installation guide (installation-guide-amd64) in twelve languages, or another folder of ``.txt``
and ``.html`` files in subfolders, one a language. Tokenizers: two ``tokenizer.json``, or a Unigram of the
text's own words and a BPE trained on it. The ids are asserted equal before anything is timed.
"""

from __future__ import annotations

import argparse
import html
import json
import math
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from encode import bound, chunks, interleaved, prose
from hard_texts import hard_texts
from peers import Peer, assert_equal
from report import Rows, print_machine, print_table

import pumice
from pumice.modelfile.parts import ModelParts
from pumice.modelfile.pre_tokenizers import LLAMA3

Json = dict[str, Any]

GUIDE = Path("/usr/share/doc/installation-guide-amd64")
LANGUAGES = ("cs", "de", "el", "en", "es", "fr", "ja", "ko", "pt", "ru", "vi", "zh_CN")
CHUNK = 500
PER_LANGUAGE = 400_000
DIMENSIONS = 256
PIECES = 250_000
MARK = "\u2581"


def languages(folder: Path) -> dict[str, str]:
    """The text of each language, without HTML."""
    names = [name for name in LANGUAGES if (folder / name).is_dir()]
    names = names or sorted(path.name for path in folder.iterdir() if path.is_dir())
    return {name: "\n".join(plain(folder / name)) for name in names}


def plain(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".txt", ".html"):
            text = path.read_text("utf-8", errors="replace")
            if path.suffix == ".html":
                text = re.sub(r"(?s)<(script|style).*?</\1>", " ", text)
                text = html.unescape(re.sub(r"<[^>]+>", " ", text))
            yield re.sub(r"[ \t]+", " ", text)


def mixed(texts: Iterable[str]) -> list[str]:
    """Chunks of some CHUNK bytes of every language, shuffled."""
    rng, made = random.Random(0), []
    for text in texts:
        pieces, piece, size = [], "", 0
        for word in re.findall(r"\S+\s*", text):
            piece += word
            if len(piece.encode()) >= CHUNK:
                pieces.append(piece)
                piece = ""
        rng.shuffle(pieces)
        for piece in pieces:
            size += len(piece.encode())
            if size > PER_LANGUAGE:
                break
            made.append(piece)
    rng.shuffle(made)
    return made


def unigram(texts: Iterable[str]) -> Json:
    """The frequent words of a text and what they are made of, with the logarithms of their shares as scores."""
    words = Counter(MARK + word for text in texts for word in text.split())
    pieces: Counter[str] = Counter()
    for word, count in words.items():
        for begin in range(len(word)):
            for end in range(begin + 1, min(begin + 8, len(word)) + 1):
                pieces[word[begin:end]] += count
        pieces[word] += count
    kept = pieces.most_common(PIECES - 1)
    total = sum(count for _, count in kept)
    vocab = [["<unk>", 0.0], *([piece, math.log(count / total)] for piece, count in kept)]
    spaces = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    metaspace = {
        "type": "Metaspace",
        "replacement": MARK,
        "prepend_scheme": "always",
        "split": True,
    }
    split = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]}
    normalizer = {"type": "Sequence", "normalizers": [{"type": "NFKC"}, spaces]}
    model = {"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": False}
    return tokenizer_json(model=model, normalizer=normalizer, pre_tokenizer=split)


def byte_level_bpe(texts: list[str]) -> Json:
    """50,000 tokens trained with Llama 3's pattern."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=50_000, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    trained: Json = json.loads(tokenizer.to_str())
    return trained


def tokenizer_json(**parts: Any) -> Json:
    absent = dict.fromkeys(("truncation", "padding", "post_processor", "decoder"))
    return {"version": "1.0", "added_tokens": [], **absent, **parts}


def without_limits(tokenizer: Json) -> Json:
    """What every peer is given: no padding, truncation or special tokens around a text."""
    return {**tokenizer, "truncation": None, "padding": None, "post_processor": None}


def measured(
    tokenizer: Json, sets: dict[str, list[str]]
) -> tuple[pumice.StaticModel, dict[str, Rows]]:
    """MB/s of each peer on each set of texts."""
    import model2vec
    from tokenizers import Tokenizer

    written = json.dumps(without_limits(tokenizer))
    theirs = Tokenizer.from_str(written)
    size = max(theirs.get_vocab().values()) + 1
    rows = np.random.default_rng(0).standard_normal((size, DIMENSIONS), dtype=np.float32)
    model = pumice.StaticModel.from_parts(
        ModelParts(tokenizer=json.loads(written), embeddings=rows, unknown="drop")
    )
    assert model.metadata["tokenizer"]["native"], model.metadata["tokenizer"]["reason"]
    ids = partial(theirs.encode_batch_fast, add_special_tokens=False)
    static = model2vec.StaticModel(rows, Tokenizer.from_str(written), normalize=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        model.save(Path(folder) / "int8.pumice", dtype="int8")
        int8 = pumice.load(Path(folder) / "int8.pumice")
    peers = [
        Peer("pumice", model.encode, "vectors"),
        Peer("pumice, 1 thread", partial(model.encode, threads=1), "vectors"),
        Peer("pumice, int8 rows", int8.encode, "vectors"),
        Peer("model2vec", partial(static.encode, max_length=None), "vectors"),
        Peer("tokenizers", ids, "ids"),
    ]
    unknown = model._core.describe()["unknown_id"]
    figures = {}
    for label, texts in sets.items():
        expected = [[i for i in found.ids if i != unknown] for found in ids(texts)]
        assert model.tokenize(texts) == expected, f"{label}: token ids differ"
        assert_equal(model, peers[1:4], texts[:1000])
        megabytes = sum(len(text.encode()) for text in texts) / 1e6
        calls = {peer.name: partial(peer.call, texts) for peer in peers}
        bounds = {"bound: copy, add rows": bound(model, texts)}
        bounds["bound, int8: copy, add rows"] = bound(int8, texts)
        times = interleaved({**calls, **bounds})
        figures[f"{label}, MB/s"] = {n: [megabytes / t for t in ts] for n, ts in times.items()}
    return model, figures


def vocabularies(folder: Path, *, given: list[Path]) -> None:
    """Measure and print both tokenizers, or those that are given."""
    texts = languages(folder)
    english = chunks(prose([])[0], CHUNK)[:4000]
    sets = {"English prose": english, f"{len(texts)} languages": mixed(texts.values())}
    sets.update(hard_texts())
    if given:
        tokenizers = {path.name: json.loads(path.read_text("utf-8")) for path in given}
    else:
        tokenizers = {
            "Unigram of the text's words": unigram(texts.values()),
            "byte-level BPE, trained": byte_level_bpe(list(texts.values())),
        }
    for name, tokenizer in tokenizers.items():
        model, figures = measured(tokenizer, sets)
        print(f"\n== {name}")
        print_machine(model, [])
        for label, rows in figures.items():
            print_table(label, rows)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tokenizer", nargs="*", type=Path, help="tokenizer.json files")
    parser.add_argument("--text", type=Path, default=GUIDE, help="a folder of a folder a language")
    args = parser.parse_args()
    if not args.text.is_dir():
        parser.error(f"{args.text} is absent: install installation-guide-amd64, or name a folder")
    vocabularies(args.text, given=args.tokenizer)


if __name__ == "__main__":
    main()
