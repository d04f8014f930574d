"""Hosting hours: schedules start and stop the model between deploys, by the same reconciler and lease."""

from __future__ import annotations

from typing import Any

import pytest

from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions import lease_hours, marks
from support.cases import PROJECT, ServiceCase
from support.cloudformation import Stack, play
from support.invariants import Promises
from support.models import model, seed
from support.world import World

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.fixture
def world(case: ServiceCase) -> Any:
    made = World(latency=0.02)
    for version in ("1", "2"):
        seed(made, case, version)
    yield made
    made.discard()


def wanted(case: ServiceCase, version: str = "1", units: int = 1) -> dict[str, Any]:
    return case.properties(version, units, HostingHours="true")


def hosted(world: World, case: ServiceCase, units: int = 1) -> Stack:
    stack = Stack(world, case)
    play(world, stack.create(wanted(case, units=units)))
    assert model(world, case)["status"] == case.running
    return stack


def asleep(world: World, case: ServiceCase) -> Stack:
    stack = hosted(world, case)
    play(world, stack.hours("Stop"))
    assert model(world, case)["status"] == case.stopped
    return stack


def finish(world: World, case: ServiceCase, *stacks: Stack) -> None:
    world.run()
    assert Promises(world, case, stacks).broken() == []


class TestADay:
    def test_it_sleeps_and_wakes_and_is_gone(self, world: World, case: ServiceCase) -> None:
        stack = asleep(world, case)
        seen = model(world, case)
        assert lease_hours.is_asleep(seen["tags"])
        assert seen["tags"][Tag.STACK] == stack.id
        play(world, stack.hours("Start"))
        seen = model(world, case)
        assert (seen["status"], seen["starts"]) == (case.running, 2)
        assert not lease_hours.is_asleep(seen["tags"])
        play(world, stack.delete())
        seen = model(world, case)
        assert seen["status"] == case.stopped
        assert Tag.HOURS not in seen["tags"]
        finish(world, case, stack)

    @pytest.mark.parametrize("goal", ["Start", "Stop"])
    def test_nobody_waits_for_an_answer(self, world: World, case: ServiceCase, goal: str) -> None:
        stack = hosted(world, case)
        answers = len(world.answers)
        play(world, stack.hours(goal))
        assert len(world.answers) == answers
        finish(world, case, stack)

    def test_what_runs_already_is_left_running(self, world: World, case: ServiceCase) -> None:
        stack = hosted(world, case)
        since = marks.Mark.parse(model(world, case)["tags"][Tag.REQUEST])
        play(world, stack.hours("Start"))
        seen = model(world, case)
        assert (seen["status"], seen["starts"]) == (case.running, 1)
        hours = lease_hours.hours_of(seen["tags"])
        assert hours
        assert since
        assert hours.hosted_at == since.hosted_at
        finish(world, case, stack)

    def test_a_schedule_delivered_twice_starts_once(self, world: World, case: ServiceCase) -> None:
        stack = asleep(world, case)
        play(world, stack.hours("Start", deliveries=2))
        assert model(world, case)["starts"] == 2
        finish(world, case, stack)

    def test_a_start_longer_than_an_invocation_is_carried_by_the_relay(
        self, world: World, case: ServiceCase
    ) -> None:
        stack = asleep(world, case)
        seed(world, case, "1", status=case.stopped, start_seconds=2000)
        play(world, stack.hours("Start", seconds=2200))
        assert model(world, case)["status"] == case.running
        finish(world, case, stack)

    def test_a_stop_that_finds_it_starting_waits(self, world: World, case: ServiceCase) -> None:
        stack = asleep(world, case)
        play(world, stack.hours("Start", seconds=10))
        play(world, stack.hours("Stop"))
        assert model(world, case)["status"] == case.stopped
        finish(world, case, stack)


