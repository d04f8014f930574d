#!/usr/bin/env python3
"""Write the table of moves into docs/concepts.md, from the rows that the test of ``next_move`` asserts.

``.venv/bin/python scripts/move_table.py``
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/concepts.md"
BEGIN, END = "<!-- moves: made by scripts/move_table.py, do not edit -->", "<!-- end of moves -->"
HEADING = "| request | remembers | sees | tags | move |\n|---|---|---|---|---|"


def table() -> str:
    """Return the groups of rows as Markdown."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support.moves import GROUPS
    from support.moves.words import in_words

    def lines() -> Iterator[str]:
        for group in GROUPS:
            yield f"### {group.title}\n\n{group.text}\n\n{HEADING}"
            for row in group.rows:
                said = (
                    row.who.words,
                    row.remembers.words,
                    row.sees.words,
                    row.tags.words,
                    in_words(row.move),
                )
                yield "| " + " | ".join(said) + " |"
            yield ""

    return "\n".join(lines()).rstrip()


def renewed(page: str) -> str:
    """Return the page with the table between its two marks made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
