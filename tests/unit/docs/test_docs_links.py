"""Links between the pages lead somewhere, and every page is in the menu."""

from __future__ import annotations

import re
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from unit.docs.pages import PAGES, ROOT, anchors, links, load, name


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


def test_every_page_is_in_the_menu():
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for path in (ROOT / "docs").rglob("*.md"):
        if path.name not in ("reliability.md", "benchmarks.md"):
            assert re.search(rf"\b{re.escape(path.relative_to(ROOT / 'docs').as_posix())}$", menu, re.M), path


def test_a_page_that_a_command_wrote_comes_into_the_menu(monkeypatch, tmp_path):
    hook = load("_generated_pages")
    monkeypatch.setattr(hook, "DOCS", tmp_path)
    (tmp_path / "benchmarks.md").write_text("# Benchmarks\n")
    config = SimpleNamespace(nav=["index.md", {hook.SECTION: [{"One": "one.md"}]}])
    assert hook.on_config(config).nav[1][hook.SECTION] == [{"One": "one.md"}, {"Benchmarks": "benchmarks.md"}]
