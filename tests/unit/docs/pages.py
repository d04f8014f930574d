"""README and the pages of docs/, as tests read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[3]
GENERATED = {"crhelper-hazards.md", "reliability.md", "benchmarks.md"}
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *(path for path in (ROOT / "docs").rglob("*.md") if path.name not in GENERATED),
    ]
)
_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A fenced block of code: its language, its text, the line on which it begins."""

    page: str
    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def name(path: Path) -> str:
    """A page's path from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def blocks(language: str) -> list[Block]:
    """Every block of a language, page by page."""
    return [
        Block(name(path), token.info, token.content, token.map[0] + 1 if token.map else 0)
        for path in PAGES
        for token in _MARKDOWN.parse(path.read_text(encoding="utf-8"))
        if token.type == "fence" and token.info == language
    ]


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """The rows of every table of a page whose first column has this heading, as Markdown."""
    table: list[list[str]] = []
    for line in [*(ROOT / page).read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip().strip("|").split("|")])
            continue
        if table and table[0][0] == heading:
            yield from table[2:]
        table = []


def code(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def links(path: Path) -> list[str]:
    """The targets of a page's links and pictures."""
    return [
        str(token.attrs.get("href") or token.attrs.get("src"))
        for inline in _MARKDOWN.parse(path.read_text(encoding="utf-8"))
        if inline.children
        for token in inline.children
        if token.type in ("link_open", "image")
    ]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as MkDocs and code hosts make them."""
    found = set()
    tokens = _MARKDOWN.parse(path.read_text(encoding="utf-8"))
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            said = re.sub(r"[^\w\s-]", "", inline.content.lower())
            found.add(re.sub(r"\s+", "-", said.strip()))
    return found


def load(script: str) -> Any:
    """A script of docs/ as a module."""
    spec = spec_from_file_location(script, ROOT / "docs" / f"{script}.py")
    if spec is None or spec.loader is None:
        raise ImportError(script)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
