"""One self-contained HTML page: tables and plots, no scripts, light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

STYLE = """
:root { color-scheme: light dark; --ground: #fbfaf8; --ink: #1d1d1f; --soft: #5f5f66; --faint: #dcd9d3;
  --best: #e6f0e6; --series-0: #1f5fa8; --series-1: #b3541e; --series-2: #3b7d3b; --series-3: #7a4a9e;
  --series-4: #8a6d00; --series-5: #5f5f66; }
@media (prefers-color-scheme: dark) { :root { --ground: #17181a; --ink: #e8e6e3; --soft: #a3a3ab;
  --faint: #3b3d42; --best: #22372a; --series-0: #7fb2ee; --series-1: #f0a070; --series-2: #86c786;
  --series-3: #c6a0e6; --series-4: #d9bd5a; --series-5: #a3a3ab; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem 1rem 3rem; max-width: 72rem; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { max-width: 44rem; } .soft, figcaption, caption { color: var(--soft); font-size: .875rem; }
.wide { overflow-x: auto; border: 1px solid var(--faint); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .875rem; }
th, td { padding: .3rem .5rem; text-align: right; white-space: nowrap; }
thead th { border-bottom: 1px solid var(--faint); font-weight: 600; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--ground); }
tr.group th { padding-top: .75rem; } tbody th { font-weight: 400; } tr.group th { font-weight: 600; }
td.best { background: var(--best); }
.plots { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); }
figure { margin: 0; } figure svg { width: 100%; height: auto; color: var(--ink); overflow: visible; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; font-size: .875rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { th, td { padding: .3rem .4rem; } td:first-child, th:first-child {
  white-space: normal; min-width: 7.5rem; } }
"""


def page(title: str, body: Iterable[str]) -> str:
    """The whole document."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f"<h1>{escape(title)}</h1>",
            *body,
            "",
        ]
    )


def html_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, best: Iterable[tuple[int, int]] = ()
) -> Iterator[str]:
    """A table; a row of one cell is the heading of those below. `best` are cells to mark, row and column."""
    marked = set(best)
    yield '<div class="wide"><table><thead><tr>'
    yield "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    yield "</tr></thead><tbody>"
    for at, row in enumerate(rows):
        if len(row) == 1:
            yield f'<tr class="group"><th scope="rowgroup" colspan="{len(head)}">{escape(row[0])}</th></tr>'
            continue
        cells = [f'<th scope="row">{escape(row[0])}</th>']
        cells += [
            f'<td class="best">{escape(cell)}</td>'
            if (at, column) in marked
            else f"<td>{escape(cell)}</td>"
            for column, cell in enumerate(row[1:], start=1)
        ]
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"


def figures(drawn: Iterable[tuple[str | None, str]]) -> Iterator[str]:
    """Plots side by side where there is room, each with its caption."""
    yield '<div class="plots">'
    for svg, caption in drawn:
        if svg is not None:
            yield f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"
    yield "</div>"


def definitions(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Names and what they are."""
    yield "<dl>"
    for name, value in pairs:
        yield f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
    yield "</dl>"
