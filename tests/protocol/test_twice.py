"""Lambda delivers every event twice, up to 20 s apart, and calls of the two cross: all ends as if once."""

from __future__ import annotations

import pytest

from chaos.lifecycles import LIFECYCLES, run
from chaos.moving import STORIES, tell
from support.cases import CASES, ServiceCase
from support.lateness import KINDS, ON_TIME, Lateness

pytestmark = pytest.mark.usefixtures("virtual_time", "no_logs")

#: How late all is, in turn.
LATE = (ON_TIME, KINDS["tags 0.3 s"], KINDS["tags 10 s"], KINDS["all jumps"])
#: Without ClientTokens each delivery may start once, so a start that fails has more attempts than three.
MORE_STARTS = {"hours: a start that fails"}


def lateness(name: str, seed: int, case: ServiceCase) -> Lateness:
    return LATE[(len(name) + seed + list(CASES).index(case.name)) % len(LATE)]


@pytest.mark.parametrize("name", STORIES)
def test_a_rename(case: ServiceCase, name: str) -> None:
    seed = 28
    wrong = tell(case, name, None, 0.25, lateness(name, seed, case), seed=seed, deliveries=2)[1]
    # Of two deliveries whose reads are late, each may start the model once where there is no ClientToken.
    assert [one for one in wrong if not one.endswith("starts")] == []


@pytest.mark.parametrize("name", sorted(set(LIFECYCLES) - MORE_STARTS))
def test_a_lifecycle(name: str) -> None:
    seed = len(name)
    case = list(CASES.values())[seed % len(CASES)]
    late = lateness(name, seed, case)
    assert run(case, LIFECYCLES[name], lateness=late, seed=seed, latency=0.25, deliveries=2).broken == []


@pytest.mark.parametrize("seed", [1, 7])
def test_what_a_superseded_update_mends(seed: int) -> None:
    """It read tags from before its rollback's mark, and gave the model its own units again."""
    name, late = "slow: resize cancelled while nobody is there", KINDS["all jumps"]
    made = run(CASES["personalize"], LIFECYCLES[name], lateness=late, seed=seed, latency=0.25, deliveries=2)
    assert made.broken == []
