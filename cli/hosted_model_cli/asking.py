"""Asks: every region and service that somebody wants to know of, and somebody before anything is changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from . import exits, output, regions
from .aws import Cloud, ServiceError
from .models import Depth
from .services import REGISTRY
from .survey import Problem, Survey, survey


@dataclass(frozen=True)
class Where:
    """The regions and services to ask: the session's region and every service, unless it says otherwise."""

    regions: Sequence[str] = ()
    all_regions: bool = False
    services: Sequence[str] = ()


def ask(cloud: Cloud, where: Where, *, depth: Depth = Depth.OWNED) -> Survey:
    """Return what is found there; raises NoSuchRegionError."""
    problems: list[Problem] = []
    chosen = _enabled(cloud, problems) if where.all_regions else regions.chosen(cloud, where.regions)
    places = [(region, service) for region in chosen for service in where.services or REGISTRY]
    with _bar() as bar:
        task = bar.add_task("asking", total=len(places))
        found = survey(cloud, places, depth=depth, done=lambda: bar.advance(task))
    found.problems[:0] = problems
    found.regions = chosen
    return found


def tell(found: Survey) -> int:
    """Say on the error output what was not asked; the exit code that this makes."""
    for service in sorted({service for _, service in found.lacking}):
        where = ", ".join(sorted(region for region, one in found.lacking if one == service))
        since = REGISTRY[service].retired
        why = f" (retired on {since})" if since else ""
        output.note(f"{service} is not offered in {where}{why}")
    for problem in found.problems:
        output.warn(str(problem))
    if not found.problems:
        return exits.OK
    return exits.PARTIAL if found.answered else exits.FAILED


def agreed(question: str, confirm: Callable[[str], bool]) -> bool:
    """Ask on a terminal; without one there is nobody to ask."""
    if not sys.stdin.isatty():
        output.fail("there is no terminal to ask on: say --yes")
        return False
    try:
        if confirm(question):
            return True
    except typer.Abort as abort:
        # Typer makes one error of Ctrl-C, and of Ctrl-D, which is no answer.
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
    output.fail("nothing was changed")
    return False


def _enabled(cloud: Cloud, problems: list[Problem]) -> list[str]:
    """The regions that the account has enabled; all that are known where that can't be asked."""
    try:
        return regions.enabled(cloud)
    except ServiceError as error:
        problems.append(Problem("ec2", cloud.default_region(), str(error)))
        return cloud.known_regions()


def _bar() -> Progress:
    """A bar on the error output, of a terminal only, and gone when it is full."""
    out = output.console(stderr=True)
    columns = (TextColumn("asking regions and services"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=out, transient=True, disable=not out.is_terminal)
