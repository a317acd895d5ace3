"""BPE and WordLevel give the token ids of Hugging Face tokenizers: byte-level and SentencePiece-style."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from pumice.modelfile.container import Kind
from pumice.modelfile.native import compile_tokenizer
from pumice.modelfile.pre_tokenizers import PATTERNS
from tests.parity import small_tokenizers as small
from tests.parity import texts
from tests.parity.test_pre_tokenizers import apostrophe_texts, around
from tests.parity.test_token_ids import SameIds, assert_same_ids, parts_of

Json = dict[str, Any]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def byte_level(pattern: str | None, *, prefix: bool = False, **model: Any) -> Json:
    """A trained byte-level BPE that splits by one of PATTERNS, or by ByteLevel's own."""
    tokenizer = Tokenizer(models.BPE())
    own = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=pattern is None)
    split = pattern and pre_tokenizers.Split(Regex(pattern), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, own]) if split else own
    trainer = trainers.BpeTrainer(
        vocab_size=1500,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|end|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator([*small.corpus(), "\0\0\0 \0\0\0 \0\0\0 don't we'll"], trainer)
    return overridden(small.as_json(tokenizer), **model)


def sentencepiece(**model: Any) -> Json:
    """A trained BPE over characters, one piece a text, unknown characters spelled in bytes."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_next")
    trainer = trainers.BpeTrainer(
        vocab_size=1500, special_tokens=["<unk>", *BYTES], limit_alphabet=200, show_progress=False
    )
    tokenizer.train_from_iterator(small.corpus(), trainer)
    trained = overridden(small.as_json(tokenizer), **model)
    special = [added for added in trained["added_tokens"] if added["content"] == "<unk>"]
    return {**trained, "pre_tokenizer": None, "added_tokens": special}


def llama2(**model: Any) -> Json:
    """SentencePiece-style BPE as converted: the normalizer writes spaces, and there is no pre-tokenizer."""
    trained = sentencepiece(**model)
    vocab = {token.replace(" ", "\u2581"): i for token, i in trained["model"]["vocab"].items()}
    merges = [[part.replace(" ", "\u2581") for part in m] for m in trained["model"]["merges"]]
    replace_spaces = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    steps = [{"type": "Prepend", "prepend": "\u2581"}, replace_spaces]
    normalizer = {"type": "Sequence", "normalizers": steps}
    return {**overridden(trained, vocab=vocab, merges=merges), "normalizer": normalizer}


def qwen2() -> Json:
    """Byte-level BPE over NFC, with the Qwen pattern."""
    return {**byte_level(PATTERNS[2]), "normalizer": {"type": "NFC"}}


def overridden(tokenizer: Json, **model: Any) -> Json:
    return {**tokenizer, "model": {**tokenizer["model"], **model}}


def without_tokens(tokenizer: Json, gone: Callable[[str], bool]) -> Json:
    """The tokenizer without some tokens, and the merges that make or use them; ids move up."""
    model = tokenizer["model"]
    kept = {token for token in model["vocab"] if not gone(token)}
    merges = [(a, b) for a, b in model["merges"] if {a, b, a + b} <= kept]
    vocab = {token: index for index, token in enumerate(t for t in model["vocab"] if t in kept)}
    added = [{**a, "id": vocab[a["content"]]} for a in tokenizer["added_tokens"]]
    return {**overridden(tokenizer, vocab=vocab, merges=merges), "added_tokens": added}


def every_split(tokenizer: Json, *, seed: int = 6) -> Json:
    """All ways to make a token of two, as converted tiktoken vocabularies have them, in random order."""
    vocab = tokenizer["model"]["vocab"]
    pairs = [(t[:i], t[i:]) for t in vocab for i in range(1, len(t))]
    merges = [pair for pair in pairs if set(pair) <= vocab.keys()]
    random.Random(seed).shuffle(merges)
    return overridden(tokenizer, merges=merges)


def converted(tokenizer: Json) -> Json:
    """All ways to make a token of two, in the order that converters of tiktoken vocabularies write them."""
    vocab = tokenizer["model"]["vocab"]
    merges = []
    for token in sorted(vocab, key=vocab.__getitem__):
        pairs = [(token[:i], token[i:]) for i in range(1, len(token))]
        known = [pair for pair in pairs if set(pair) <= vocab.keys()]
        merges += sorted(known, key=lambda pair: (vocab[pair[0]], vocab[pair[1]]))
    return overridden(tokenizer, merges=merges)


def scattered_merges(tokenizer: Json) -> Json:
    """The trained merges in random order: many tokens are no longer what their text merges to."""
    merges = list(tokenizer["model"]["merges"])
    random.Random(4).shuffle(merges)
    return overridden(tokenizer, merges=merges)


TOKENIZERS: dict[str, Callable[[], Json]] = {
    "gpt2": lambda: byte_level(None),
    "gpt2_prefix": lambda: byte_level(None, prefix=True),
    "llama3": lambda: byte_level(PATTERNS[1]),
    "llama3_ignore_merges": lambda: scattered_merges(byte_level(PATTERNS[1], ignore_merges=True)),
    "llama3_scattered": lambda: scattered_merges(byte_level(PATTERNS[1])),
    "llama3_every_split": lambda: every_split(byte_level(PATTERNS[1])),
    "llama3_converted": lambda: converted(byte_level(PATTERNS[1], ignore_merges=True)),
    "qwen": lambda: byte_level(PATTERNS[2]),
    "bytes_missing": lambda: without_tokens(
        byte_level(None), lambda t: ord(t[0]) % 7 == 3 and t[0] != "<"
    ),
    "bytes_unknown": lambda: overridden(
        without_tokens(byte_level(None), lambda t: ord(t[0]) % 7 == 3 and t[0] != "<"),
        unk_token="a",
    ),
    "sentencepiece": sentencepiece,
    "sentencepiece_ignore_merges": lambda: sentencepiece(ignore_merges=True),
    "sentencepiece_every_split": lambda: every_split(sentencepiece()),
    "llama2": llama2,
    "qwen2": qwen2,
    "no_byte_fallback": lambda: sentencepiece(byte_fallback=False),
    "no_fuse": lambda: sentencepiece(byte_fallback=False, fuse_unk=False),
    "no_unknown": lambda: sentencepiece(byte_fallback=False, unk_token=None),
    # Some bytes have no token: those characters are unknown, and come after bytes that follow them.
    "byte_fallback_missing": lambda: without_tokens(
        sentencepiece(), lambda t: t in BYTES and BYTES.index(t) % 5 == 2
    ),
    "word_level": small.word_level,
}


@pytest.fixture(scope="module", params=TOKENIZERS)
def ids(request: pytest.FixtureRequest) -> SameIds:
    same = SameIds(parts_of(TOKENIZERS[request.param]()))
    assert same.model.metadata["tokenizer"]["native"]
    return same


def runs() -> Iterator[str]:
    """100 kB of one thing, and what a quadratic merge would never end with."""
    for run in (
        "a",
        "1",
        " ",
        "\n",
        "the",
        "lower newest ",
        "'",
        "\u4e2d",
        "\U0001f468\u200d",
        "\0",
        "ab",
    ):
        yield run * (100_000 // len(run.encode()))
    yield "".join(random.Random(9).choices("thelowrnws", k=100_000))


def hostile() -> Iterator[str]:
    yield from (text for text in texts.hostile_texts().values() if len(text) < 20_000)
    yield from (
        "<0x41>",
        "<0x00>\0",
        "<|end|>the",
        "\0\0\0 \0\0\0\0\0",
        "the lower newest widest",
        "\uff27pt",
    )


def test_hostile_texts(ids: SameIds) -> None:
    ids.check(hostile())


def test_long_runs(ids: SameIds) -> None:
    ids.check(runs())


def test_random_texts(ids: SameIds) -> None:
    ids.check(texts.random_texts(1_500, seed=13))


def test_training_corpus(ids: SameIds) -> None:
    ids.check([*small.corpus(), "\n".join(small.corpus())])


def test_apostrophes(ids: SameIds) -> None:
    ids.check(apostrophe_texts())


def test_code_points_sampled(ids: SameIds) -> None:
    ids.check(around(texts.telling_points()[::11]))


def test_limits(ids: SameIds) -> None:
    corpus = [*hostile(), *texts.random_texts(100, seed=14)]
    for limits in ({"max_tokens": 3}, {"max_tokens": 20, "max_chars": 25}, {"unknown": "drop"}):
        assert_same_ids(replace(parts_of(ids.tokenizer), **limits), corpus)


@pytest.mark.slow
def test_code_points_all(ids: SameIds) -> None:
    ids.check(around(texts.SCALARS))


@pytest.mark.slow
def test_random_texts_all(ids: SameIds) -> None:
    ids.check(texts.random_texts(30_000, seed=15))


@pytest.mark.slow
def test_evaluation_texts(ids: SameIds, data_dir: Path) -> None:
    ids.check(texts.eval_texts(data_dir, each=2_000))


@pytest.mark.parametrize("seed", range(40))
def test_merges_that_share_a_result(seed: int) -> None:
    """Many merges give one token, and most that wait are outdated when their turn comes."""
    rng = random.Random(seed)
    words = {"".join(rng.choices("abc", k=rng.randint(2, 6))) for _ in range(60)}
    vocab = {token: i for i, token in enumerate(["a", "b", "c", *sorted(words)])}
    tokenizer = small.as_json(Tokenizer(models.BPE(vocab, [], ignore_merges=False)))
    corpus = ["".join(rng.choices("abc", k=rng.randint(1, 40))) for _ in range(1_000)]
    assert_same_ids(parts_of(every_split({**tokenizer, "added_tokens": []}, seed=seed)), corpus)


def grown(rng: random.Random, *, tokens: int, letters: str = "abc") -> Json:
    """A vocabulary in which any two tokens may have become the next: longest tokens often lead nowhere."""
    vocab = list(letters)
    merges: dict[tuple[str, str], None] = {}
    while len(vocab) < tokens:
        pair = rng.choice(vocab), rng.choice(vocab)
        if len("".join(pair)) <= 12 and pair not in merges:
            merges[pair] = None
            if "".join(pair) not in vocab:
                vocab.append("".join(pair))
    model = models.BPE({t: i for i, t in enumerate(vocab)}, list(merges), ignore_merges=False)
    return {**small.as_json(Tokenizer(model)), "added_tokens": []}


def reads_longest(parts: Any) -> bool:
    """Whether the core reads the longest tokens, and does not merge."""
    native = compile_tokenizer(parts.tokenizer)
    return Kind.TOKEN_PARTS in native.sections


@pytest.mark.parametrize("seed", range(40))
def test_merges_at_random(seed: int) -> None:
    """Tokens that grew at random, on texts of them: the longest is often not the one that merging leaves."""
    rng = random.Random(seed)
    tokenizer = grown(rng, tokens=rng.randint(5, 80))
    tokens = list(tokenizer["model"]["vocab"])
    corpus = ["".join(rng.choices("abc", k=rng.randint(1, 60))) for _ in range(500)]
    corpus += ["".join(rng.choices(tokens, k=rng.randint(1, 120))) for _ in range(500)]
    corpus.append("".join(rng.choices(tokens, k=3_000)))
    parts = parts_of(tokenizer)
    same = SameIds(parts)
    same.check(corpus)
    # Spans are found with the ids; tokens cover what they are spelled as.
    for text in corpus[490:510]:
        spans = same.model.token_vectors(text)
        assert [text[begin:end] for begin, end in spans.spans] == list(spans.tokens)
    one = same.model.tokenize(corpus[:300])
    assert one == [same.model.tokenize([text])[0] for text in corpus[:300]]


def test_which_are_not_merged() -> None:
    """Trained vocabularies are read from the left; where a token is merged before its parts, none is."""
    for name, reads in (
        ("llama3", True),
        ("llama3_converted", True),
        ("llama2", True),
        ("gpt2", True),
    ):
        assert reads_longest(parts_of(TOKENIZERS[name]())) == reads, name
    assert not reads_longest(parts_of(TOKENIZERS["llama3_every_split"]()))
    assert sum(reads_longest(parts_of(grown(random.Random(i), tokens=40))) for i in range(20)) >= 10


def test_merges_of_tokens_that_no_text_has() -> None:
    """The empty token, and a byte-level vocabulary's outside ByteLevel's alphabet, may be merged too."""
    plain = overridden(
        byte_level(None),
        vocab={"a": 0, "b": 1, "ab": 2, "日": 3, "本": 4, "日本": 5, "": 6},
        merges=[["a", "b"], ["日", "本"], ["", "a"]],
    )
    assert_same_ids(parts_of({**plain, "added_tokens": []}), ["abba", "日本", "a日本b", ""])


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ({"dropout": 0.5}, "dropout"),
        ({"end_of_word_suffix": "</w>"}, "end_of_word_suffix"),
        ({"unk_token": "nowhere"}, "nowhere"),
    ],
)
def test_what_the_core_does_not_run(model: Json, reason: str) -> None:
    same = SameIds(parts_of(overridden(byte_level(None), **model)), native=False)
    assert reason in same.model.metadata["tokenizer"]["reason"]


def test_merges_as_strings() -> None:
    """Older files write a merge as "left right"."""
    tokenizer = byte_level(None)
    merges = [" ".join(merge) for merge in tokenizer["model"]["merges"]]
    assert_same_ids(parts_of(overridden(tokenizer, merges=merges)), texts.random_texts(50))


def test_the_same_bytes() -> None:
    from pumice.modelfile.compiler import compile_model

    parts = parts_of(byte_level(None))
    assert compile_model(parts) == compile_model(parts)
