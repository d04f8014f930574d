"""A hook of MkDocs: puts the pages that commands write into the menu, where they are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
SECTION = "Working on it"
PAGES = {"Reliability, in figures": "reliability.md", "Benchmarks": "benchmarks.md"}


def on_config(config: Any) -> Any:
    """Add to the menu; MkDocs calls this once, and a page that is not there would be a warning."""
    section = next(entry[SECTION] for entry in config.nav if SECTION in entry)
    section += [{title: page} for title, page in PAGES.items() if (DOCS / page).is_file()]
    return config
