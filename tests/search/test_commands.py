"""pumice index, search and demo as a user runs them: real processes, exit codes, no traceback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pumice.commands.search import parse_filters
from pumice.errors import InputError
from pumice.search import Hit
from pumice.search.earned import Explainer
from pumice.search.highlight import Match, best_sentences
from pumice.search.rendering import ASTERISKS, marked_lines, place_of
from pumice.search.stdlib_docs import standard_library
from pumice.terminal import printable

PASSPORT = (
    "Opening hours are nine to five.\nYou renew a passport at the town hall.\nParking is free."
)


@pytest.fixture
def pumice(tmp_path: Path) -> Any:
    """Runs the command line in a folder and a home of its own."""
    home = {"HOME": str(tmp_path / "home"), "XDG_DATA_HOME": "", "XDG_CACHE_HOME": ""}

    def run(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        ran = subprocess.run(
            [sys.executable, "-m", "pumice.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **home},
        )
        assert ran.returncode == code, ran.stderr
        assert "Traceback" not in ran.stderr
        return ran

    return run


def test_index_then_search_without_further_flags(
    pumice: Any, tmp_path: Path, model_path: Path
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "travel.txt").write_text(PASSPORT)
    (tmp_path / "notes" / "cat.md").write_text("The cat sleeps.")
    (tmp_path / "notes" / "photo.jpg").write_bytes(b"\xff\xd8")
    told = pumice("index", "notes", "--model", model_path).stdout
    assert "indexed  2 files, 2 passages" in told
    assert "photo.jpg: format .jpg is not supported" in told
    assert 'pumice search "your question"' in told

    answer = pumice("search", "how do I renew my passport").stdout
    assert re.match(r"1  \d\.\d{3}  notes/travel\.txt:1\n", answer)
    assert "   You renew a passport at the town hall.\n" in answer
    assert "**" not in answer
    assert pumice("search", "how", "do", "I", "renew", "my", "passport").stdout == answer

    [hit] = json.loads(pumice("search", "renew a passport", "-k", 1, "--json").stdout)
    assert hit["text"] == PASSPORT
    assert hit["match"]["text"] == "You renew a passport at the town hall."
    assert hit["payload"]["source"] == str(tmp_path / "notes" / "travel.txt")

    assert "2 unchanged" in pumice("index", "notes", "--model", model_path).stdout
    report = json.loads(pumice("index", "notes", "--model", model_path, "--json").stdout)
    assert (report["files_unchanged"], report["passages"]) == (2, 2)


def test_filters_from_the_shell(pumice: Any, tmp_path: Path, model_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "text,year,kind\na train,2020,x\na train,2021,y\na train,2022,x\n"
    )
    pumice("index", "t.csv", "--index", "i", "--model", model_path)

    def years(*filters: str) -> set[int]:
        flags = [part for one in filters for part in ("--filter", one)]
        hits = json.loads(pumice("search", "train", "--index", "i", "--json", *flags).stdout)
        return {hit["payload"]["year"] for hit in hits}

    assert years() == {2020, 2021, 2022}
    assert years("year=2021") == {2021}
    assert years("year=2021", "year=2022") == {2021, 2022}
    assert years("year>2020", "kind=x") == {2022}
    assert years("kind=z") == set()
    assert (
        "nothing found with this filter"
        in pumice("search", "train", "--index", "i", "--filter", "kind=z").stdout
    )


def test_a_misspelt_field_is_told(pumice: Any, tmp_path: Path, model_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,year,place.town\na train,2020,Rome\n")
    pumice("index", "t.csv", "--index", "i", "--model", model_path)
    told = pumice("search", "train", "--index", "i", "--filter", "yaer=2020", code=1).stderr
    assert "no record has a field 'yaer': did you mean 'year'?" in told
    told = pumice("search", "train", "--index", "i", "--filter", "zzz>1", code=1).stderr
    assert "there are " in told
    for field in ("passage", "place.town", "source", "year"):
        assert field in told
    assert "_pumice" not in told
    assert (
        "Rome"
        in pumice("search", "train", "--index", "i", "--filter", "place.town=Rome", "--json").stdout
    )


def test_how_vectors_are_kept(pumice: Any, tmp_path: Path, model_path: Path) -> None:
    (tmp_path / "t.txt").write_text(PASSPORT)
    options = ["t.txt", "--model", model_path, "--index"]
    pumice(
        "index", *options, "a", "--quantize", "int8", "--dim", 32, "--oversample", 3, "--no-words"
    )
    settings = {"quantize": "int8", "dim": 32, "oversampling": 3, "sparse": False}
    (tmp_path / "c.json").write_text(json.dumps(settings))
    pumice("index", *options, "b", "--config", "c.json")
    kept = [json.loads((tmp_path / one / "pumice-index.json").read_text()) for one in "ab"]
    assert kept[0] == kept[1]
    assert (kept[0]["dim"], kept[0]["storage"]["quantize"]) == (32, "int8")
    pumice("index", *options, "b")  # as it is
    assert (
        "keeps quantize 'int8'"
        in pumice("index", *options, "b", "--quantize", "binary", code=1).stderr
    )
    if sys.version_info >= (3, 11):
        (tmp_path / "c.toml").write_text('quantize = "binary"\nstages = [16]\n')
        pumice("index", *options, "c", "--config", "c.toml", "--quantize", "turbo-4")
        storage = json.loads((tmp_path / "c" / "pumice-index.json").read_text())["storage"]
        assert (storage["quantize"], storage["stages"]) == ("turbo-4", [16])
    for content, told in (
        ("{", "c.json: "),
        ("[]", "holds no settings"),
        ('{"quant": 1}', "'quant'"),
    ):
        (tmp_path / "c.json").write_text(content)
        assert told in pumice("index", *options, "d", "--config", "c.json", code=1).stderr
    assert "--stages" in pumice("index", *options, "d", "--stages", "64;32", code=1).stderr
    assert (
        "invalid choice" in pumice("index", *options, "d", "--quantize", "ternary", code=2).stderr
    )


def test_search_explains_itself(pumice: Any, tmp_path: Path, model_path: Path) -> None:
    (tmp_path / "t.txt").write_text(PASSPORT)
    pumice("index", "t.txt", "--index", "i", "--model", model_path)
    asked = ["search", "renewing passports", "--index", "i", "--explain"]
    [hit] = json.loads(pumice(*asked, "--json").stdout)
    words = {hit["text"][one["begin"] : one["end"]]: one for one in hit["words"]}
    assert {word for word, one in words.items() if one["matched"]} == {"renew", "passport"}
    assert words["passport"]["shade"] >= words["Parking"]["shade"]
    assert sum(one["share"] for one in hit["words"]) < 1
    told = pumice(*asked).stdout
    assert re.search(r"earned by: .*renew .*\(the same word\)", told)
    [hit] = json.loads(pumice(*asked, "--json", "--mode", "dense").stdout)
    assert not any(one["matched"] for one in hit["words"])


def test_a_long_passage_is_explained_in_time(model: Any) -> None:
    explainer = Explainer("renew a passport", model=model, dim=64, words=True)
    started = time.perf_counter()
    words = explainer.earned("the passport " * 100_000)
    assert time.perf_counter() - started < 10
    assert 1000 < len(words) < 10_000
    assert explainer.earned("") == []


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["search", "x", "--index", "http://localhost:1"], 1, "names no collection"),
        (["search", "x"], 1, "there is no index in .*: fill one first"),
        (["index", "nowhere"], 1, "'nowhere' cannot be indexed: No such file"),
        (["index", ".", "--model", "none.pumice"], 1, r"none\.pumice"),
        (["search", "x", "--index", "."], 1, "there is no index in"),
        (["search"], 2, "usage"),
        (["index"], 2, "usage"),
        (["search", "x", "-k", "many"], 2, "invalid int"),
    ],
)
def test_errors_are_one_sentence(
    pumice: Any, tmp_path: Path, model_path: Path, arguments: list[str], code: int, told: str
) -> None:
    if arguments[:2] == ["index", "nowhere"]:
        arguments = [*arguments, "--model", str(model_path)]
    ran = pumice(*arguments, code=code)
    assert re.search(told, ran.stderr)
    if code == 1:
        assert len(ran.stderr.strip().splitlines()) == 1


def test_filter_syntax() -> None:
    assert parse_filters([]) is None
    assert parse_filters(["a=1", "a=b", "c>=1.5", "c<2", "d=x=y", "e=true"]) == {
        "a": ["1", 1, "b"],
        "c": {"gte": 1.5, "lt": 2},
        "d": ["x=y"],
        "e": ["true", True],
    }
    for wrong in (["a"], ["=1"], ["a!=1"], ["a==1"], ["a=1", "a>2"], ["a>2", "a=1"]):
        with pytest.raises(InputError, match=r"write KEY=VALUE|use one of them"):
            parse_filters(wrong)


def test_the_best_sentence_is_found_and_marked(model: Any) -> None:
    hit = Hit(1, 1.0, PASSPORT)
    [match] = best_sentences([hit], query="renew passport", model=model)
    assert PASSPORT[match.start : match.end] == "You renew a passport at the town hall."
    assert list(marked_lines(PASSPORT, match, marks=ASTERISKS)) == [
        "Opening hours are nine to five.",
        "**You renew a passport at the town hall.**",
        "Parking is free.",
    ]
    assert list(marked_lines("one\n\n  two three\n", Match(2, 10), marks=("<", ">"))) == [
        "on<e>",
        "  <two> three",
    ]
    assert best_sentences([], query="x", model=model) == []


def test_indexed_text_cannot_drive_the_terminal() -> None:
    hostile = "a\x1b]0;title\x07b\x1b[2Jc\x9bd\re\u202ef\tg\n"
    assert printable(hostile) == "a]0;titleb[2Jcdef\tg\n"
    lines = list(marked_lines(hostile, Match(0, len(hostile)), marks=ASTERISKS))
    assert not any(set(line) & set("\x1b\x07\x9b\r\u202e") for line in lines)
    assert place_of(Hit("\x1b[2J", 1.0, "x")) == "[2J"


def test_the_standard_library_documents_itself() -> None:
    found = {doc.name: doc for doc in standard_library()}
    assert len(found) > 4000
    for name in (
        "json.dumps",
        "math.sqrt",
        "str.split",
        "asyncio.runners.run",
        "collections.deque",
        "os.path.join",
    ):
        assert name in found or name == "os.path.join", name
    assert found["json.dumps"].signature.startswith("(obj, *, skipkeys=False")
    source = Path(found["json.dumps"].source).read_text().splitlines()
    assert "def dumps(" in source[found["json.dumps"].line - 1]
    assert found["math.sqrt"].source == "built-in"


def test_reading_the_standard_library_runs_nothing_surprising() -> None:
    script = (
        "import sys; from pumice.search.stdlib_docs import standard_library; list(standard_library());"
        "print({'antigravity', 'this', 'idlelib', 'turtle', 'test', 'tkinter'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("set()\n", "")


def test_the_demo_answers(pumice: Any, tmp_path: Path) -> None:
    from pumice.loading import shipped_path

    if not shipped_path().exists():
        pytest.skip("the shipped model is not built")
    for _ in range(2):
        told = pumice("demo", "--index", tmp_path / "demo").stdout
        for answer in (
            "functools.lru_cache",
            "weekday",
            "filecmp.cmp",
            "choice",
            "shutil.disk_usage",
        ):
            assert answer in told
        assert re.search(r"Embedded at [\d,]+ passages/s \(\d+ MB/s\)", told)
        assert "Next, your own files" in told
    answer = pumice("search", "--index", tmp_path / "demo", "square root of a number").stdout
    assert "math.sqrt" in answer


def test_the_demo_empties_no_index_but_its_own(
    pumice: Any, tmp_path: Path, model_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(PASSPORT)
    pumice("index", "a.txt", "--index", "mine", "--model", model_path)
    told = pumice("demo", "--index", "mine", code=1).stderr
    assert "holds an index that the demo did not make: name a new folder" in told
    assert "1 unchanged" in pumice("index", "a.txt", "--index", "mine").stdout


def test_the_demo_tells_at_once_that_it_cannot_write(pumice: Any, tmp_path: Path) -> None:
    (tmp_path / "nowhere").symlink_to("none")
    ran = pumice("demo", "--index", "nowhere/demo", code=1)
    assert "cannot be created" in ran.stderr
    assert ran.stdout == ""


def test_json_stays_json_where_only_ascii_can_be_printed(
    pumice: Any, tmp_path: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "caf\u00e9.txt").write_text("na\u00efve cat")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    pumice("index", "caf\u00e9.txt", "--index", "i", "--model", model_path)
    [hit] = json.loads(pumice("search", "cat", "--index", "i", "--json").stdout)
    assert hit["text"] == "na\u00efve cat"
    assert "na\\xefve cat" in pumice("search", "cat", "--index", "i").stdout


def test_a_model_that_moved_is_named_by_its_new_place(
    pumice: Any, tmp_path: Path, model_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(PASSPORT)
    (tmp_path / "old.pumice").write_bytes(model_path.read_bytes())
    pumice("index", "a.txt", "--model", "old.pumice")
    (tmp_path / "old.pumice").rename(tmp_path / "new.pumice")
    told = pumice("search", "passport", code=1).stderr
    assert "run pumice index PATH --model NEWPLACE" in told
    pumice("search", "passport", "--model", "new.pumice")
    pumice("search", "passport")  # and is remembered


def test_nothing_indexed_is_a_failure(pumice: Any, tmp_path: Path, model_path: Path) -> None:
    (tmp_path / "only.jpg").write_bytes(b"\xff\xd8")
    ran = pumice("index", "only.jpg", "--model", model_path, code=1)
    assert "skipped  1: 1 format .jpg is not supported" in ran.stdout
    assert "next" not in ran.stdout
    (tmp_path / "a.txt").write_text(PASSPORT)
    assert "indexed  1 file, 1 passage, " in pumice("index", "a.txt", "only.jpg").stdout


def test_rows_left_out_are_no_skipped_files(pumice: Any, tmp_path: Path, model_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"text": "a cat"}\nno\n')
    (tmp_path / "s.csv").write_text("text,n\na train,1\nx\na bus,2,3\n")
    told = pumice("index", "r.jsonl", "s.csv", "--model", model_path).stdout
    assert "skipped" not in told
    assert "left out 2 rows of 2 files\n" in told
    assert "r.jsonl: 1 row left out: line 2 is not JSON" in told


def test_packed_and_unpacked(pumice: Any, tmp_path: Path, model_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PASSPORT)
    pumice("index", "a.txt", "--model", model_path, "--pack", "notes.index")
    before = (tmp_path / "notes.index").read_bytes()
    (tmp_path / "b.txt").write_text("a platypus lays eggs")
    told = pumice("index", "b.txt", "--index", "notes.index", code=1).stderr
    assert "notes.index is a packed file" in told
    assert "(pumice index --unpack " in told
    assert (tmp_path / "notes.index").read_bytes() == before
    assert "platypus" not in pumice("search", "platypus", "--index", "notes.index").stdout
    told = pumice("index", "--unpack", "notes.index", "--index", "my folder").stdout
    assert told.splitlines() == [
        "unpacked notes.index into my folder",
        "next     pumice search --index 'my folder' \"your question\"",
    ]
    assert "1 passage" in pumice("index", "b.txt", "--into", "my folder").stdout  # as it was called


def test_an_empty_index_says_so(pumice: Any, tmp_path: Path, model_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    pumice("index", "empty", "--model", model_path)
    told = pumice("search", "anything").stdout
    assert told == "nothing found: the index is empty (pumice index PATH fills it)\n"


def test_searches_at_the_same_time_take_turns(
    pumice: Any, tmp_path: Path, model_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(PASSPORT)
    pumice("index", "a.txt", "--index", "i", "--model", model_path)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: pumice("search", "passport", "--index", "i"), range(6)))
    assert len({answer.stdout for answer in answers}) == 1
