"""Who commands a model: every branch of both judgements, and what the tags may hold."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions import lease, marks
from hosted_model_runtime.decisions.lease import Standing, Verdict, judge, judge_release
from hosted_model_runtime.decisions.marks import Closing, Mark, State
from hosted_model_runtime.decisions.model import Phase
from hosted_model_runtime.decisions.request import Claim
from hosted_model_runtime.decisions.tokens import fingerprint

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/4962af83-294b-5fc0-b817-0230b7066ebf"
OTHER = STACK.replace("Mine", "Theirs")
IDENTITY = fingerprint("lookoutvision/boards/3")
CLAIM = Claim(STACK, "Model", "request-2", "Create", NOW, IDENTITY)
DELETE = replace(CLAIM, type="Delete")


def mark(**changed: Any) -> Mark:
    return replace(Mark(NOW - SECOND, "Create", "request-1", State.HELD, IDENTITY), **changed)


def owned(
    by: Mark | str | None, stack: str = STACK, logical_id: str = "Model", **more: str
) -> dict[str, str]:
    tags = {Tag.STACK: stack, Tag.LOGICAL_ID: logical_id, **more, "Team": "line-4"}
    return tags if by is None else {**tags, Tag.REQUEST: str(by)}


def closed(issued: datetime, resource: Claim = CLAIM, request_id: str = "request-0") -> dict[str, str]:
    return {Tag.CLOSED: str(Closing(issued, request_id, resource.resource, resource.stack))}


THEIRS = replace(CLAIM, stack_id=OTHER)


class TestJudge:
    """A request that wants to host."""

    @pytest.mark.parametrize("phase", Phase)
    @pytest.mark.parametrize("adopt", [False, True])
    def test_unowned(self, phase: Phase, adopt: bool) -> None:
        verdict = judge({}, replace(CLAIM, adopt=adopt), phase)
        if phase in (Phase.RUNNING, Phase.STARTING, Phase.UPDATING) and not adopt:
            assert verdict.standing is Standing.FOREIGN
            assert verdict.reason == f"it is {phase.value} and no stack owns it"
        else:
            assert verdict == Verdict(Standing.FREE)

    def test_tags_of_somebody_else_do_not_matter(self) -> None:
        assert judge({"Team": "line-4"}, CLAIM, Phase.STOPPED).standing is Standing.FREE

    @pytest.mark.parametrize("phase", Phase)
    @pytest.mark.parametrize("adopt", [False, True])
    @pytest.mark.parametrize(
        ("stack", "logical_id"),
        [(OTHER, "Model"), (STACK, "Other"), (OTHER, "Other"), (STACK.lower(), "Model")],
    )
    def test_another_owner(self, phase: Phase, adopt: bool, stack: str, logical_id: str) -> None:
        tags = owned(mark(request_id=CLAIM.request_id), stack, logical_id)
        verdict = judge(tags, replace(CLAIM, adopt=adopt), phase)
        assert verdict.standing is Standing.FOREIGN
        assert verdict.reason == f"it is owned by {logical_id} of stack {stack}"

    def test_another_owner_without_a_logical_id(self) -> None:
        verdict = judge({Tag.STACK: OTHER}, CLAIM, Phase.STOPPED)
        assert verdict.reason == f"it is owned by a resource of stack {OTHER}"

    def test_its_own_stack_without_a_logical_id_is_foreign(self) -> None:
        assert judge({Tag.STACK: STACK}, CLAIM, Phase.STOPPED).standing is Standing.FOREIGN

    @pytest.mark.parametrize("phase", Phase)
    @pytest.mark.parametrize("state", State)
    def test_its_own_mark(self, phase: Phase, state: State) -> None:
        mine = mark(issued=NOW, request_id=CLAIM.request_id, state=state)
        assert judge(owned(mine), CLAIM, phase) == Verdict(Standing.HELD, mine)

    @pytest.mark.parametrize("state", State)
    @pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
    def test_an_earlier_mark_of_the_resource(self, kind: str, state: State) -> None:
        before = mark(type=kind, state=state)
        assert judge(owned(before), CLAIM, Phase.RUNNING) == Verdict(Standing.FREE, before)

    @pytest.mark.parametrize("state", State)
    @pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
    def test_a_later_mark_of_the_resource(self, kind: str, state: State) -> None:
        after = mark(issued=NOW + SECOND, type=kind, state=state)
        assert judge(owned(after), CLAIM, Phase.RUNNING) == Verdict(Standing.SUPERSEDED)

    @pytest.mark.parametrize("state", State)
    @pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
    def test_a_mark_of_the_same_second(self, kind: str, state: State) -> None:
        same = mark(issued=NOW, type=kind, state=state)
        superseded = kind == "Delete" or state is State.DONE
        expected = Verdict(Standing.SUPERSEDED) if superseded else Verdict(Standing.FREE, same)
        assert judge(owned(same), CLAIM, Phase.RUNNING) == expected

    @pytest.mark.parametrize("text", [None, "", "garbage", "a/b/c/d/e"])
    def test_owned_with_a_mark_that_cannot_be_read(self, text: str | None) -> None:
        assert judge(owned(text), CLAIM, Phase.RUNNING) == Verdict(Standing.FREE)

    @pytest.mark.parametrize("after", [timedelta(0), SECOND, timedelta(days=1)])
    @pytest.mark.parametrize("tags", [{}, owned(mark(), OTHER), owned(mark(request_id=CLAIM.request_id))])
    def test_closed_by_a_delete_of_the_same_resource_no_earlier(
        self, after: timedelta, tags: dict[str, str]
    ) -> None:
        verdict = judge({**tags, **closed(NOW + after)}, replace(CLAIM, adopt=True), Phase.STOPPED)
        assert verdict == Verdict(Standing.SUPERSEDED)

    def test_closed_by_an_earlier_delete_of_the_same_resource(self) -> None:
        assert judge(closed(NOW - SECOND), CLAIM, Phase.STOPPED) == Verdict(Standing.FREE)

    @pytest.mark.parametrize(
        ("after", "standing"),
        [(-SECOND, Standing.FREE), (timedelta(0), Standing.FOREIGN), (SECOND, Standing.FOREIGN)],
    )
    def test_closed_by_another_resource(self, after: timedelta, standing: Standing) -> None:
        verdict = judge(closed(NOW + after, THEIRS), replace(CLAIM, adopt=True), Phase.STOPPED)
        assert verdict.standing is standing
        assert bool(verdict.reason) is (standing is Standing.FOREIGN)

    def test_closed_by_another_resource_of_the_same_stack(self) -> None:
        neighbour = replace(CLAIM, logical_id="Other")
        assert judge(closed(NOW + SECOND, neighbour), CLAIM, Phase.STOPPED).standing is Standing.FOREIGN

    def test_the_owner_does_not_mind_what_another_resource_closed(self) -> None:
        mine = mark(issued=NOW, request_id=CLAIM.request_id)
        tags = owned(mine, **closed(NOW + SECOND, THEIRS))
        assert judge(tags, CLAIM, Phase.STOPPED) == Verdict(Standing.HELD, mine)

    def test_a_closing_mark_that_cannot_be_read_closes_nothing(self) -> None:
        assert judge({Tag.CLOSED: "garbage"}, CLAIM, Phase.STOPPED) == Verdict(Standing.FREE)


class TestJudgeRelease:
    """A Delete, or a rollback that gives up what an update started."""

    @pytest.mark.parametrize("adopt", [False, True])
    def test_unowned(self, adopt: bool) -> None:
        assert judge_release({"Team": "x"}, replace(DELETE, adopt=adopt)) == Verdict(Standing.UNOWNED)

    @pytest.mark.parametrize(("stack", "logical_id"), [(OTHER, "Model"), (STACK, "Other"), (OTHER, "Other")])
    def test_another_owner(self, stack: str, logical_id: str) -> None:
        assert judge_release(owned(mark(), stack, logical_id), DELETE).standing is Standing.RELEASED

    def test_its_own_model_under_another_identity(self) -> None:
        """Two names of one model (`latest` and its number): the other name's owner keeps it."""
        tags = owned(mark(identity=fingerprint("lookoutvision/boards/latest")))
        assert judge_release(tags, DELETE).standing is Standing.RELEASED

    @pytest.mark.parametrize("text", [None, "garbage"])
    def test_its_own_model_with_a_mark_that_cannot_be_read(self, text: str | None) -> None:
        assert judge_release(owned(text), DELETE).standing is Standing.RELEASED

    @pytest.mark.parametrize("state", State)
    def test_its_own_mark(self, state: State) -> None:
        mine = mark(issued=NOW, type="Delete", request_id=DELETE.request_id, state=state)
        assert judge_release(owned(mine), DELETE) == Verdict(Standing.HELD, mine)

    @pytest.mark.parametrize("state", State)
    @pytest.mark.parametrize("when", [NOW - SECOND, NOW])
    def test_a_delete_is_the_last_word_over_what_is_not_later(self, when: datetime, state: State) -> None:
        before = mark(issued=when, state=state)
        assert judge_release(owned(before), DELETE) == Verdict(Standing.FREE, before)

    def test_a_later_request_has_the_model(self) -> None:
        assert judge_release(owned(mark(issued=NOW + SECOND)), DELETE).standing is Standing.SUPERSEDED

    @pytest.mark.parametrize("kind", ["Update", "Delete"])
    def test_a_rollback_of_the_same_second(self, kind: str) -> None:
        rollback = replace(CLAIM, type="Update")
        standing = judge_release(owned(mark(issued=NOW, type=kind)), rollback).standing
        assert standing is (Standing.SUPERSEDED if kind == "Delete" else Standing.FREE)

    def test_let_go_by_this_very_request(self) -> None:
        tags = closed(NOW, DELETE, DELETE.request_id)
        assert judge_release(tags, DELETE).standing is Standing.RELEASED

    def test_closing_but_still_owned(self) -> None:
        mine = mark(issued=NOW, type="Delete", request_id=DELETE.request_id)
        tags = owned(mine, **closed(NOW, DELETE, DELETE.request_id))
        assert judge_release(tags, DELETE) == Verdict(Standing.HELD, mine)

    def test_let_go_by_another_request(self) -> None:
        assert judge_release(closed(NOW, DELETE, "request-9"), DELETE).standing is Standing.UNOWNED


