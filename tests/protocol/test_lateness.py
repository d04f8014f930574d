"""Every lifecycle and every rename ends as it does on time, however late tags, policies and ticks are."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from chaos.lifecycles import LIFECYCLES, RACES, killed_everywhere, run
from chaos.moving import STORIES, tell
from support.cases import CASES, ServiceCase
from support.lateness import KINDS

pytestmark = pytest.mark.usefixtures("virtual_time", "no_logs")

#: Of two executions each lifecycle takes its turn, which changes what it meets: the histories have that.
LATE = [kind for kind in KINDS if KINDS[kind].concurrency is None]


def in_turn(*numbers: int) -> ServiceCase:
    """Here each pair goes over one service; ``make chaos`` kills every lifecycle under lag, over each."""
    return list(CASES.values())[sum(numbers) % len(CASES)]


def pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return each name with a kind, in turn; ``make chaos`` draws every kind in its histories."""
    return [(name, LATE[number % len(LATE)]) for number, name in enumerate(names)]


@pytest.mark.parametrize(("name", "kind"), pairs(LIFECYCLES))
def test_a_lifecycle_ends_as_on_time(name: str, kind: str) -> None:
    case = in_turn(list(LIFECYCLES).index(name), LATE.index(kind))
    calm = run(case, LIFECYCLES[name])
    late = run(case, LIFECYCLES[name], lateness=KINDS[kind])
    assert late.broken == []
    assert late.statuses == calm.statuses
    if name not in RACES and not (name == "out of time" and KINDS[kind].policies):
        assert late.starts == calm.starts


@pytest.mark.parametrize(("name", "kind"), pairs(STORIES))
def test_a_rename_ends_as_on_time(name: str, kind: str) -> None:
    case = in_turn(list(STORIES).index(name), LATE.index(kind))
    assert tell(case, name, lateness=KINDS[kind])[1] == []


@pytest.mark.parametrize("name", ["create and delete"])
def test_killed_anywhere_under_lag_it_ends_as_if_not_killed(name: str) -> None:
    report = killed_everywhere(
        in_turn(list(LIFECYCLES).index(name)), name, handover=False, lateness=KINDS["tags 10 s"]
    )
    assert report.runs > 10
    assert report.broken == []
