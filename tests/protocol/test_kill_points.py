"""Every call boundary of every lifecycle is killed once, before and after its effect."""

from __future__ import annotations

import pytest

from chaos.lifecycles import LIFECYCLES, killed_everywhere, kills
from support.cases import CASES
from support.world import Call

pytestmark = pytest.mark.usefixtures("virtual_time", "no_logs")

#: In one invocation, and handed over from one to the next.
WAYS = {"at once": False, "by relay": True}


#: The one that is killed by relay here: it starts, and is handed over.
BY_RELAY = "create and delete"


def _pairs() -> list[tuple[str, str, str]]:
    """Every sixth lifecycle, and one by relay: the services take turns.

    ``make chaos`` goes every lifecycle both ways over all services, and makes every single kill.
    """
    services = sorted(CASES)
    chosen = [name for number, name in enumerate(LIFECYCLES) if number % 6 == 0 and "slow" not in name]
    return [
        *((name, services[number % len(services)], "at once") for number, name in enumerate(chosen)),
        (BY_RELAY, "rekognition", "by relay"),
    ]


@pytest.mark.parametrize(("name", "service", "way"), _pairs())
def test_killed_anywhere_it_ends_as_if_not_killed(name: str, service: str, way: str) -> None:
    # Where nobody knows whether the service fences its models: with a fence, and without, in turn.
    fenced = list(LIFECYCLES).index(name) % 4 < 2
    report = killed_everywhere(CASES[service], name, handover=WAYS[way], fenced=fenced)
    assert report.runs > 10
    assert report.broken == []


@pytest.mark.parametrize(
    ("calls", "wanted"),
    [
        ([("a", 0, 0.0), ("b", 0, 0.0)], [(0, "before"), (0, "after"), (1, "after")]),
        # Time passed, or it is another invocation: something else may have come between.
        ([("a", 0, 0.0), ("b", 0, 1.0)], [(0, "before"), (0, "after"), (1, "before"), (1, "after")]),
        ([("a", 0, 0.0), ("b", 1, 0.0)], [(0, "before"), (0, "after"), (1, "before"), (1, "after")]),
        # Of equal polls the third is left out, and what comes at once after it is killed before its effect.
        (
            [*(("poll", 0, float(second)) for second in range(4)), ("b", 0, 3.0)],
            [*((one, when) for one in (0, 1, 3) for when in ("before", "after")), (4, "after")],
        ),
        (
            [*(("poll", 0, float(second)) for second in range(3)), ("poll", 0, 2.0), ("b", 0, 2.0)],
            [*((one, when) for one in (0, 1, 3) for when in ("before", "after")), (4, "after")],
        ),
    ],
)
def test_each_state_in_which_a_function_can_be_killed_is_tried_once(
    calls: list[tuple[str, int, float]], wanted: list[tuple[int, str]]
) -> None:
    made = [Call(invocation, what, time) for what, invocation, time in calls]
    assert list(kills(made)) == wanted
    assert len(list(kills(made, every=True))) == 2 * len(made)
