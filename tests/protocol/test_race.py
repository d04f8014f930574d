"""Two or three stacks want one model within a minute, and some are undone at once; tags are read late."""

from __future__ import annotations

import random

import pytest

from chaos.lifecycles import fence
from support.cases import CASES, ServiceCase
from support.cloudformation import Script, Stack, play
from support.invariants import Promises
from support.lateness import KINDS
from support.models import seed
from support.world import World

pytestmark = pytest.mark.usefixtures("virtual_time", "no_logs")

#: How late all is. Of reads that are a constant minute late most of what was ever found came.
LATE = ("on time", "tags 10 s", "tags 60 s", "tags 60 s", "tags 60 s", "tags jump", "all jumps")


def life(chance: random.Random, stack: Stack, case: ServiceCase) -> Script:
    """A stack is made, perhaps cancelled; then it may be deleted."""
    yield from stack.a_while(chance.choice((0.01, chance.random() * 2, chance.random() * 60)))
    interrupt = chance.choice((None, chance.random() * 3, chance.random() * 120, chance.random() * 30))
    yield from stack.create(case.properties("1"), interrupt=interrupt, deliveries=chance.choice((1, 1, 2)))
    if stack.status == "CREATE_COMPLETE" and chance.random() < 0.7:
        yield from stack.a_while(chance.choice((0.5, chance.random() * 30, chance.random() * 200)))
        yield from stack.delete(deliveries=chance.choice((1, 1, 2)))


@pytest.mark.parametrize("number", range(100))
def test_a_race(number: int) -> None:
    chance = random.Random(number)
    case = chance.choice(list(CASES.values()))
    world = World(
        seed=number,
        latency=0.25,
        lateness=KINDS[chance.choice(LATE)],
        function_seconds=chance.choice((400.0, 900.0)),
    )
    fence(world, case, chance.random() < 0.8)
    seed(world, case, "1")
    names = ("One", "Two", "Three")[: chance.choice((2, 2, 3))]
    stacks = [Stack(world, case, name) for name in names]
    play(world, *(life(chance, stack, case) for stack in stacks))
    world.run()
    broken = Promises(world, case, stacks).broken()
    world.discard()
    assert broken == []
