"""Near-duplicates: equal texts, nearly equal ones, and all others stay."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pumice
from pumice.batch import EncodeOptions
from pumice.batch.dedup import dedup_files
from pumice.cli import main
from pumice.errors import InputError
from tests.batch.tables import as_jsonl, as_parquet

pytest.importorskip("semhash", reason='semhash is absent (pip install "pumice[dedup]")')


def test_against_every_pair(tmp_path: Path, model: pumice.StaticModel) -> None:
    """What is left has no pair above the threshold, and what went has one that stays."""
    rng = np.random.default_rng(3)
    words = [t for t in model.tokens if t.isalpha() and len(t) > 3][:2000]
    texts = [" ".join(np.array(words)[rng.integers(0, 2000, 12)]) for _ in range(300)]
    texts += [f"{text} {words[n]}" for n, text in enumerate(texts[:60])]  # nearly the same
    texts += texts[100:130]
    rows = pa.table({"id": range(len(texts)), "body": texts})
    (tmp_path / "a.parquet").write_bytes(as_parquet(rows.slice(0, 200)))
    (tmp_path / "b.jsonl").write_bytes(as_jsonl(rows.slice(200)))
    report = dedup_files(
        [tmp_path / "a.parquet", tmp_path / "b.jsonl"],
        tmp_path / "unique.parquet",
        model=model,
        options=EncodeOptions(text="body", keep=("id",)),
    )
    vectors = model.encode(texts)
    cosines = vectors @ vectors.T
    unique = pq.read_table(tmp_path / "unique.parquet")
    kept = unique["id"].to_pylist()
    assert unique["body"].to_pylist() == [texts[n] for n in kept]
    among = cosines[np.ix_(kept, kept)] - np.eye(len(kept))
    assert among.max() < 0.9
    pairs = pq.read_table(tmp_path / "unique.duplicates.parquet").to_pylist()
    assert [pair["row"] for pair in pairs] == sorted(set(range(len(texts))) - set(kept))
    for pair in pairs:
        assert pair["duplicate_of"] in kept
        assert cosines[pair["row"], pair["duplicate_of"]] >= 0.9 - 1e-3
        assert pair["cosine"] == pytest.approx(cosines[pair["row"], pair["duplicate_of"]], abs=2e-3)
    assert (report.rows, report.unique) == (390, len(kept))
    assert report.exact == 30
    assert report.near == len(pairs) - 30 >= 50


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["Renew a passport at the town hall", "Renew a passport at the town hall", None]
    lines += ["Renew a passport at the town hall!", "Bake bread with flour and salt", ""]
    data = "".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(lines))
    (tmp_path / "a.jsonl").write_text(data)
    command = ["dedup", str(tmp_path / "a.jsonl"), "--text", "text", "--keep", "id"]
    command += ["-o", str(tmp_path / "unique.parquet")]
    assert main(command) == 1
    assert "row 3: the text is null" in capsys.readouterr().err
    assert main([*command, "--on-error", "skip"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "5 rows in" in said[0]
    assert "1 repeat another, 1 nearly" in said[0]
    assert said[1:] == ["bad     1 null", f"output  {tmp_path}/unique.parquet: 3 rows"]
    assert pq.read_table(tmp_path / "unique.parquet")["id"].to_pylist() == [0, 4, 5]


def test_nothing_can_be_written(tmp_path: Path, model: pumice.StaticModel) -> None:
    (tmp_path / "a.txt").write_text("a\n")
    for output, threshold in ((tmp_path, 0.9), (tmp_path / "no" / "x.parquet", 0.9)):
        with pytest.raises(InputError, match=r"is a folder: name a file in it|no such folder"):
            dedup_files(tmp_path / "a.txt", output, model=model, threshold=threshold)
    for read in (tmp_path / "a.txt", tmp_path / "x.duplicates.parquet"):
        read.write_text("a\n")
        output = tmp_path / ("x.parquet" if read.suffix == ".parquet" else read.name)
        options = EncodeOptions(input_format="text")
        with pytest.raises(InputError, match="over a file that is read"):
            dedup_files(read, output, model=model, options=options)
        assert read.read_text() == "a\n"
    with pytest.raises(InputError, match="not above 0"):
        dedup_files(tmp_path / "a.txt", tmp_path / "x.parquet", model=model, threshold=0)


def test_many_small_files_take_no_more_memory_than_their_rows(
    tmp_path: Path, model: pumice.StaticModel
) -> None:
    for n in range(64):
        (tmp_path / f"{n}.txt").write_text(f"{model.tokens[5000 + n]} {model.tokens[7000 + n]}\n")
    tracemalloc.start()  # numpy tells it of its arrays
    try:
        report = dedup_files(sorted(tmp_path.glob("*.txt")), tmp_path / "x.parquet", model=model)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.rows == 64
    assert peak < 64 << 20  # an array for a chunk of as many rows as fit takes 8 MiB
