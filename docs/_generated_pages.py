"""A hook of MkDocs: puts the pages that commands write into the menu, and gives wide tables their room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
SECTION = "Working on it"
PAGES = {"Reliability, in figures": "reliability.md", "Benchmarks": "benchmarks.md"}
#: Their tables are wider than a page beside its table of contents.
WIDE = ("benchmarks.md", "crhelper-hazards.md")


def on_config(config: Any) -> Any:
    """Add to the menu; MkDocs calls this once, and a page that is not there would be a warning."""
    section = next(entry[SECTION] for entry in config.nav if SECTION in entry)
    section += [{title: page} for title, page in PAGES.items() if (DOCS / page).is_file()]
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Leave out a wide page's table of contents; MkDocs calls this for every page."""
    if page.file.src_uri in WIDE:
        page.meta["hide"] = ["toc"]
    return markdown
