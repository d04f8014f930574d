"""What is otherwise than declared, by table: the model's status, its lease, and who declares it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from hosted_model_cli import differing, owners
from hosted_model_cli.differing import difference
from hosted_model_cli.models import Model
from hosted_model_cli.owners import Declared, Ownership
from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions.marks import Mark, State
from hosted_model_runtime.decisions.model import Observed, Phase

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
UNKNOWN = Ownership(Declared.UNKNOWN, "AccessDenied")


def tags(state: State = State.DONE, *, hosted_at: str = "20261123T080000Z") -> dict[str, str]:
    """A lease of two hours ago with one unit."""
    issued = NOW - timedelta(hours=2)
    request = Mark(issued, "Create", "5afab1c9", state, "identity", hosted_at, "1", has_hours=True)
    return {Tag.STACK: "stack", Tag.LOGICAL_ID: "Model", Tag.REQUEST: str(request)}


def tags_of(goal: str, state: State, *, minutes_ago: int = 60) -> dict[str, str]:
    """The same, and a schedule under it."""
    due = NOW - timedelta(minutes=minutes_ago)
    mark = Mark(due, goal, "a1", state, "identity", "", "1", under="5afab1c9")
    return {**tags(), Tag.HOURS: str(mark)}


def seen(phase: Phase, low: int | None = 1, high: int | None = None) -> Observed:
    return Observed(phase, "boards/1", phase.name, "no capacity" if phase is Phase.FAILED else "", low, high)


NOT_RUNNING = f"{differing.NOT_RUNNING} since some time after 2026-11-23 08:00 UTC"
START_FAILED = f"{differing.NOT_RUNNING} since 2026-11-23 11:00 UTC: the start of its hours failed"
LONG_AGO = differing.NOT_RUNNING
FAILED = "declared, could not be hosted: no capacity"


@pytest.mark.parametrize(
    ("ownership", "observed", "lease", "expected"),
    [
        # Declared, and awake by its hours or without any.
        (owners.YES, seen(Phase.RUNNING), tags(), ""),
        (owners.YES, seen(Phase.RUNNING, 1, 1), tags(), ""),
        (owners.YES, seen(Phase.UPDATING), tags(), ""),
        (owners.YES, seen(Phase.STARTING), tags(), ""),
        (owners.YES, seen(Phase.RUNNING), {}, ""),
        (owners.YES, seen(Phase.STOPPED), tags(), NOT_RUNNING),
        (owners.YES, seen(Phase.STOPPED), tags(hosted_at=""), differing.NOT_RUNNING),
        (owners.YES, seen(Phase.STOPPING), tags(), differing.STOPPING),
        (owners.YES, seen(Phase.FAILED), tags(), FAILED),
        (owners.YES, seen(Phase.UNREADY), tags(), "declared, cannot be hosted: it is UNREADY"),
        (owners.YES, seen(Phase.ABSENT), {}, differing.ABSENT),
        (owners.YES, seen(Phase.RUNNING, 2), tags(), "runs with 2 units, 1 declared"),
        (owners.YES, seen(Phase.RUNNING, 1, 3), tags(), "runs with 1 to 3 units, 1 declared"),
        # Its hours.
        (owners.YES, seen(Phase.STOPPED), tags_of("Stop", State.ASLEEP), ""),
        (owners.YES, seen(Phase.STOPPED), tags(State.ASLEEP), ""),
        (owners.YES, seen(Phase.RUNNING), tags_of("Stop", State.ASLEEP), differing.OUTSIDE),
        (owners.YES, seen(Phase.STOPPING), tags_of("Stop", State.SLEEPING), ""),
        (owners.YES, seen(Phase.RUNNING), tags_of("Start", State.DONE), ""),
        (owners.YES, seen(Phase.STOPPED), tags_of("Start", State.FAILED), START_FAILED),
        (owners.YES, seen(Phase.STOPPED), tags_of("Start", State.HELD), ""),
        (owners.YES, seen(Phase.STOPPED), tags_of("Start", State.HELD, minutes_ago=200), LONG_AGO),
        # A request at work, or one whose hour is over.
        (owners.MOVING, seen(Phase.STOPPED), tags(), ""),
        (owners.YES, seen(Phase.STOPPED), tags(State.HELD), NOT_RUNNING),
        # Not declared: what bills, or may.
        (owners.LEFT, seen(Phase.RUNNING), tags(), owners.LEFT.reason),
        (owners.GONE, seen(Phase.FAILED), tags(), owners.GONE.reason),
        (owners.GONE, seen(Phase.STOPPED), tags(), ""),
        (owners.NOBODY, seen(Phase.RUNNING), {}, owners.NOBODY.reason),
        (UNKNOWN, seen(Phase.RUNNING), tags(), ""),
        (UNKNOWN, seen(Phase.STOPPED), tags(), ""),
    ],
)
def test_what_is_otherwise(
    ownership: Ownership, observed: Observed, lease: Mapping[str, str], expected: str
) -> None:
    model = Model("lookoutvision", "us-east-1", "boards", "1", "arn", observed, lease)
    assert difference(model, ownership, NOW) == expected
