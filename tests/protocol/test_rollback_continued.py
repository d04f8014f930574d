"""An update's rollback fails: somebody goes on with it (``cdk rollback``), or deletes the stack."""

from __future__ import annotations

import pytest

from chaos.trouble import put_model
from support.app_promises import AppPromises
from support.apps import Declared, StackOfApp, filled
from support.cases import CASES, ServiceCase
from support.cloudformation import play
from support.lateness import KINDS
from support.template_stack import Fate, TemplateStack
from support.world import World, virtual

A, B = ("A",), ("B",)


def a_stack(world: World, case: ServiceCase) -> tuple[AppPromises, TemplateStack]:
    """Return a stack that is not deployed yet, in a world with three models, and the promises about it."""
    for version in ("1", "2", "3"):
        put_model(world, case, version, status=case.stopped, start_seconds=20, stop_seconds=5)
    promises, stack = AppPromises(world), TemplateStack(world, "One")
    promises.stacks.append(stack)
    return promises, stack


def refuse(world: World, case: ServiceCase) -> None:
    """Let the service refuse what the rollback has to do: a start with the old units, or a change to them."""
    if case.resize:
        world.after(50.0, lambda: put_model(world, case, "1", resize_fails=True))
        return
    fault = {"operation": case.start, "error": case.final[0], "times": 1, "after": 1, "service": case.name}
    world.control("POST", "faults", fault)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_was_deployed_before_runs_again(case: ServiceCase) -> None:
    with virtual():
        world = World(seed=1)
        try:
            promises, stack = a_stack(world, case)
            promises.failing.add("1")
            one = Declared(case.name, False, "1")
            play(world, stack.deploy(filled(StackOfApp({A: one}))))
            assert stack.status == "CREATE_COMPLETE"

            two = StackOfApp({A: Declared(case.name, False, "1", units=2)}, neighbour=2)
            refuse(world, case)
            play(world, stack.deploy(filled(two), Fate(neighbour_fails=60.0)))
            assert stack.status == "UPDATE_ROLLBACK_FAILED"

            if case.resize:
                put_model(world, case, "1", resize_fails=False)
            play(world, stack.go_back())
            world.run()
            assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
            model = world.control("GET", f"models/boards/1?service={case.name}")
            assert (model["status"], model["min_inference_units"]) == (case.running, 1)
            assert promises.broken() == []

            play(world, stack.destroy())
            world.run()
            assert promises.broken() == []
            assert world.control("GET", f"models/boards/1?service={case.name}")["status"] == case.stopped
        finally:
            world.discard()


@pytest.mark.parametrize(
    ("service", "late", "seed"),
    [
        ("lookoutvision", "tags jump", 8),
        ("rekognition", "all jumps", 2),
        *((service, "on time", 3) for service in CASES),
    ],
)
def test_a_stack_is_deleted_with_a_model_s_old_construct_and_its_new_one(
    service: str, late: str, seed: int
) -> None:
    """Both are deleted at once: the new one must not give the model back to the old one."""
    case = CASES[service]
    with virtual():
        seconds = 400.0 if seed % 2 else 900.0
        world = World(seed=seed, latency=0.2, lateness=KINDS[late], function_seconds=seconds)
        try:
            promises, stack = a_stack(world, case)
            model = Declared(service, False, "1")
            play(world, stack.deploy(filled(StackOfApp({A: model}))))
            play(
                world,
                stack.deploy(
                    filled(StackOfApp({B: model}, neighbour=2)),
                    Fate(neighbour_fails=100.0, rollback_fails=True),
                ),
            )
            assert stack.status == "UPDATE_ROLLBACK_FAILED"
            play(world, stack.destroy())
            world.run()
            assert stack.status == "DELETED"
            assert promises.broken() == []
            assert world.control("GET", f"models/boards/1?service={service}")["status"] == case.stopped
        finally:
            world.discard()
