"""The hours' part of the lease: where a scheduled start or stop stands, and what it left behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions import lease, lease_hours
from hosted_model_runtime.decisions.lease import Standing, judge
from hosted_model_runtime.decisions.marks import Closing, Mark, State
from hosted_model_runtime.decisions.model import Phase, Units
from hosted_model_runtime.decisions.request import Claim, Request
from hosted_model_runtime.decisions.tokens import fingerprint

NOW = datetime(2026, 3, 4, 8, 0, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/4962af83-294b-5fc0-b817-0230b7066ebf"
DECLARED = fingerprint("lookoutvision/boards/3")


def claim(kind: str, **changed: Any) -> Claim:
    request = Request(kind, f"{kind.lower()}-1", STACK, "Model", "lookoutvision", {}, Units(1), NOW)
    return Claim(replace(request, **changed), DECLARED)


START, STOP = claim("Start"), claim("Stop")
UPDATE = claim("Update", has_hours=True)
REQUEST = Mark(NOW - HOUR / 2, "Create", "create-1", State.DONE, DECLARED, "20260304T070000Z", "1-4", True)


def hours(kind: str = "Stop", **changed: Any) -> Mark:
    made = Mark(NOW - HOUR / 4, kind, f"{kind.lower()}-0", State.ASLEEP, DECLARED, under="create-1")
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
            (tags(replace(REQUEST, declared_as="other")), "declared under another name"),
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