class TestDeploys:
    def test_a_create_hosts_whatever_the_hour(self, world: World, case: ServiceCase) -> None:
        stack = hosted(world, case)
        finish(world, case, stack)

    def test_an_update_while_asleep_leaves_it_asleep_and_the_next_start_has_its_units(
        self, world: World, case: ServiceCase
    ) -> None:
        stack = asleep(world, case)
        play(world, stack.update(wanted(case, units=2)))
        assert stack.status == "UPDATE_COMPLETE"
        assert stack.requests[-1].answers[0].body["Data"]["Status"] == case.stopped
        assert model(world, case)["starts"] == 1
        # The schedule still carries what was declared before: what the lease says goes first.
        stack.schedule("Start", properties=wanted(case, units=1))
        world.run(400)
        seen = model(world, case)
        assert (seen["status"], seen["min_inference_units"]) == (case.running, 2)
        finish(world, case, stack)

    def test_an_update_while_asleep_that_is_rolled_back(self, world: World, case: ServiceCase) -> None:
        stack = asleep(world, case)
        play(world, stack.update(wanted(case, units=2), fails_beside=True))
        assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
        assert model(world, case)["status"] == case.stopped
        play(world, stack.hours("Start"))
        assert model(world, case)["min_inference_units"] == 1
        finish(world, case, stack)

    def test_a_swap_while_asleep(self, world: World, case: ServiceCase) -> None:
        stack = asleep(world, case)
        play(world, stack.update(wanted(case, "2")))
        assert stack.status == "UPDATE_COMPLETE"
        assert [model(world, case, v)["starts"] for v in "12"] == [1, 0]
        assert Tag.STACK not in model(world, case, "1")["tags"]
        play(world, stack.hours("Start"))
        assert model(world, case, "2")["status"] == case.running
        finish(world, case, stack)

    def test_a_swap_while_asleep_that_is_rolled_back(self, world: World, case: ServiceCase) -> None:
        stack = asleep(world, case)
        play(world, stack.update(wanted(case, "2"), fails_beside=True))
        assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
        assert [model(world, case, v)["starts"] for v in "12"] == [1, 0]
        finish(world, case, stack)

    def test_a_swap_to_a_version_that_cannot_be_hosted_fails_while_asleep(
        self, world: World, case: ServiceCase
    ) -> None:
        stack = asleep(world, case)
        seed(world, case, "2", status=case.unready)
        play(world, stack.update(wanted(case, "2")))
        assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
        finish(world, case, stack)

    def test_taking_the_hours_away_wakes_it(self, world: World, case: ServiceCase) -> None:
        stack = asleep(world, case)
        play(world, stack.update(case.properties("1")))
        assert model(world, case)["status"] == case.running
        # A schedule that comes late finds that it has no say any more.
        stack.schedule("Stop", properties=wanted(case))
        world.run(400)
        assert model(world, case)["status"] == case.running
        finish(world, case, stack)

    def test_giving_it_hours_leaves_it_as_it_is(self, world: World, case: ServiceCase) -> None:
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1")), stack_update(stack, case))
        assert model(world, case)["status"] == case.running
        finish(world, case, stack)

    @pytest.mark.parametrize("after", [0.5, 5.0, 20.0, 39.0])
    def test_a_stop_that_meets_a_running_deploy_leaves_it_alone(
        self, world: World, case: ServiceCase, after: float
    ) -> None:
        stack = Stack(world, case)
        world.after(after, lambda: stack.schedule("Stop", properties=wanted(case)))
        play(world, stack.create(wanted(case)))
        assert stack.status == "CREATE_COMPLETE"
        world.run(100)
        assert model(world, case)["status"] == case.running
        play(world, stack.hours("Stop"))
        assert model(world, case)["status"] == case.stopped
        finish(world, case, stack)

    @pytest.mark.parametrize("after", [0.1, 1.0, 5.0, 20.0, 39.0, 45.0])
    @pytest.mark.parametrize("units", [1, 2])
    def test_a_deploy_takes_over_from_a_scheduled_start(
        self, world: World, case: ServiceCase, after: float, units: int
    ) -> None:
        stack = asleep(world, case)
        play(world, stack.hours("Start", seconds=after))
        play(world, stack.update(wanted(case, units=units)))
        seen = model(world, case)
        if after >= 1.0:
            assert (seen["status"], seen["min_inference_units"]) == (case.running, units)
        finish(world, case, stack)

    @pytest.mark.parametrize("after", [0.01, 0.1, 1.0, 5.0, 10.5, 15.0])
    @pytest.mark.parametrize("units", [1, 2])
    def test_a_deploy_during_a_scheduled_stop(
        self, world: World, case: ServiceCase, after: float, units: int
    ) -> None:
        stack = hosted(world, case)
        play(world, stack.hours("Stop", seconds=after))
        play(world, stack.update(wanted(case, units=units)))
        assert stack.status == "UPDATE_COMPLETE"
        finish(world, case, stack)

    @pytest.mark.parametrize("after", [0.1, 1.0, 5.0, 20.0, 39.0, 45.0])
    def test_a_stack_deleted_while_a_scheduled_start_is_running(
        self, world: World, case: ServiceCase, after: float
    ) -> None:
        stack = asleep(world, case)
        play(world, stack.hours("Start", seconds=after))
        play(world, stack.delete())
        assert stack.status == "DELETED"
        world.run(200)
        seen = model(world, case)
        assert seen["status"] == case.stopped
        assert not {Tag.STACK, Tag.HOURS} & set(seen["tags"])
        finish(world, case, stack)

    def test_a_schedule_of_a_stack_that_is_gone_touches_nothing(
        self, world: World, case: ServiceCase
    ) -> None:
        stack = asleep(world, case)
        play(world, stack.delete())
        effects = len(world.effects)
        stack.schedule("Start", properties=wanted(case))
        world.run(400)
        assert len(world.effects) == effects
        finish(world, case, stack)