TIMES = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)).map(
    lambda when: when.replace(microsecond=0, tzinfo=UTC)
)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="/"), max_size=40)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=40)
MARKS = st.builds(Mark, TIMES, WORDS, WORDS, st.sampled_from(State), NAMES, WORDS, WORDS, st.booleans())
HOURS = st.builds(replace, MARKS, attempt=st.integers(1, 9), under=NAMES)


class TestText:
    @given(MARKS | HOURS)
    def test_a_mark_is_read_as_it_was_written(self, made: Mark) -> None:
        assert Mark.parse(str(made)) == made

    @given(st.builds(Closing, TIMES, WORDS, WORDS, WORDS))
    def test_a_closing_mark_is_read_as_it_was_written(self, made: Closing) -> None:
        assert Closing.parse(str(made)) == made

    @given(st.none() | st.text() | st.lists(st.text()).map("/".join))
    def test_garbage_is_no_mark(self, text: str | None) -> None:
        for kind in (Mark, Closing):
            found = kind.parse(text)
            assert found is None or isinstance(found, kind)

    @pytest.mark.parametrize("text", [None, "", "/", "////", "20260304T050607Z/Create/r", "x" * 256])
    def test_what_is_no_mark(self, text: str | None) -> None:
        assert Mark.parse(text) is None
        assert Closing.parse(text) is None

    def test_a_mark_without_hosted_at_is_shorter(self) -> None:
        assert str(mark()) == f"20260304T050606Z/Create/request-1/held/{IDENTITY}"
        assert str(mark(hosted_at="20260304T050700Z")).endswith("/20260304T050700Z")

    def test_a_stamp_is_utc_to_the_second(self) -> None:
        summer = datetime.fromisoformat("2026-03-04T07:06:07.999+02:00")
        assert marks.stamp(summer) == "20260304T050607Z"


