"""CloudFormation's own sequences, through ``index.handler`` and the HTTP-level simulator, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions.next_move import STRIPPED
from hosted_model_runtime.decisions.tokens import fingerprint
from support.cases import ServiceCase
from support.cloudformation import Sent, Stack, play
from support.models import model, seed
from support.world import World

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.fixture
def world() -> Any:
    made = World(latency=0.02)
    yield made
    made.discard()


def finish(world: World) -> None:
    """Let everything that is still on its way arrive."""
    world.run()
    assert world.rules == {}


def answered(sent: Sent) -> dict[str, Any]:
    assert len({str(sorted(answer.body.items())) for answer in sent.answers}) == 1, sent.answers
    return sent.answers[0].body


class TestCreate:
    def test_hosts_and_answers_with_the_attributes(self, world: World, case: ServiceCase) -> None:
        seed(world, case)
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1", 2)))
        body = answered(stack.requests[0])
        assert body["Status"] == "SUCCESS"
        assert body["PhysicalResourceId"] == case.physical_id("1")
        assert body["Data"]["ModelArn"] == model(world, case)["arn"]
        assert body["Data"]["ModelVersion"] == "1"
        assert body["Data"]["Status"] == case.running
        assert body["Data"]["HostedAt"].endswith("Z")
        found = model(world, case)
        assert (found["status"], found["starts"], found["min_inference_units"]) == (case.running, 1, 2)
        finish(world)

    def test_a_start_longer_than_an_invocation_is_carried_by_the_relay(
        self, world: World, case: ServiceCase
    ) -> None:
        seed(world, case, start_seconds=3000)
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1")))
        assert stack.status == "CREATE_COMPLETE"
        assert len(world.invocations) <= 5
        hosted = model(world, case)["since"]
        assert stack.requests[0].answers[0].time - hosted < 5
        finish(world)
        assert model(world, case)["starts"] == 1

    def test_fails_cleanly_at_the_deadline_and_the_delete_stops_the_model(
        self, world: World, case: ServiceCase
    ) -> None:
        seed(world, case, start_seconds=500)
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1", HostingTimeoutSeconds=300)))
        first = answered(stack.requests[0])
        assert first["Status"] == "FAILED"
        assert "not finished after 300 s" in first["Reason"]
        assert stack.requests[0].answers[0].time < stack.requests[0].expiry
        finish(world)

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"start_outcome": "failed", "status_message": "no capacity"}, "could not be hosted"),
            ({"status": "unready"}, "wait until that has ended"),
        ],
    )
    def test_failures_name_the_model_and_what_to_do(
        self, world: World, case: ServiceCase, given: dict[str, str], words: str
    ) -> None:
        named = {key: getattr(case, value, value) for key, value in given.items()}
        seed(world, case, **named)
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1")))
        body = answered(stack.requests[0])
        assert body["Status"] == "FAILED"
        assert body["PhysicalResourceId"] == case.physical_id("1")
        assert words in body["Reason"]
        assert case.named("1") in body["Reason"]
        assert stack.status == "ROLLBACK_COMPLETE"
        finish(world)

    def test_an_absent_model(self, world: World, case: ServiceCase) -> None:
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1")))
        assert "does not exist" in answered(stack.requests[0])["Reason"]
        assert stack.status == "ROLLBACK_COMPLETE"

    def test_wrong_properties_fail_with_an_id_and_can_be_deleted(
        self, world: World, case: ServiceCase
    ) -> None:
        stack = Stack(world, case)
        play(world, stack.create({**case.properties("1"), "MinInferenceUnits": "0"}))
        body = answered(stack.requests[0])
        assert "min_inference_units must be at least 1" in body["Reason"]
        assert body["PhysicalResourceId"]
        assert stack.status == "ROLLBACK_COMPLETE"

    def test_a_running_model_without_an_owner_is_left_alone(self, world: World, case: ServiceCase) -> None:
        seed(world, case, status=case.running, min_inference_units=1)
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1")))
        assert "no stack owns it" in answered(stack.requests[0])["Reason"]
        finish(world)
        found = model(world, case)
        assert (found["status"], found["tags"], found["stops"]) == (case.running, {}, 0)

    def test_a_running_model_is_adopted_when_asked(self, world: World, case: ServiceCase) -> None:
        seed(world, case, status=case.running, min_inference_units=1)
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1", OnRunning="ADOPT")))
        assert stack.status == "CREATE_COMPLETE"
        assert model(world, case)["starts"] == 0
        play(world, stack.delete())
        assert model(world, case)["status"] == case.stopped
        finish(world)

    def test_a_lease_that_is_taken_away_is_not_taken_back(self, world: World, case: ServiceCase) -> None:
        seed(world, case)
        world.after(20, lambda: seed(world, case, tags={}))
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1")))
        body = answered(stack.requests[0])
        assert (body["Status"], body["Reason"]) == ("FAILED", STRIPPED)
        assert "hosted-model:stack" not in model(world, case)["tags"]
        finish(world)

    def test_another_stacks_model_is_left_alone(self, world: World, case: ServiceCase) -> None:
        seed(world, case)
        mine, other = Stack(world, case, "Mine"), Stack(world, case, "Other")
        play(world, mine.create(case.properties("1")))
        before = model(world, case)
        play(world, other.create(case.properties("1", 3, OnRunning="ADOPT")))
        assert "it is owned by Model of stack" in answered(other.requests[0])["Reason"]
        after = model(world, case)
        assert (after["tags"], after["starts"], after["status"]) == (before["tags"], 1, case.running)
        finish(world)


class TestUpdate:
    @pytest.fixture
    def stack(self, world: World, case: ServiceCase) -> Stack:
        for version in ("1", "2"):
            seed(world, case, version)
        made = Stack(world, case)
        play(world, made.create(case.properties("1")))
        return made

    def test_resize_stops_and_starts_again_unless_it_is_done_in_place(
        self, world: World, case: ServiceCase, stack: Stack
    ) -> None:
        play(world, stack.update(case.properties("1", 2)))
        found = model(world, case)
        assert stack.status == "UPDATE_COMPLETE"
        calls = (0, 1, 0, 1) if case.resize else (2, 2, 1, 0)
        seen = (found["min_inference_units"], found["starts"], found["stops"], found["resizes"])
        assert seen == (2, *calls[1:])
        assert answered(stack.requests[1])["PhysicalResourceId"] == stack.physical_id
        finish(world)

    def test_swap_hosts_the_new_version_before_the_old_one_stops(
        self, world: World, case: ServiceCase, stack: Stack
    ) -> None:
        play(world, stack.update(case.properties("2")))
        old, new = model(world, case, "1"), model(world, case, "2")
        assert (old["status"], new["status"]) == (case.stopped, case.running)
        stopped = next(when for when, status in old["history"] if status.startswith(("STOPPING", "STOP ")))
        assert new["since"] < stopped
        finish(world)

    def test_no_change_touches_nothing(self, world: World, case: ServiceCase, stack: Stack) -> None:
        hosted_at = answered(stack.requests[0])["Data"]["HostedAt"]
        play(world, stack.update(case.properties("1", HostingTimeoutSeconds=1800)))
        found = model(world, case)
        assert (found["starts"], found["stops"]) == (1, 0)
        assert answered(stack.requests[1])["Data"]["HostedAt"] == hosted_at

    def test_a_swap_that_fails_rolls_back(self, world: World, case: ServiceCase, stack: Stack) -> None:
        seed(world, case, "2", start_outcome=case.failed)
        play(world, stack.update(case.properties("2")))
        assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
        old, new = model(world, case, "1"), model(world, case, "2")
        assert (old["status"], old["starts"], new["starts"]) == (case.running, 1, 1)
        assert "hosted-model:stack" not in new["tags"]
        finish(world)

    @pytest.mark.parametrize("learns", [False, True])
    @pytest.mark.parametrize("version", ["1", "2"])
    def test_a_failure_beside_rolls_back(
        self, world: World, case: ServiceCase, stack: Stack, version: str, learns: bool
    ) -> None:
        update = stack.update(case.properties(version, 2), fails_beside=True, learns_failed_id=learns)
        play(world, update)
        assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
        found = model(world, case)
        assert (found["status"], found["min_inference_units"]) == (case.running, 1)
        assert model(world, case, "2")["status"] == case.stopped
        finish(world)

    @pytest.mark.parametrize("after", [0.01, 1, 20, 39, 55])
    @pytest.mark.parametrize("version", ["1", "2"])
    def test_a_cancelled_update_leaves_nothing_running(
        self, world: World, case: ServiceCase, stack: Stack, version: str, after: float
    ) -> None:
        play(world, stack.update(case.properties(version, 2), cancel=after))
        assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
        finish(world)
        found = model(world, case)
        assert (found["status"], found["min_inference_units"]) == (case.running, 1)
        assert model(world, case, "2")["status"] == case.stopped

    def test_a_start_that_was_under_way_is_undone(
        self, world: World, case: ServiceCase, stack: Stack
    ) -> None:
        """A rollback takes over while the model is stopped; then the cancelled update's start arrives."""
        arn = model(world, case)["arn"]
        mark = f"20261118T110640Z/Update/earlier/starting-stopped/{fingerprint(stack.physical_id)}"
        tags = {**model(world, case)["tags"], "hosted-model:request": mark}
        seed(world, case, status=case.stopped, tags=tags)
        world.after(5, lambda: seed(world, case, status=case.running, min_inference_units=2))
        play(world, stack.update(case.properties("1")))
        found = model(world, case)
        assert stack.status == "UPDATE_COMPLETE", answered(stack.requests[1])["Reason"]
        assert (found["arn"], found["status"], found["min_inference_units"]) == (arn, case.running, 1)
        finish(world)


