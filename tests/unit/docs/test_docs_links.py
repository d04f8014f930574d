"""Links between the pages lead somewhere, files that they name are there, and every page is in the menu."""

from __future__ import annotations

import os
import re
from functools import cache
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

import hosted_model
from unit.docs.pages import GENERATED, PAGES, ROOT, anchors, code, links, load, name

FOLDERS = ("benchmarks", "cli", "constructs", "docs", "examples", "lambda", "local", "scripts", "tests")
#: Made by commands, and what a reader makes after a page.
NOT_HERE = {"cdk.out", "forecasts.py"}
#: History tells of files that were.
NAMING = [
    *(page for page in PAGES if page.name != "CHANGELOG.md"),
    *(ROOT / "docs" / one for one in sorted(GENERATED)),
]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_between_pages_lead_somewhere(page):
    for target in links(page):
        parts = urlsplit(target)
        if parts.scheme:
            continue
        there = (page.parent / parts.path).resolve() if parts.path else page
        assert there.exists(), target
        if parts.fragment:
            assert parts.fragment in anchors(there), target


_PATH = re.compile(r"[\w.…/-]+\.(py|md|json|sh|toml|svg|yml)|[\w.…-]+(/[\w.…-]+)+/?")


@cache
def files() -> str:
    """Every file and folder of the repository's own, one a line, with a slash before it."""
    found = []
    for top in FOLDERS:
        for folder, folders, names in os.walk(ROOT / top):
            folders[:] = [one for one in folders if one not in ("__pycache__", "node_modules")]
            here = f"/{os.path.relpath(folder, ROOT)}"
            found += [here, *(f"{here}/{one}" for one in names)]
    found += [f"/{one.name}" for one in ROOT.iterdir() if one.is_file()]
    return "\n".join(found) + "\n"


def unknown(text: str) -> list[str]:
    """The files and folders that a text names between backticks, and that are not here.

    A name may begin anywhere in its path, and ``…`` or ``NAME`` stands for any part of it.
    """
    said = {
        one.rstrip("/")
        for one in code(text)
        if _PATH.fullmatch(one) and (one.split("/")[0] in FOLDERS or "." in one.rsplit("/", 1)[-1])
    }
    return sorted(one for one in said if not one.endswith(tuple(NOT_HERE)) and not _is_there(one))


def _is_there(path: str) -> bool:
    pattern = re.sub("…|NAME", "[^\n]+", path.replace(".", "[.]"))
    return bool(re.search(f"/{pattern}\n", files()))


@pytest.mark.parametrize("page", NAMING, ids=name)
def test_every_file_that_a_page_names_is_there(page):
    assert unknown(page.read_text(encoding="utf-8")) == []


def test_a_file_that_is_not_there_is_found():
    text = (
        "`docs/cli.md` `docs/clip.md` `lambda/…/contract.py` `lambda/…/treaty.py` `tests/e2e/` `tests/e3e/`"
    )
    assert unknown(text) == ["docs/clip.md", "lambda/…/treaty.py", "tests/e3e"]


def test_every_page_is_in_the_menu():
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for path in (ROOT / "docs").rglob("*.md"):
        if path.name not in ("reliability.md", "benchmarks.md"):
            assert re.search(rf"\b{re.escape(path.relative_to(ROOT / 'docs').as_posix())}$", menu, re.M), path


def test_every_public_name_is_in_the_reference():
    page = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^::: hosted_model\.(\w+)$", page, re.M)) == sorted(hosted_model.__all__)


def test_a_page_that_a_command_wrote_comes_into_the_menu(monkeypatch, tmp_path):
    hook = load("_generated_pages")
    monkeypatch.setattr(hook, "DOCS", tmp_path)
    (tmp_path / "benchmarks.md").write_text("# Benchmarks\n")
    config = SimpleNamespace(nav=["index.md", {hook.SECTION: [{"One": "one.md"}]}])
    assert hook.on_config(config).nav[1][hook.SECTION] == [{"One": "one.md"}, {"Benchmarks": "benchmarks.md"}]