class TestMarks:
    def test_a_mark_moves_on_and_keeps_the_rest(self) -> None:
        made = mark(hosted_at="20260101T000000Z")
        assert made.at(State.DONE) == replace(made, state=State.DONE)
        assert made.at(State.STARTED, hosted_at="").hosted_at == ""

    def test_the_first_mark_keeps_hosted_at_of_the_one_before(self) -> None:
        before = mark(hosted_at="20260101T000000Z", state=State.DONE)
        made = lease.first_mark(CLAIM, {}, before)
        assert made == Mark(NOW, "Create", "request-2", State.HELD, IDENTITY, "20260101T000000Z")
        assert lease.first_mark(CLAIM, {}, None).hosted_at == ""

    def test_the_tags_of_a_claim_are_judged_as_its_own(self) -> None:
        made = lease.first_mark(CLAIM, {}, None)
        assert judge(lease.owner_tags(CLAIM, made), CLAIM, Phase.RUNNING) == Verdict(Standing.HELD, made)
        assert judge_release(lease.closing_tag(DELETE), DELETE).standing is Standing.RELEASED

    @pytest.mark.parametrize("state", State)
    def test_three_states_are_final(self, state: State) -> None:
        assert state.settled is (state.value in ("done", "failed", "asleep"))

    @pytest.mark.parametrize("phase", Phase)
    def test_the_intent_says_what_was_seen_before_the_start(self, phase: Phase) -> None:
        expected = State.STARTING_FAILED if phase is Phase.FAILED else State.STARTING_STOPPED
        assert State.starting(phase) is expected


