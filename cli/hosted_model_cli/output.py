"""How the command speaks: plain text of 80 columns in a pipe, colours and borders on a terminal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 80


def console(*, stderr: bool = False) -> Console:
    """Return the console of the standard output, or of the error output."""
    found = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if found.is_terminal:
        return found
    width = os.environ.get("COLUMNS", "")
    return Console(
        stderr=stderr,
        highlight=False,
        emoji=False,
        markup=False,
        width=int(width) if width.isdecimal() and int(width) else PLAIN_WIDTH,
        no_color=True,
        force_terminal=False,
    )


def line(out: Console, text: str, style: str = "") -> None:
    """Print one line, however long: a terminal folds it, a pipe gets it whole."""
    out.print(Text(text, style=style), soft_wrap=True)


def warn(text: str) -> None:
    """Say on the error output what is missing from the result."""
    line(console(stderr=True), f"warning: {text}", "yellow")


def note(text: str) -> None:
    """Say on the error output what a reader may want to know, and need not do anything about."""
    line(console(stderr=True), f"note: {text}")


def fail(text: str) -> None:
    """Say on the error output why nothing came of it."""
    line(console(stderr=True), f"error: {text}", "bold red")


def table(out: Console, *columns: str, numbers: int = 0) -> Table:
    """Return a table that folds what does not fit; its last ``numbers`` columns stand to the right."""
    style = box.SIMPLE_HEAD if out.is_terminal else None
    made = Table(box=style, pad_edge=False, show_edge=False, show_lines=False)
    for place, name in enumerate(columns):
        right = place >= len(columns) - numbers
        made.add_column(name, justify="right" if right else "left", overflow="fold")
    return made


def columns(out: Console, rows: Sequence[Sequence[str]]) -> None:
    """Print each row in one line, however long; the columns stand below one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        line(out, "  ".join(cells).rstrip())


def show(out: Console, made: Table) -> None:
    """Print a table; a pipe gets no spaces at the ends of its lines."""
    if out.is_terminal:
        out.print(made)
        return
    with out.capture() as captured:
        out.print(made)
    for each in captured.get().splitlines():
        line(out, each.rstrip())


def now() -> datetime:
    """Return what time it is: asked here alone, so that a test can say it."""
    return datetime.now(UTC)


def stamp(when: datetime) -> str:
    """Return a time as people read it: UTC, to the minute."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def clock(when: datetime | None = None) -> str:
    """Return the local time of day, to the second."""
    return (when or now()).astimezone().strftime("%H:%M:%S")


def elapsed(seconds: float) -> str:
    """Return a duration: 7 s, 1:05, 2:00:05."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def hours_between(begin: datetime, end: datetime) -> float:
    """Return hours, none below zero: clocks differ."""
    return max(timedelta(0), end - begin) / timedelta(hours=1)
