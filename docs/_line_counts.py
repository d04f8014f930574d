"""A hook of MkDocs: puts the line counts of the services' files where a page says ``<!-- line counts -->``.

Counted when the site is built, so that the page cannot go stale. A line counts when it holds code: blank
lines, comments and docstrings are left out; the whole file's lines stand beside it.
"""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLACE = "<!-- line counts -->"
ADAPTERS = "lambda/hosted_model_runtime/services"
#: Every service has a file of its name in each of them.
FOLDERS = {
    ADAPTERS: "adapter",
    "constructs/hosted_model/grants": "grants",
    "constructs/hosted_model": "construct",
    "cli/hosted_model_cli/services": "row of the command",
    "local/hosted_model_local/simulator": "simulator",
}
_NO_SERVICE = ("__init__", "base")
_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the place by the table; MkDocs calls this for every page."""
    return markdown.replace(PLACE, table()) if PLACE in markdown else markdown


def table() -> str:
    """Return the table, in Markdown."""
    lines = ["| file | what | lines of code | lines in all |", "|---|---|---|---|"]
    adapters = sorted(path for path in (ROOT / ADAPTERS).glob("*.py") if path.stem not in _NO_SERVICE)
    for adapter in adapters:
        service = _title(adapter.read_text(encoding="utf-8"))
        for folder, part in FOLDERS.items():
            path = f"{folder}/{adapter.name}"
            source = (ROOT / path).read_text(encoding="utf-8")
            counts = f"{code_lines(source)} | {len(source.splitlines())}"
            lines.append(f"| `{path}` | {service}, {part} | {counts} |")
    return "\n".join(lines)


def _title(source: str) -> str:
    """Return the service's name: an adapter's docstring begins with it, and with a comma after it."""
    return (ast.get_docstring(ast.parse(source)) or "").partition(",")[0]


def code_lines(source: str) -> int:
    """Count the lines that hold code."""
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE and token.type != tokenize.ENDMARKER:
            held.update(range(token.start[0], token.end[0] + 1))
    return len(held - _docstring_lines(source))


def _docstring_lines(source: str) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            said = node.body[0]
            lines.update(range(said.lineno, (said.end_lineno or said.lineno) + 1))
    return lines
