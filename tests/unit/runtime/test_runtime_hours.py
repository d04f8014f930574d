"""Hosting hours: what a schedule's event becomes, and where a scheduled start or stop stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hosted_model_runtime.cloudformation.events import from_schedule, is_scheduled, parse
from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions import lease, lease_hours
from hosted_model_runtime.decisions.lease import Standing, judge
from hosted_model_runtime.decisions.marks import Closing, Mark, State
from hosted_model_runtime.decisions.model import Observed, Phase
from hosted_model_runtime.decisions.request import Claim, InvalidRequestError
from hosted_model_runtime.decisions.steps import Done, Running, decide
from hosted_model_runtime.decisions.tokens import fingerprint

NOW = datetime(2026, 3, 4, 8, 0, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/4962af83-294b-5fc0-b817-0230b7066ebf"
IDENTITY = fingerprint("lookoutvision/boards/3")
START = Claim(STACK, "Model", "start-1", "Start", NOW, IDENTITY)
STOP = replace(START, type="Stop", request_id="stop-1")
UPDATE = replace(START, type="Update", request_id="update-1", has_hours=True)
REQUEST = Mark(NOW - HOUR / 2, "Create", "create-1", State.DONE, IDENTITY, "20260304T070000Z", "1-4", True)


def hours(kind: str = "Stop", **changed: Any) -> Mark:
    made = Mark(NOW - HOUR / 4, kind, f"{kind.lower()}-0", State.ASLEEP, IDENTITY, under="create-1")
    return replace(made, **changed)


def tags(request: Mark | None = REQUEST, last: Mark | None = None, **more: str) -> dict[str, str]:
    found = {Tag.STACK: STACK, Tag.LOGICAL_ID: "Model"}
    if request:
        found[Tag.REQUEST] = str(request)
    if last:
        found[Tag.HOURS] = str(last)
    return found | more


class TestJudge:
    @pytest.mark.parametrize("claim", [START, STOP])
    @pytest.mark.parametrize(
        ("seen", "why"),
        [
            ({}, "nobody owns it"),
            (tags() | {Tag.STACK: STACK.replace("Mine", "Theirs")}, "another stack's"),
            (tags() | {Tag.LOGICAL_ID: "Other"}, "another resource's"),
            (tags(None), "no request commands it"),
            (tags(replace(REQUEST, identity="other")), "declared under another identity"),
            (tags(replace(REQUEST, has_hours=False)), "the hours were taken away"),
            (tags(replace(REQUEST, state=State.HELD)), "a deploy is at work"),
            (tags(replace(REQUEST, state=State.STARTED)), "a deploy is at work"),
            (tags(replace(REQUEST, state=State.SLEEPING)), "a deploy is at work"),
            (tags(last=hours(issued=NOW + SECOND)), "another schedule was due later"),
            (tags(last=hours(issued=NOW + SECOND, under="create-0")), "another schedule was due later"),
            (
                tags() | {Tag.CLOSED: str(Closing(NOW, "delete-1", START.resource, START.stack))},
                "the stack lets go",
            ),
        ],
    )
    def test_it_touches_nothing(self, claim: Claim, seen: dict[str, str], why: str) -> None:
        assert judge(seen, claim, Phase.RUNNING).standing is Standing.SUPERSEDED, why

    @pytest.mark.parametrize("claim", [START, STOP])
    @pytest.mark.parametrize(
        "seen",
        [
            tags(),
            tags(replace(REQUEST, state=State.ASLEEP)),
            tags(last=hours()),
            tags(last=hours("Start", state=State.FAILED)),
            tags(last=hours("Start", state=State.STARTED)),
            # Made by a deploy after the time of the schedule, and done: the hours go on.
            tags(replace(REQUEST, issued=NOW + SECOND)),
            # Nobody answers any more for a request of more than an hour ago.
            tags(replace(REQUEST, issued=NOW - HOUR, state=State.STARTED)),
            tags() | {Tag.CLOSED: str(Closing(NOW, "delete-1", "another", "another"))},
        ],
    )
    def test_it_takes_its_turn(self, claim: Claim, seen: dict[str, str]) -> None:
        verdict = judge(seen, claim, Phase.STOPPED)
        assert verdict.standing is Standing.FREE
        assert verdict.mark == lease_hours.hours_of(seen)

    def test_a_failed_deploy_is_stopped_and_not_started(self) -> None:
        seen = tags(replace(REQUEST, state=State.FAILED))
        assert judge(seen, START, Phase.STOPPED).standing is Standing.SUPERSEDED
        assert judge(seen, STOP, Phase.RUNNING).standing is Standing.FREE

    def test_of_two_of_one_second_the_stop_is_the_later(self) -> None:
        assert judge(tags(last=hours("Stop", issued=NOW)), START, Phase.STOPPED).standing is (
            Standing.SUPERSEDED
        )
        assert judge(tags(last=hours("Start", issued=NOW)), STOP, Phase.RUNNING).standing is Standing.FREE

    def test_it_holds_until_another_request_commands_the_model(self) -> None:
        mine = lease.first_mark(START, tags(), None)
        seen = tags(last=mine)
        assert judge(seen, START, Phase.STARTING) == lease.Verdict(Standing.HELD, mine)
        later = seen | {Tag.REQUEST: str(replace(REQUEST, request_id="update-1"))}
        assert judge(later, START, Phase.STARTING).standing is Standing.SUPERSEDED

    def test_it_writes_its_own_mark_only(self) -> None:
        mark = lease.first_mark(START, tags(), None)
        assert mark.units == "1-4"
        assert mark.under == "create-1"
        assert mark.hosted_at == REQUEST.hosted_at
        assert set(lease.owner_tags(START, mark)) == {Tag.HOURS}


class TestAsleep:
    @pytest.mark.parametrize(
        ("request_state", "last", "asleep"),
        [
            (State.DONE, None, False),
            (State.ASLEEP, None, True),
            (State.SLEEPING, None, True),
            (State.DONE, hours(), True),
            (State.DONE, hours(state=State.SLEEPING), True),
            (State.DONE, hours(state=State.FAILED), False),
            (State.DONE, hours("Start", state=State.DONE), False),
            (State.ASLEEP, hours("Start", state=State.STARTED), False),
            (State.ASLEEP, hours("Start", state=State.FAILED), False),
            # What a schedule did under an earlier request no longer counts.
            (State.DONE, hours(under="create-0"), False),
            (State.ASLEEP, hours("Start", state=State.DONE, under="create-0"), True),
        ],
    )
    def test_table(self, request_state: State, last: Mark | None, asleep: bool) -> None:
        assert lease_hours.is_asleep(tags(replace(REQUEST, state=request_state), last)) is asleep

    def test_nobody_s_model_is_not_asleep(self) -> None:
        assert not lease_hours.is_asleep({})

    @pytest.mark.parametrize(
        ("before", "last", "in_flight"),
        [
            (None, hours(state=State.SLEEPING), False),
            (REQUEST, None, False),
            (REQUEST, hours(), False),
            (REQUEST, hours(state=State.SLEEPING), True),
            (REQUEST, hours(state=State.SLEEPING, under="create-0"), False),
            (replace(REQUEST, state=State.STARTED), None, True),
        ],
    )
    def test_what_may_be_under_way(self, before: Mark | None, last: Mark | None, in_flight: bool) -> None:
        assert lease.is_in_flight(tags(REQUEST, last), before) is in_flight

    def test_a_deploy_after_a_scheduled_start_keeps_its_hosted_at(self) -> None:
        woken = hours("Start", state=State.DONE, hosted_at="20260304T074500Z")
        assert lease.first_mark(UPDATE, tags(last=woken), REQUEST).hosted_at == "20260304T074500Z"
        assert lease.first_mark(UPDATE, tags(), REQUEST).hosted_at == REQUEST.hosted_at


def test_a_scheduled_start_finds_its_work_done_whatever_the_units() -> None:
    seen = Observed(Phase.RUNNING, "model", min_units=7)
    assert decide(Running(1, any_units=True), seen, started=False) == Done()
    assert decide(Running(1), seen, started=False) != Done()


EVENT = {
    "HostedModel": "Start",
    "ScheduledTime": "2026-03-04T08:00:00Z",
    "StackId": STACK,
    "LogicalResourceId": "Model",
    "ResourceProperties": {
        "Service": "lookoutvision",
        "Model": {"ProjectName": "boards", "ModelVersion": "3"},
        "MinInferenceUnits": 1,
        "HostingTimeoutSeconds": 1800,
        "HostingHours": "true",
    },
}


class TestEvent:
    def test_it_is_a_request_of_its_time(self) -> None:
        made = parse(from_schedule(EVENT), now=0)
        assert (made.type, made.stack_id, made.logical_id) == ("Start", STACK, "Model")
        assert made.issued == NOW
        assert made.has_hours
        # Three tries, each as long as a deploy would wait.
        assert made.timeout == 3 * 1800

    def test_a_second_delivery_is_the_same_request(self) -> None:
        first, second = from_schedule(EVENT), from_schedule(dict(EVENT))
        assert first["RequestId"] == second["RequestId"]
        assert len(first["RequestId"]) == 36

    @pytest.mark.parametrize(
        "changed",
        [
            {"HostedModel": "Stop"},
            {"ScheduledTime": "2026-03-05T08:00:00Z"},
            {"LogicalResourceId": "Other"},
            {"StackId": STACK.replace("Mine", "Theirs")},
        ],
    )
    def test_another_occasion_is_another_request(self, changed: dict[str, str]) -> None:
        assert from_schedule(EVENT | changed)["RequestId"] != from_schedule(EVENT)["RequestId"]

    def test_cloudformation_s_event_and_a_tick_stay_as_they_are(self) -> None:
        plain = {"RequestType": "Create", "RequestId": "r"}
        assert from_schedule(plain) == plain
        tick = from_schedule(EVENT) | {"CrHelperPoll": True}
        assert from_schedule(tick) == tick
        assert is_scheduled(tick)
        assert not is_scheduled(plain)

    @pytest.mark.parametrize(
        ("changed", "named"),
        [
            ({"HostedModel": "Pause"}, "HostedModel must be one of"),
            ({"ScheduledTime": "<aws.scheduler.scheduled-time>"}, "ScheduledTime must be a time"),
        ],
    )
    def test_bad_events(self, changed: dict[str, str], named: str) -> None:
        with pytest.raises(InvalidRequestError, match=named):
            from_schedule(EVENT | changed)
