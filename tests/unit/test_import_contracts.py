"""Who may import whom outside the packages; `make lint` holds the packages' own contracts."""

from __future__ import annotations

import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
OURS = {"hosted_model", "hosted_model_cli", "hosted_model_local", "hosted_model_runtime"}
#: What each folder may import of ours.
MAY = {
    "benchmarks": {"hosted_model", "hosted_model_local", "hosted_model_runtime", "support"},
    # The toy service is in the command too.
    "support": {"hosted_model", "hosted_model_cli", "hosted_model_local", "hosted_model_runtime"},
    "chaos": {"hosted_model_runtime", "support"},
}
FOLDERS = {*MAY, *OURS, "unit", "protocol", "e2e"}


@pytest.fixture(params=MAY)
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "path", [str(ROOT), str(ROOT / "tests"), *sys.path])
    return str(request.param)


def test_a_folder_imports_what_is_below_it(folder: str) -> None:
    graph = grimp.build_graph(folder, include_external_packages=True, cache_dir=None)
    imported = {module for module in graph.modules if module in FOLDERS and module != folder}
    assert imported <= MAY[folder]


def test_no_files_import_each_other_in_a_circle(folder: str) -> None:
    graph = grimp.build_graph(folder, cache_dir=None)
    assert graph.nominate_cycle_breakers(folder) == set()
