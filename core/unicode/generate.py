"""Writes the core's Unicode data, tables.inc and others: what HF `tokenizers` does to every code point.

The reference is the library and not a Unicode version: it mixes Rust's own tables with crates of
other ages, so no published data file equals it. tokenizers 0.22.2 to 0.23.3 give the same tables,
graphemes.inc apart.
`python generate.py` writes, `python generate.py --check` compares.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import graphemes
import normal_forms
import tables

FOLDER = Path(__file__).parent


def main() -> int:
    """Write the tables, or compare with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when a table differs")
    check = parser.parse_args().check
    rendered = {"tables.inc": tables.render, "normal_forms.inc": normal_forms.render}
    if graphemes.has_reference():
        rendered["graphemes.inc"] = graphemes.render
    else:
        print("graphemes.inc is left alone: it is what tokenizers 0.22 gives", file=sys.stderr)
    for name, render in rendered.items():
        path, text = FOLDER / name, render()
        if not check:
            path.write_text(text, encoding="ascii")
        elif not path.exists() or path.read_text(encoding="ascii") != text:
            sys.exit(f"core/unicode/{name} differs: run python core/unicode/generate.py")
    return 0


if __name__ == "__main__":
    main()
