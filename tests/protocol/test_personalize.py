"""What only Personalize does: a change of units while it serves, and a fence that may not be there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chaos.trouble import fence
from hosted_model_runtime.contract import Tag
from support.cases import PERSONALIZE
from support.cloudformation import Stack, play
from support.models import model, seed
from support.policy import template
from support.world import World

pytestmark = pytest.mark.usefixtures("virtual_time")
SETTINGS = {"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["PRICE"]}}}


@pytest.fixture(params=[True, False], ids=["fenced", "unfenced"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(latency=0.02)
    fence(made, PERSONALIZE, request.param)
    yield made
    made.discard()


@pytest.fixture
def stack(world: World) -> Stack:
    seed(world, PERSONALIZE, settings=SETTINGS, resize_seconds=60)
    made = Stack(world, PERSONALIZE)
    play(world, made.create(PERSONALIZE.properties("1")))
    assert made.status == "CREATE_COMPLETE"
    return made


def test_an_update_is_answered_when_the_units_have_changed_and_keeps_everything_else(
    world: World, stack: Stack
) -> None:
    began = world.now
    play(world, stack.update(PERSONALIZE.properties("1", 3)))
    found = model(world, PERSONALIZE)
    assert stack.status == "UPDATE_COMPLETE"
    assert world.now >= began + 60
    assert (found["min_inference_units"], found["settings"], found["resizes"]) == (3, SETTINGS, 1)
    assert [status for _, status in found["history"]][-1] == "ACTIVE"
    assert (found["starts"], found["stops"]) == (1, 0)


def test_an_update_that_fails_says_why_and_the_old_units_serve_on(world: World, stack: Stack) -> None:
    seed(world, PERSONALIZE, resize_fails=True, status_message="no capacity")
    play(world, stack.update(PERSONALIZE.properties("1", 3)))
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    reason = stack.requests[1].answers[0].body["Reason"]
    assert "could not be given 3 recommendation requests a second, and runs on with 1" in reason
    assert reason.endswith("no capacity")
    found = model(world, PERSONALIZE)
    assert (found["status"], found["min_inference_units"], found["resizes"]) == ("ACTIVE", 1, 1)


def test_what_failed_before_the_request_is_not_its_failure(world: World, stack: Stack) -> None:
    seed(world, PERSONALIZE, resize_fails=True)
    play(world, stack.update(PERSONALIZE.properties("1", 3)))
    seed(world, PERSONALIZE, resize_fails=False)
    world.run(seconds=120)
    play(world, stack.update(PERSONALIZE.properties("1", 3)))
    assert stack.status == "UPDATE_COMPLETE"
    assert model(world, PERSONALIZE)["min_inference_units"] == 3


def test_a_delete_during_a_change_of_units_stops_it(world: World, stack: Stack) -> None:
    play(world, stack.update(PERSONALIZE.properties("1", 3), cancel=20))
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert model(world, PERSONALIZE)["min_inference_units"] == 1
    play(world, stack.delete())
    found = model(world, PERSONALIZE)
    assert (found["status"], Tag.STACK in found["tags"]) == ("INACTIVE", False)


def test_what_is_granted_is_used_and_nothing_else(world: World, stack: Stack) -> None:
    play(world, stack.update(PERSONALIZE.properties("1", 2)))
    play(world, stack.delete())
    assert stack.status == "DELETED"
    used = {action for action in world.authorizer.used if action.startswith("personalize:")}
    assert used == granted()


def granted() -> set[str]:
    kinds = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    statements: list[dict[str, Any]] = [
        statement
        for resource in template()["Resources"].values()
        if resource["Type"] in kinds
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    actions = (
        action
        for one in statements
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    )
    return {action for action in actions if action.startswith("personalize:")}
