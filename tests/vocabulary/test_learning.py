"""Learned vocabularies: the library's ids, its counts, the same bytes on every run, and hostile texts."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tokenizers")

from pumice.errors import InputError, ModelFileError
from pumice.vocabulary import VocabularyOptions, learn_vocabulary, useful_entries
from pumice.vocabulary.counting import count_texts
from tests.parity import texts as parity
from tests.parity.test_token_ids import assert_same_ids, expected_ids, parts_of
from tests.vocabulary.corpora import KOREAN, NAMES, made_texts

OPTIONS = VocabularyOptions(size=126, words=12, phrases=4)
HOSTILE = [text for text in parity.hostile_texts().values() if len(text) < 20_000]


@pytest.mark.parametrize("lowercase", [True, False])
def test_the_core_gives_the_librarys_ids(lowercase: bool) -> None:
    corpus = [*made_texts(), *KOREAN]
    size = 260
    options = VocabularyOptions(size=size, words=12, phrases=4, lowercase=lowercase)
    learned = learn_vocabulary(corpus, options=options)
    assert len(learned.counts) == size
    phrases = [beside + p + beside for p in learned.phrases for beside in (" ", "", "-", "'", "s")]
    texts = [*corpus, *HOSTILE, *phrases, *map(str.upper, phrases), *parity.random_texts(200)]
    assert_same_ids(parts_of(learned.tokenizer), texts)


def test_names_become_phrases_and_the_counts_are_the_librarys() -> None:
    corpus = made_texts()
    learned = learn_vocabulary(corpus, options=OPTIONS)
    assert set(learned.phrases) == set(NAMES)
    tokens = list(learned.counts)
    ids = expected_ids(parts_of(learned.tokenizer, unknown="drop"))(corpus)
    counted = Counter(tokens[i] for row in ids for i in row)
    assert learned.counts == {token: counted[token] for token in tokens}
    assert all(counted[phrase] > 10 for phrase in NAMES)
    assert all(counted[word] >= 5 for word in learned.words)


def test_the_words_spare_the_most_tokens() -> None:
    """Each word more is worth as much as the library says, and those that follow it are worth less."""
    corpus = made_texts()
    words = learn_vocabulary(corpus, options=VocabularyOptions(size=112, words=12)).words
    tokens = [
        sum(learn_vocabulary(corpus, options=VocabularyOptions(100 + n, words=n)).counts.values())
        for n in range(13)
    ]
    spared = [before - after for before, after in pairwise(tokens)]
    assert len(words) == 12
    assert spared == sorted(spared, reverse=True)
    assert spared[-1] > 0


def test_hash_seeds_and_threads_change_nothing() -> None:
    told = (
        "import json; from pumice.vocabulary import *; from tests.vocabulary.corpora import *;"
        "o = VocabularyOptions(size=260, words=12, phrases=4);"
        "print(json.dumps(vars(learn_vocabulary([*made_texts(), *KOREAN], options=o))))"
    )
    found = set()
    for seed, threads in ((1, 1), (2, 2), (3, 7), (4, 2)):
        env = {**os.environ, "PYTHONHASHSEED": str(seed), "RAYON_NUM_THREADS": str(threads)}
        env["PYTHONPATH"] = os.pathsep.join(sys.path)
        done = subprocess.run(
            [sys.executable, "-c", told],
            env=env,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        )
        found.add(hashlib.sha256(done.stdout).hexdigest())
    assert len(found) == 1


def test_words_are_split_as_the_library_splits_them() -> None:
    """But for punctuation of scripts that are newer than the library's tables."""
    from tokenizers import Tokenizer, models

    for lowercase in (True, False):
        shell: dict[str, Any] = json.loads(Tokenizer(models.BPE()).to_str())
        shell |= {
            "normalizer": (normalizer := VocabularyOptions(lowercase=lowercase).normalizer()),
            "pre_tokenizer": {"type": "BertPreTokenizer"},
        }
        reference = Tokenizer.from_str(json.dumps(shell))
        split = reference.pre_tokenizer.pre_tokenize_str
        marks = {chr(p) for p in range(0x110000) if unicodedata.category(chr(p))[0] == "P"}
        newer = {mark for mark in marks if len(split(f"a{mark}a")) == 1}
        assert len(newer) < 120
        for text in (*HOSTILE, *parity.random_texts(400), *made_texts(50), *KOREAN):
            if newer.intersection(text):
                continue
            normalized = reference.normalizer.normalize_str(text)
            pieces = [piece for piece, _ in split(normalized)]
            expected = Counter(piece for piece in pieces if len(piece) <= 100)
            found = count_texts(["x", text], normalizer=normalizer, runs=False).words
            assert found == expected + Counter("x"), ascii(text[:80])


