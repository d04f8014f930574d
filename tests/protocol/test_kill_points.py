"""Every call boundary of every lifecycle is killed once, before and after its effect."""

from __future__ import annotations

import pytest

from chaos.lifecycles import LIFECYCLES, killed_everywhere
from support.cases import CASES

pytestmark = pytest.mark.usefixtures("virtual_time", "no_logs")

#: In one invocation, and handed over from one to the next.
WAYS = {"at once": False, "by relay": True}


def _pairs() -> list[tuple[str, str, str]]:
    """Each lifecycle goes both ways, over the services in turn; what schedules do goes one way.

    ``make chaos`` goes all ways over all services, and kills every single poll.
    """
    services, ways = sorted(CASES), list(WAYS)
    return [
        (name, services[(number + chosen) % len(services)], way)
        for number, name in enumerate(LIFECYCLES)
        for chosen, way in enumerate(ways)
        if not name.startswith("hours:") or number % len(ways) == chosen
    ]


@pytest.mark.parametrize(("name", "service", "way"), _pairs())
def test_killed_anywhere_it_ends_as_if_not_killed(name: str, service: str, way: str) -> None:
    report = killed_everywhere(CASES[service], name, handover=WAYS[way])
    assert report.runs > 10
    assert report.broken == []