def stack_update(stack: Stack, case: ServiceCase) -> Any:
    yield lambda: stack.status == "CREATE_COMPLETE"
    yield from stack.update(wanted(case))

    def test_two_deliveries_of_an_update_answer_alike(self, world: World, case: ServiceCase) -> None:
        stack = asleep(world, case)
        play(world, stack.update(wanted(case, units=2), deliveries=2))
        play(world, stack.update(case.properties("1", 2), deliveries=2))
        for sent in stack.requests[-2:]:
            world.run(100)
            assert len({answer.body["Data"]["Status"] for answer in sent.answers}) == 1
        finish(world, case, stack)


class TestFailures:
    def test_a_start_that_fails_is_tried_three_times_and_then_reported(
        self, world: World, case: ServiceCase
    ) -> None:
        stack = asleep(world, case)
        seed(world, case, "1", status=case.stopped, start_outcome=case.failed)
        play(world, stack.hours("Start", seconds=1000))
        seen = model(world, case)
        assert seen["status"] == case.failed
        # One of the deploy, three of the schedule.
        assert seen["starts"] == 4
        hours = lease_hours.hours_of(seen["tags"])
        assert hours
        assert hours.state is marks.State.FAILED
        assert any('"HostingFailures"' in line for line in world.metrics)
        # The next occasion tries again.
        seed(world, case, "1", status=case.failed, start_outcome=case.running)
        play(world, stack.hours("Start"))
        assert model(world, case)["status"] == case.running
        finish(world, case, stack)

    def test_the_second_try_may_succeed(self, world: World, case: ServiceCase) -> None:
        stack = asleep(world, case)
        seed(world, case, "1", status=case.stopped, start_outcome=case.failed)
        world.after(60, lambda: seed(world, case, "1", status=case.failed, start_outcome=case.running))
        play(world, stack.hours("Start", seconds=600))
        assert model(world, case)["status"] == case.running
        finish(world, case, stack)

    def test_a_quota_that_is_met_once_is_tried_again(self, world: World, case: ServiceCase) -> None:
        stack = asleep(world, case)
        error = case.final[0]
        fault = {"operation": case.start, "error": error, "times": 2, "service": case.name}
        world.control("POST", "faults", fault)
        play(world, stack.hours("Start", seconds=900))
        assert model(world, case)["status"] == case.running
        finish(world, case, stack)

    def test_a_stop_supersedes_the_tries(self, world: World, case: ServiceCase) -> None:
        stack = asleep(world, case)
        seed(world, case, "1", status=case.stopped, start_outcome=case.failed)
        play(world, stack.hours("Start", seconds=60))
        play(world, stack.hours("Stop"))
        seen = model(world, case)
        assert seen["starts"] == 2
        assert lease_hours.is_asleep(seen["tags"])
        finish(world, case, stack)

    @pytest.mark.parametrize("goal", ["Start", "Stop"])
    def test_a_model_that_is_gone(self, world: World, case: ServiceCase, goal: str) -> None:
        stack = asleep(world, case)
        world.control("DELETE", f"models/{PROJECT}/1?service={case.name}")
        play(world, stack.hours(goal))
        world.run()
        assert not world.rules
