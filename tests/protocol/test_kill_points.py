"""Every call boundary of every lifecycle is killed once, before and after its effect."""

from __future__ import annotations

import pytest

from chaos.lifecycles import LIFECYCLES, run
from support.cases import CASES

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.mark.parametrize("handover", [False, True], ids=["one invocation", "relay"])
@pytest.mark.parametrize("name", LIFECYCLES)
@pytest.mark.parametrize("service", sorted(CASES))
def test_killed_anywhere_it_ends_as_if_not_killed(service: str, name: str, handover: bool) -> None:
    case, lifecycle = CASES[service], LIFECYCLES[name]
    calm = run(case, lifecycle, handover=handover)
    assert calm.broken == []
    for number in range(calm.calls):
        for when in ("before", "after"):
            killed = run(case, lifecycle, (number, when), handover)
            where = f"killed {when} call {number}"
            assert killed.killed == 1, where
            assert killed.broken == [], where
            assert killed.statuses == calm.statuses, where
            assert killed.starts == calm.starts, where
