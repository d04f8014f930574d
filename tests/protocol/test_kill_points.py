"""Every call boundary of every lifecycle is killed once, before and after its effect."""

from __future__ import annotations

import pytest

from chaos.lifecycles import LIFECYCLES, killed_everywhere
from support.cases import CASES

pytestmark = pytest.mark.usefixtures("virtual_time", "no_logs")

#: Here each service goes one of the two ways, and what schedules do goes one of them; `make chaos` goes all,
#: and kills every single poll.
WAYS = {"lookoutvision": False, "rekognition by relay": True}
#: … but a service of which nobody knows whether it fences its models: with a fence, and without, in turn.
FENCES = ("personalize fenced", "personalize unfenced")
PAIRS = [
    (name, way)
    for number, name in enumerate(LIFECYCLES)
    for chosen, way in enumerate(WAYS)
    if not name.startswith("hours:") or number % len(WAYS) == chosen
] + [(name, FENCES[number % len(FENCES)]) for number, name in enumerate(LIFECYCLES)]


@pytest.mark.parametrize(("name", "way"), PAIRS)
def test_killed_anywhere_it_ends_as_if_not_killed(name: str, way: str) -> None:
    fenced = not way.endswith("unfenced")
    report = killed_everywhere(CASES[way.split()[0]], name, handover=WAYS.get(way, False), fenced=fenced)
    assert report.runs > 10
    assert report.broken == []
