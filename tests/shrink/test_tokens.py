"""Fewer tokens, in every family: ids are the library's, kept tokens keep their rows, nothing turns unknown."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pumice
from pumice.errors import InputError, ModelFileError
from pumice.modelfile import ModelParts
from pumice.modelfile.vocabulary import unknown_id
from pumice.shrink import Shrinker
from pumice.shrink.needed import needed_tokens
from tests.parity import small_tokenizers
from tests.shrink.tokenizers import BUILD, Json, library_ids, model_of

SAMPLES = [
    *small_tokenizers.corpus()[:60],
    "The newest,  widest word; don't ab-abc A B 12-ab! é c b! <mask>",
    "京京 ﬁ 가 \u0301 e\u0301 😀\u200d😀 never seen: Ж ⅷ",
    "",
    " ",
    "x" * 300,
]


@cache
def whole(name: str) -> pumice.StaticModel:
    return model_of(BUILD[name]())


@cache
def shrinker(name: str) -> Shrinker:
    return Shrinker(whole(name), corpus=SAMPLES)


@cache
def shrunk(name: str, share: int) -> pumice.StaticModel:
    one = shrinker(name)
    return one.model(tokens=one.fewest + (one.total - one.fewest) * share // 4)


def unknowns(model: pumice.StaticModel, ids: list[int]) -> int:
    return ids.count(unknown_id(model.parts().tokenizer) or 0) if ids else 0


@pytest.mark.parametrize("share", [0, 2])
@pytest.mark.parametrize("name", BUILD)
def test_ids_are_the_librarys_and_rows_the_tokens_own(name: str, share: int) -> None:
    model, before = shrunk(name, share), whole(name)
    assert len(model.tokens) < len(before.tokens)
    assert model.tokenize(SAMPLES) == library_ids(model, SAMPLES)
    rows, old_rows = model.parts().embeddings, before.parts().embeddings
    place = {token: index for index, token in enumerate(before.tokens)}
    for index, token in enumerate(model.tokens):
        if token in place:
            assert np.array_equal(rows[index], old_rows[place[token]]), token


@pytest.mark.parametrize("name", [name for name in BUILD if "word_level" not in name])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_what_was_spelled_stays_spelled(name: str, data: st.DataObject) -> None:
    model, before = shrunk(name, 0), whole(name)
    letters = sorted({letter for token in before.tokens for letter in token} | {" "})
    text = data.draw(
        st.lists(st.sampled_from(before.tokens) | st.sampled_from(letters), max_size=8)
    )
    for joint in ("", " "):
        joined = joint.join(text)
        if not unknowns(before, before.tokenize(joined)):
            assert not unknowns(model, model.tokenize(joined)), joined


@pytest.mark.parametrize("name", ["wordpiece", "unigram", "bpe_byte_level", "golden unigram"])
def test_a_text_of_kept_tokens_alone_has_the_same_vector(name: str) -> None:
    before, model = whole(name), shrunk(name, 2)
    same = [
        text
        for text in SAMPLES
        if [before.tokens[i] for i in before.tokenize(text)]
        == [model.tokens[i] for i in model.tokenize(text)]
    ]
    assert len(same) > 10
    assert np.array_equal(before.encode(same), model.encode(same))


def test_the_most_frequent_stay() -> None:
    one = Shrinker(whole("wordpiece"), corpus={"newest": 9, "widest": 8, "lower": 1})
    model = one.model(tokens=one.fewest + 2)
    assert {"newest", "widest"} <= set(model.tokens)
    assert "lower" not in model.tokens
    assert len(model.tokens) == one.fewest + 2


def test_without_a_corpus_the_model_ranks() -> None:
    tokenizer = small_tokenizers.trained_wordpiece()
    by_id = Shrinker(model_of(tokenizer))
    count = by_id.fewest + 5
    tokens = list(tokenizer["model"]["vocab"])
    stay = needed_tokens(tokenizer).stay
    kept = [token for token in by_id.model(tokens=count).tokens if token not in stay]
    assert kept == [token for token in tokens if token not in stay][:5]

    weights = np.linspace(2, 1, len(tokens), dtype=np.float32)  # the last ones are most frequent
    by_weight = Shrinker(model_of(tokenizer, token_weights=weights))
    kept = [token for token in by_weight.model(tokens=count).tokens if token not in stay]
    assert kept == [token for token in tokens if token not in stay][-5:]

    unigram = small_tokenizers.unigram()
    scores = dict(unigram["model"]["vocab"])
    by_score = Shrinker(model_of(unigram))
    model = by_score.model(tokens=(by_score.fewest + by_score.total) // 2)
    dropped = scores.keys() - set(model.tokens)
    kept_pieces = set(model.tokens) - needed_tokens(unigram).stay
    assert min(scores[token] for token in kept_pieces) >= max(scores[token] for token in dropped)


def test_a_character_without_a_piece_of_its_own_gets_one() -> None:
    vocab = ["[UNK]", "a", "##b", "東京", "東北", "x", "ab", "xb", "abb"]
    tokenizer = small_tokenizers.bert(
        {token: index for index, token in enumerate(vocab)},
        flags={**small_tokenizers.BERT_FLAGS[0], "handle_chinese_chars": False},
    )
    before = model_of(tokenizer)
    one = Shrinker(before, corpus={"x": 1})
    assert needed_tokens(tokenizer).missing == ("##京", "##北", "東")
    model = one.model(tokens=one.fewest)
    assert sorted(set(model.tokens) - set(vocab)) == ["##京", "##北", "東"]
    assert "東京" not in model.tokens
    ids = model.tokenize("東京 東北")
    assert [model.tokens[i] for i in ids] == ["東", "##京", "東", "##北"]
    assert ids == library_ids(model, ["東京 東北"])[0]
    rows, old = model.parts().embeddings, before.parts().embeddings
    assert rows[model.tokens.index("##京")] == pytest.approx(old[3] / 2)
    assert rows[model.tokens.index("東")] == pytest.approx((old[3] + old[4]) / 4)
    assert len(one.model(tokens=one.total).tokens) == len(vocab)  # nothing dropped, nothing added


def test_merges_stay_whole() -> None:
    model = shrunk("bpe_byte_level", 2)
    bpe = model.parts().tokenizer["model"]
    made = {left + right for left, right in bpe["merges"]}
    assert all(l in bpe["vocab"] and r in bpe["vocab"] for l, r in bpe["merges"])  # noqa: E741
    longer = {token for token in bpe["vocab"] if len(token) > 1} - {"<|end|>"}
    assert longer == made
    assert len(bpe["merges"]) < len(BUILD["bpe_byte_level"]()["model"]["merges"])


def test_a_word_that_goes_from_word_level_is_unknown() -> None:
    model = Shrinker(whole("word_level"), corpus={"the": 1}).model(tokens=2)
    assert sorted(model.tokens) == ["[UNK]", "the"]
    assert [model.tokens[i] for i in model.tokenize("the newest")] == ["the", "[UNK]"]


def test_phrases_go_and_other_added_tokens_stay() -> None:
    name = "golden phrases"
    model = shrunk(name, 0)
    added = {one["content"] for one in model.parts().tokenizer["added_tokens"]}
    assert {"<mask>", "b c", "12-ab", "b!", "é c"} <= added  # these may stand inside words
    assert "a b" not in added
    assert [model.tokens[i] for i in model.tokenize("a b")] == ["a", "b"]


def test_a_post_processor_is_renumbered(bert_tokenizer: Json) -> None:
    assert bert_tokenizer["post_processor"]["type"] == "TemplateProcessing"
    one = Shrinker(model_of(bert_tokenizer), corpus={"volcano": 3})
    model = one.model(tokens=one.fewest + 1)
    tokenizer = model.parts().tokenizer
    special = tokenizer["post_processor"]["special_tokens"]["[CLS]"]
    assert special["ids"] == [model.tokens.index("[CLS]")]
    assert "volcano" in model.tokens
    assert model.tokenize(SAMPLES) == library_ids(model, SAMPLES)


def test_rows_that_tokens_share_and_weights() -> None:
    tokenizer = small_tokenizers.trained_wordpiece()
    count = len(tokenizer["model"]["vocab"])
    rng = np.random.default_rng(0)
    parts = ModelParts(
        tokenizer,
        rng.integers(-127, 128, (50, 8)).astype(np.int8),
        unknown="average",
        token_rows=rng.integers(0, 50, count),
        token_weights=rng.uniform(0.5, 2, count).astype(np.float32),
    )
    before = pumice.StaticModel.from_parts(parts)
    text = "the lower"
    corpus = {before.tokens[i]: 1 for i in before.tokenize(text)}
    model = pumice.shrink(before, tokens=count // 2, corpus=corpus)
    small = model.parts()
    assert small.token_rows is not None
    assert len(small.embeddings) <= 50
    wanted, found = before.token_vectors(text), model.token_vectors(text)
    assert wanted.tokens == found.tokens
    assert found.vectors == pytest.approx(wanted.vectors, rel=1e-6)


def test_too_few_tokens_and_other_models_are_told() -> None:
    one = shrinker("wordpiece")
    with pytest.raises(InputError, match=f"give at least {one.fewest}"):
        one.model(tokens=one.fewest - 1)
    with pytest.raises(InputError, match="tokens=0 is not a positive whole number"):
        one.model(tokens=0)
    tokenizer = BUILD["wordpiece"]()
    tokenizer["model"] = {**tokenizer["model"], "type": "Foo"}
    with pytest.raises(ModelFileError, match="'Foo' cannot be shrunk"):
        needed_tokens(tokenizer)


@pytest.mark.parametrize(
    "damage",
    [
        {"merges": ["t h e"]},
        {"merges": [["t"]]},
        {"merges": [7]},
        {"merges": {"a": 1}},
    ],
)
def test_damaged_merges_are_told(damage: Json) -> None:
    tokenizer = BUILD["bpe_byte_level"]()
    before = model_of(tokenizer)
    parts = before.parts()
    damaged = {**parts.tokenizer, "model": {**parts.tokenizer["model"], **damage}}
    broken = pumice.StaticModel.from_parts(before.parts())
    broken._file.__dict__["tokenizer"] = damaged  # as a file's own section would have it
    with pytest.raises(ModelFileError, match=r"tokenizer\.json is damaged"):
        Shrinker(broken, corpus={"the": 1}).model(tokens=300)
