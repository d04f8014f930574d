"""A page that shows a terminal: the commands to type, and what they print.

A block of shell is typed; a block of text below it is what it prints, shortened: lines may be missing between
two that are shown, and ``…`` stands for a part of one. Dates, times, hours and money so far may differ.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^(?:## (?P<title>[^\n]+)|```(?P<language>shell|text)\n(?P<text>.*?)```)$", re.M | re.S)
_MARK = "@@ block"
#: What changes from run to run, and what stands for it; columns may be wider or narrower for it.
_CHANGES = (
    (re.compile(r"\d{4}-\d\d-\d\d"), "DATE"),
    (re.compile(r"\b\d\d?:\d\d(:\d\d)?\b"), "TIME"),
    (re.compile(r"\b0\.\d\d\b"), "SO FAR"),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True)
class Step:
    """What is typed, under which heading, and the lines that it must print, in this order."""

    title: str
    typed: str
    shown: tuple[str, ...]


def steps(page: Path) -> list[Step]:
    """The steps of a page, in its order."""
    found: list[Step] = []
    title = ""
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if match["title"]:
            title = match["title"]
        elif match["language"] == "shell":
            found.append(Step(title, match["text"], ()))
        else:
            last = found.pop()
            found.append(Step(last.title, last.typed, last.shown + tuple(match["text"].splitlines())))
    return found


def play(
    steps: Sequence[Step], folder: Path, environment: Mapping[str, str], seconds: float
) -> list[tuple[Step, str]]:
    """Type all steps into one shell; what each printed. A step that fails ends it."""
    script = "".join(f"echo '{_MARK}'\n{step.typed}" for step in steps)
    done = subprocess.run(
        ["sh", "-ec", script], cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    printed = done.stdout.split(f"{_MARK}\n")[1:]
    assert done.returncode == 0, (
        f"{steps[len(printed) - 1].title}: exit code {done.returncode}\n{done.stdout}"
    )
    return list(zip(steps, printed, strict=True))


def missing(step: Step, printed: str) -> str | None:
    """The first line that the page shows and that was not printed after the one before; None if all were."""
    lines = iter([_still(line) for line in printed.splitlines()])
    for shown in step.shown:
        wanted = re.compile(re.escape(_still(shown)).replace("…", ".*"))
        if not any(wanted.fullmatch(line) for line in lines):
            return shown
    return None


def _still(line: str) -> str:
    for pattern, place in _CHANGES:
        line = pattern.sub(place, line)
    return line.strip()