class TestLimits:
    """At most 256 letters, digits, spaces and _ . : / = + - @ ("Tag", both API references)."""

    #: 128 for a stack name, 255 for a logical ID; the longest partition and region there are.
    STACK = (
        f"arn:aws-iso-b:cloudformation:ap-southeast-4:123456789012:stack/{'S' * 128}/"
        "4962af83-294b-5fc0-b817-0230b7066ebf"
    )
    LONGEST = Claim(STACK, "L" * 255, "4962af83-294b-5fc0-b817-0230b7066ebf", "Create", NOW, IDENTITY)

    @pytest.mark.parametrize("state", State)
    def test_every_value_fits(self, state: State) -> None:
        claim = replace(self.LONGEST, has_hours=True)
        first = lease.first_mark(claim, {}, None, "1000-1000")
        made = replace(first, state=state, hosted_at=marks.stamp(NOW))
        tags = {**lease.owner_tags(claim, made), **lease.closing_tag(claim)}
        schedule = replace(claim, type="Start")
        hours = replace(lease.first_mark(schedule, tags, made), state=state, hosted_at=marks.stamp(NOW))
        tags |= lease.owner_tags(schedule, hours)
        assert set(tags) == set(Tag.ALL)
        for value in tags.values():
            assert re.fullmatch(r"[\w .:/=+\-@]{1,256}", value)
        assert len(tags[Tag.REQUEST]) <= 130
        assert len(tags[Tag.HOURS]) <= 170
        # What the service gives back is still this claim's.
        assert judge(tags | {Tag.CLOSED: ""}, self.LONGEST, Phase.RUNNING) == Verdict(Standing.HELD, made)
