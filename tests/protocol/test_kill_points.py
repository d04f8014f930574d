"""Every call boundary of every lifecycle is killed once, before and after its effect."""

from __future__ import annotations

import pytest

from chaos.lifecycles import LIFECYCLES, killed_everywhere
from support.cases import CASES

pytestmark = pytest.mark.usefixtures("virtual_time", "no_logs")

#: Here each service goes one of the two ways; `make chaos` goes both, and kills every single poll.
WAYS = [("lookoutvision", False), ("rekognition", True)]


@pytest.mark.parametrize("name", LIFECYCLES)
@pytest.mark.parametrize(("service", "handover"), WAYS, ids=["lookoutvision", "rekognition by relay"])
def test_killed_anywhere_it_ends_as_if_not_killed(service: str, name: str, handover: bool) -> None:
    report = killed_everywhere(CASES[service], name, handover)
    assert report.runs > 10
    assert report.broken == []