class TestDelete:
    def test_stops_and_waits(self, world: World, case: ServiceCase) -> None:
        seed(world, case)
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1")))
        play(world, stack.delete())
        assert model(world, case)["status"] == case.stopped
        assert stack.requests[-1].answers[0].time >= model(world, case)["since"]
        assert "hosted-model:stack" not in model(world, case)["tags"]
        finish(world)

    @pytest.mark.parametrize("after", [0.001, 0.05, 0.1, 0.2, 5, 39, 40.5, 60])
    def test_a_delete_while_the_create_runs(self, world: World, case: ServiceCase, after: float) -> None:
        seed(world, case)
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1"), interrupt=after))
        assert stack.status == "ROLLBACK_COMPLETE"
        finish(world)
        assert model(world, case)["status"] == case.stopped
        assert "hosted-model:stack" not in model(world, case)["tags"]

    def test_a_create_that_was_killed_before_its_lease_and_comes_late_starts_nothing(
        self, world: World, case: ServiceCase
    ) -> None:
        seed(world, case)
        world.kill_at = {0: "before"}
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1"), interrupt=5))
        assert stack.status == "ROLLBACK_COMPLETE"
        finish(world)
        assert len(world.invocations) == 3
        assert model(world, case)["starts"] == 0

    def test_deleting_what_another_stack_owns_stops_nothing(self, world: World, case: ServiceCase) -> None:
        seed(world, case)
        mine, other = Stack(world, case, "Mine"), Stack(world, case, "Other")
        play(world, mine.create(case.properties("1")))
        play(world, other.create(case.properties("1")))
        assert other.status == "ROLLBACK_COMPLETE"
        assert model(world, case)["status"] == case.running

    def test_a_create_after_a_delete_starts_again(self, world: World, case: ServiceCase) -> None:
        seed(world, case)
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1")))
        play(world, stack.delete())
        again = Stack(world, case, "Again")
        play(world, again.create(case.properties("1")))
        assert again.status == "CREATE_COMPLETE"
        assert model(world, case)["starts"] == 2
        finish(world)

    def test_a_policy_that_spreads_late_lets_no_create_outlive_its_delete(
        self, world: World, case: ServiceCase
    ) -> None:
        seed(world, case)
        fault = {"operation": "TagResource", "error": "AccessDeniedException", "times": 4}
        world.control("POST", "faults", {**fault, "service": case.name})
        stack = Stack(world, case)
        play(world, stack.create(case.properties("1"), interrupt=1.0))
        finish(world)
        assert Tag.STACK not in model(world, case)["tags"]
        assert model(world, case)["status"] == case.stopped

    def test_a_model_that_the_policy_names_no_more_is_let_go(self, world: World, case: ServiceCase) -> None:
        seed(world, case)
        fault = {"operation": "TagResource", "error": "AccessDeniedException", "times": 1000}
        stack = Stack(world, case)
        stack.properties, stack.physical_id = case.properties("1"), case.physical_id("1")
        world.control("POST", "faults", {**fault, "service": case.name})
        play(world, stack.delete())
        assert stack.status == "DELETED"
        finish(world)