@pytest.mark.parametrize(
    "corpus",
    [
        ["a" * 1_000_000 + " b"] * 6,
        [".,!?" * 1000],
        ["\0\x01 x\x7f " * 100],
        ["\U0001f468\u200d\U0001f469\u200d\U0001f467 " * 20, "\u0301\u0301e " * 20],
        ["\u5317\u4eac\u5e02 " * 100, "\u3042\u308a\u304c\u3068\u3046" * 20],
        [" ".join(map(chr, range(0xAC00, 0xAC00 + 2000))) * 6],
        ["##ing ## [UNK] [unk] #" * 30],
        HOSTILE * 3,
    ],
    ids=range(8),
)
def test_hostile_corpora(corpus: list[str]) -> None:
    """Learned, natively and as the library has it, or refused in a sentence."""
    try:
        learned = learn_vocabulary(corpus, options=VocabularyOptions(size=90_000))
    except InputError as error:
        told = str(error)
        size = next((int(word) for word in told.split() if word.isdigit()), 0)
        if size < 2:
            assert "no words" in told
            return
        # What the sentence says is supported is.
        learned = learn_vocabulary(corpus, options=VocabularyOptions(size=size))
    assert_same_ids(parts_of(learned.tokenizer), [*corpus, *HOSTILE[:50]])


def test_syllables_stay_whole_without_folded_accents() -> None:
    for strip in (True, False):
        options = VocabularyOptions(size=110, strip_accents=strip)
        learned = learn_vocabulary(KOREAN, options=options)
        assert ("서울" in learned.counts) != strip
        assert ("\u1109" in learned.counts) == strip
        assert_same_ids(parts_of(learned.tokenizer), [*KOREAN, "Café", *HOSTILE[:50]])


def test_words_of_rare_characters_teach_nothing() -> None:
    """Nor do their other letters: what the vocabulary cannot spell is one unknown token."""
    rare = [chr(point) for point in range(0x2190, 0x21C0)]
    corpus = ["stone bridge"] * 50 + [f"st{one}on st{one}on" for one in rare]
    learned = learn_vocabulary(corpus, options=VocabularyOptions(size=60))
    known = [one for one in rare if f"##{one}" in learned.counts]
    assert 0 < len(known) < len(rare)
    assert {"stone", "bridge"} <= set(learned.counts)


@pytest.mark.parametrize(
    ("corpus", "options", "message"),
    [
        ([], {}, "the corpus holds no words"),
        ([" \n"], {}, "the corpus holds no words"),
        ("one text", {}, "corpus is of type str: give a list of texts"),
        (iter(["a"]), {}, "corpus can be read only once"),
        (["a", 5], {}, "corpus text 1 is of type int"),
        (["a", "\ud800"], {}, "corpus text 1 holds a lone surrogate at character 0"),
        (made_texts(), {"size": 20}, "characters of the corpus alone are"),
        (made_texts(), {"size": 100_000}, "the corpus supports"),
        (made_texts(), {"size": 9000, "words": 8900}, "words is 8900, and"),
        (made_texts(), {"size": 150, "phrases": 9}, "phrases is 9, and 4 of the corpus occur 5"),
        ([], {"size": True}, "size is True: give a whole number from 2"),
        ([], {"words": -1}, "words is -1: give a whole number from 0"),
        ([], {"size": 30, "words": 20, "phrases": 10}, "leave no room for sub-words"),
        ([], {"lowercase": 1}, "lowercase is 1: give True or False"),
        ([], {"strip_accents": None}, "strip_accents is None: give True or False"),
    ],
)
def test_mistakes(corpus: Iterable[str], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        learn_vocabulary(corpus, options=VocabularyOptions(**options))
    assert message in str(error.value)


def test_what_a_tokenizer_lacks(bert_tokenizer: dict[str, Any]) -> None:
    corpus = ["Fibromyalgia, said they: New York. Dermatomyositis."] * 9
    corpus += [f"in may they said so {n} and so" for n in range(3000)]
    corpus += ["york said in may", "new and so in may"]
    assert useful_entries(corpus, tokenizer=bert_tokenizer, words=2, phrases=1) == [
        "dermatomyositis",
        "fibromyalgia",
        "new york",
    ]


def test_a_damaged_tokenizer_is_told() -> None:
    with pytest.raises(ModelFileError, match=r"tokenizer.json is damaged \(.+\): save"):
        useful_entries(made_texts(), tokenizer={"model": {"type": "WordPiece"}}, words=1, phrases=0)
