"""Pairs from documents: titles, headings and first sentences, and what is no query for its text."""

from __future__ import annotations

import pytest

import pumice
from pumice.errors import InputError
from pumice.train import Pair, TrainOptions
from pumice.train.corpus import Document
from pumice.train.queries import pairs_from_documents

BODY = "It has walls of clay and a roof of reed."


def made(*documents: Document, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Pair]]:
    monkeypatch.setattr("pumice.train.queries.FEWEST_PAIRS", 1)
    return {source.name: list(source.pairs or ()) for source in pairs_from_documents(documents)}


def test_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = f"## Roofs ##\n{BODY} Of reed.\n\nWalls\n-----\nOf clay, as has been said."
    sections += "\n\nDoors\n~~~~~\nOf wood, or of a hide.\n~~~\nno heading\n~~~"
    text = f"A house is a place to live in. {BODY}\n\n{sections}"
    found = made(Document("House", text), monkeypatch=monkeypatch)
    assert found == {
        "titles": [Pair("House", text)],
        "headings": [
            Pair("Roofs", f"{BODY} Of reed."),
            Pair("Walls", "Of clay, as has been said."),
            Pair("Doors", "Of wood, or of a hide.\n~~~\nno heading\n~~~"),
        ],
        "first sentences": [Pair("A house is a place to live in.", BODY)],
    }


@pytest.mark.parametrize(
    ("sentence", "rest"),
    [
        ("집은 사람이 그 안에 사는 건물을 말한다고 한다. ", BODY),
        (
            "家是人们居住的地方，里面有墙和屋顶，还有窗户与门。",
            "它的墙是用泥土做的，屋顶是用芦苇做成的，门是木头的。",
        ),
        ("घर रहने की एक जगह होती है जहाँ लोग रहते हैं। ", BODY),
        ("هل البيت مكان للعيش فيه مع العائلة؟ ", BODY),
        ("A house, e.g. that of Dr. Hut, is no tent.\n", BODY),
        ('He said: "This is a house." ', BODY),
    ],
)
def test_first_sentences(monkeypatch: pytest.MonkeyPatch, sentence: str, rest: str) -> None:
    found = made(Document("", sentence + rest), monkeypatch=monkeypatch)
    assert found == {"first sentences": [Pair(sentence.strip(), rest)]}


@pytest.mark.parametrize(
    "document",
    [
        Document("", "One sentence is no pair by itself."),
        Document("A house", "A house"),
        Document("A house", "a  HOUSE\n"),
        Document("A house", "A house. A house. A house. A house."),
        Document("A house", "A house: of clay"),
        Document("1.2.3", BODY),
        Document("...", BODY),
        Document("long " * 100, BODY),
        Document("", "# A heading and nothing under it"),
        Document("", "# A heading\n"),
        Document("", "#no heading\n" + BODY),
    ],
)
def test_no_query_for_its_text(monkeypatch: pytest.MonkeyPatch, document: Document) -> None:
    with pytest.raises(InputError, match="gives too few pairs"):
        made(document, monkeypatch=monkeypatch)


def test_repeated_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    under = "# Parameters\n" + BODY
    found = made(
        Document("walls", under),
        Document("roofs", under + " Another."),
        Document("roofs", "A second text of the same title is another's."),
        Document("", under),
        monkeypatch=monkeypatch,
    )
    assert found["headings"] == [
        Pair("walls: Parameters", BODY),
        Pair("roofs: Parameters", f"{BODY} Another."),
    ]
    assert [pair.anchor for pair in found["titles"]] == ["walls", "roofs"]


def test_a_title_that_the_text_repeats_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(Document("A  House", f"A house\n=======\n\n{BODY}"), monkeypatch=monkeypatch)
    assert found["titles"] == [Pair("A House", BODY)]


def test_pairs_train(start: pumice.StaticModel) -> None:
    pytest.importorskip("torch")
    documents = [
        Document(f"bata {n}", f"the dori of leri {n} and fipek. Mota of kusun {n} and the rest.")
        for n in range(40)
    ]
    sources = pairs_from_documents(documents)
    assert [source.name for source in sources] == ["titles", "first sentences"]
    options = TrainOptions(batch_size=16, hold_out=0, mine=2, threads=1)
    training = pumice.train(sources, start=start, options=options)
    assert [s["name"] for s in training.model.metadata["provenance"]["sources"]] == [
        "titles",
        "first sentences",
    ]


def test_too_few_pairs_are_told() -> None:
    with pytest.raises(InputError, match=r"\(1 from titles, 0 from headings, 0 from first"):
        pairs_from_documents([Document("House", BODY)])
