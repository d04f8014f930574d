"""The rows of one run, as ``python -m benchmarks`` wrote them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Results:
    """One run: what it says of itself, and its rows."""

    head: dict[str, Any]
    rows: Sequence[Row]

    @staticmethod
    def read(path: Path) -> Results:
        """Return the results of a file that ``python -m benchmarks`` wrote."""
        found = json.loads(path.read_text())
        return Results({key: value for key, value in found.items() if key != "rows"}, found["rows"])

    def of(self, measure: str, **members: Any) -> list[Row]:
        """Return the rows of a measure that have these members."""
        return [
            row
            for row in self.rows
            if row["measure"] == measure and all(row.get(key) == value for key, value in members.items())
        ]
