"""`make newer` finds the newest Python of a machine, and says so where there is none."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "newer_python.py"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The script, on a machine that has no Python but those of the test."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return runpy.run_path(str(SCRIPT))


def put(folder: Path, pythons: Mapping[str, str]) -> None:
    """Put programs there that take themselves for a Python of some version, or that fail."""
    folder.mkdir(parents=True)
    for name, says in pythons.items():
        (folder / name).write_text(f"#!/bin/sh\n{f'echo {says}' if says else 'exit 127'}\n")
        (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("on_path", "of_pyenv", "found"),
    [
        ({}, {}, None),
        ({"python3.11": "3 11", "python3": "3 99", "python3.98-config": "3 98"}, {}, None),
        ({"python3.97": "3 97", "python3.96": "3 96"}, {}, "bin/python3.97"),
        # A name that stands for a Python which is not there.
        ({"python3.98": "", "python3.97": "3 97"}, {}, "bin/python3.97"),
        ({"python3.97": "3 97"}, {"python3.98": "3 98"}, "pyenv/versions/3.98.0/bin/python3.98"),
    ],
)
def test_the_newest_python_that_works_is_found(
    script: dict[str, Any],
    tmp_path: Path,
    on_path: dict[str, str],
    of_pyenv: dict[str, str],
    found: str | None,
) -> None:
    put(tmp_path / "bin", on_path)
    put(tmp_path / "pyenv" / "versions" / "3.98.0" / "bin", of_pyenv)
    assert script["find"]() == (str(tmp_path / found) if found else None)


def test_without_a_newer_python_one_line_says_so(
    script: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert script["main"]() == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("is installed: nothing was run.")
