"""`hosted-model wake` and `sleep`: by the stack's own function and the very event of its schedule."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hosted_model_cli import waking
from hosted_model_cli.aws import Cloud
from hosted_model_runtime.cloudformation.events import from_schedule, parse
from hosted_model_runtime.contract import Scheduled, Tag
from hosted_model_runtime.decisions.lease import Standing, judge
from hosted_model_runtime.decisions.marks import Mark, State, stamp
from hosted_model_runtime.decisions.model import Phase
from hosted_model_runtime.decisions.request import Claim
from hosted_model_runtime.decisions.tokens import fingerprint
from unit.cli.conftest import LOGICAL_ID, PHYSICAL_ID, STACK_ID, Command, lease, with_hours


def function(
    command: Command, arn: str, goal: str, state: State, status: str
) -> Callable[[dict[str, Any]], None]:
    """The stack's function, which asks the runtime's own lease, and is done at once."""

    def play(event: dict[str, Any]) -> None:
        request = parse(from_schedule(event), 0)
        claim = Claim(request, fingerprint(PHYSICAL_ID))
        tags = command.found(arn)["tags"]
        if judge(tags, claim, Phase.STOPPED).standing is not Standing.FREE:
            return
        under = Mark.parse(tags[Tag.REQUEST])
        assert under
        since = stamp(request.issued)
        mark = Mark(request.issued, goal, request.request_id, state, claim.declared_as, since, "1")
        said = {Tag.HOURS: str(replace(mark, under=under.request_id))}
        command.model(status=status, tags={**tags, **said}, start_seconds=60)

    return play


@pytest.mark.parametrize(
    ("verb", "goal", "before", "state", "after"),
    [
        ("wake", "Start", "TRAINED", State.DONE, "HOSTED"),
        ("sleep", "Stop", "HOSTED", State.ASLEEP, "TRAINED"),
    ],
)
def test_there_and_back(hours: Command, verb: str, goal: str, before: str, state: State, after: str) -> None:
    arn = hours.model(status=before, tags=with_hours(lease()))
    hours.aws.invoked = function(hours, arn, goal, state, after)
    began = datetime.now(UTC).replace(microsecond=0)
    result = hours(verb, arn)
    assert result.exit_code == 0, result.output
    assert hours.found(arn)["status"] == after
    (event,) = hours.aws.events
    when = event.pop(Scheduled.TIME)
    assert began <= datetime.fromisoformat(when) <= datetime.now(UTC)
    assert "." not in when, "whole seconds, as a schedule's"
    declared = json.loads(hours.aws.schedules[goal]["Target"]["Input"])
    assert declared.pop(Scheduled.TIME) == Scheduled.TIME_ATTRIBUTE
    assert event == declared, "the very event of the schedule"
    assert f"is {after}" in result.stdout

    # Again: nothing to do, and nobody is asked to.
    assert hours(verb, arn).exit_code == 0
    assert len(hours.aws.events) == 1


def test_an_order_of_the_second_of_the_last_one_waits(hours: Command) -> None:
    arn = hours.model(status="TRAINED", tags=with_hours(lease()))
    hours.aws.invoked = function(hours, arn, "Start", State.DONE, "HOSTED")
    assert hours("wake", arn).exit_code == 0
    hours.aws.invoked = function(hours, arn, "Stop", State.ASLEEP, "TRAINED")
    assert hours("sleep", arn).exit_code == 0
    first, second = (datetime.fromisoformat(one[Scheduled.TIME]) for one in hours.aws.events)
    assert second > first


NOW = datetime.now(UTC)


OWNER = f"{LOGICAL_ID} of stack Inspection"
ELSEWHERE = STACK_ID.replace("Ins", "Pre")


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        (
            lease(),
            f"{OWNER} has no hosting hours: the function starts and stops a model between deploys only",
        ),
        ({}, "no stack declares boards/1 (no stack owns it)"),
        (with_hours(lease(stack_id=ELSEWHERE)), "no stack declares boards/1 (its stack is gone)"),
        (with_hours(lease(), state=State.HELD, issued=NOW), f"a deploy of {OWNER} is under way"),
        (with_hours(lease(), state=State.FAILED), f"the last deploy of {OWNER} failed"),
    ],
)
def test_what_the_function_would_not_do_is_refused(hours: Command, tags: dict[str, str], why: str) -> None:
    arn = hours.model(status="TRAINED", tags=tags)
    result = hours("wake", arn)
    assert (result.exit_code, hours.aws.events) == (4, [])
    assert why in result.stderr


def test_a_stack_that_is_under_way_or_not_known_is_refused(hours: Command) -> None:
    arn = hours.model(status="TRAINED", tags=with_hours(lease()))
    hours.aws.stacks[0].status = "UPDATE_IN_PROGRESS"
    assert "is under way: wait until it is over" in hours("wake", arn).stderr
    hours.aws.denied.add("cloudformation:DescribeStacks")
    assert hours("sleep", arn).exit_code == 4
    assert hours.aws.events == []


def test_a_schedule_in_a_group_of_its_own_is_not_the_models(hours: Command) -> None:
    arn = hours.model(status="TRAINED", tags=with_hours(lease()))
    hours.aws.stacks[0].resources["Nightly"] = ("AWS::Scheduler::Schedule", "nightly", "CREATE_COMPLETE")
    hours.aws.invoked = function(hours, arn, "Start", State.DONE, "HOSTED")
    assert hours("wake", arn).exit_code == 0


def test_a_start_that_fails(hours: Command) -> None:
    arn = hours.model(status="TRAINED", tags=with_hours(lease()))
    hours.aws.invoked = function(hours, arn, "Start", State.FAILED, "HOSTING_FAILED")
    result = hours("wake", arn)
    assert result.exit_code == 1
    assert "error: the start failed: `hosted-model show` has the function's log" in result.stderr


def test_a_function_that_does_nothing(hours: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = hours.model(status="TRAINED", tags=with_hours(lease()))
    assert "goes on with it, so look again" in hours("wake", arn, "--timeout", "0").stderr
    monkeypatch.setattr(waking, "TAKEN_UP_SECONDS", 0.0)
    result = hours("wake", arn)
    assert (result.exit_code, "did not take it up" in result.stderr) == (1, True)


def test_without_the_permission_to_invoke(hours: Command) -> None:
    arn = hours.model(status="TRAINED", tags=with_hours(lease()))
    hours.aws.denied.add("lambda:InvokeFunction")
    result = hours("wake", arn)
    assert result.exit_code == 1
    assert "lambda:Invoke: AccessDenied" in result.stderr


def test_a_model_that_is_not_there(hours: Command) -> None:
    assert hours("wake", "arn:aws:lookoutvision:us-east-1:000000000000:model/none/1").exit_code == 1


def test_an_old_request_without_an_end_blocks_nothing(hours: Command) -> None:
    old = with_hours(lease(), state=State.HELD, issued=datetime.now(UTC) - timedelta(hours=2))
    arn = hours.model(status="TRAINED", tags=old)
    hours.aws.invoked = function(hours, arn, "Start", State.DONE, "HOSTED")
    assert hours("wake", arn).exit_code == 0


def test_ctrl_c_says_that_it_goes_on(hours: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = hours.model(status="TRAINED", tags=with_hours(lease()))

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Cloud, "wait", interrupt)
    result = hours("wake", arn)
    assert result.exit_code == 130
    assert "interrupted: the start of Lookout for Vision model boards/1 goes on" in result.stderr
