"""Who commands a model: every branch of both judgements, and what the tags may hold."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hosted_model_runtime.contract import OnRunning, Tag
from hosted_model_runtime.decisions import lease, marks
from hosted_model_runtime.decisions.lease import Standing, Verdict, judge, judge_release
from hosted_model_runtime.decisions.marks import Closing, Mark, State
from hosted_model_runtime.decisions.model import Phase, Units
from hosted_model_runtime.decisions.request import Claim, Request
from hosted_model_runtime.decisions.tokens import fingerprint

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/4962af83-294b-5fc0-b817-0230b7066ebf"
OTHER = STACK.replace("Mine", "Theirs")
DECLARED = fingerprint("lookoutvision/boards/3")


def claim(**changed: Any) -> Claim:
    request = Request("Create", "request-2", STACK, "Model", "lookoutvision", {}, Units(1), NOW)
    return Claim(replace(request, **changed), DECLARED)


CLAIM, DELETE, UPDATE = claim(), claim(type="Delete"), claim(type="Update")


def mark(**changed: Any) -> Mark:
    return replace(Mark(NOW - SECOND, "Create", "request-1", State.HELD, DECLARED), **changed)


def owned(
    by: Mark | str | None, stack: str = STACK, logical_id: str = "Model", **more: str
) -> dict[str, str]:
    tags = {Tag.STACK: stack, Tag.LOGICAL_ID: logical_id, **more, "Team": "line-4"}
    return tags if by is None else {**tags, Tag.REQUEST: str(by)}


def closed(issued: datetime, resource: Claim = CLAIM, request_id: str = "request-0") -> dict[str, str]:
    return {Tag.CLOSED: str(Closing(issued, request_id, resource.resource, resource.stack))}


THEIRS = claim(stack_id=OTHER)


class TestJudge:
    """A request that wants to host."""

    @pytest.mark.parametrize("phase", Phase)
    @pytest.mark.parametrize("on_running", [OnRunning.FAIL, OnRunning.ADOPT])
    def test_unowned(self, phase: Phase, on_running: str) -> None:
        verdict = judge({}, claim(on_running=on_running), phase)
        if phase in (Phase.RUNNING, Phase.STARTING, Phase.UPDATING) and on_running == OnRunning.FAIL:
            assert verdict.standing is Standing.FOREIGN
            assert verdict.reason == f"it is {phase.value} and no stack owns it"
        else:
            assert verdict == Verdict(Standing.FREE)

    def test_tags_of_somebody_else_do_not_matter(self) -> None:
        assert judge({"Team": "line-4"}, CLAIM, Phase.STOPPED).standing is Standing.FREE

    @pytest.mark.parametrize("phase", Phase)
    @pytest.mark.parametrize("on_running", [OnRunning.FAIL, OnRunning.ADOPT])
    @pytest.mark.parametrize(
        ("stack", "logical_id"),
        [(OTHER, "Model"), (OTHER, "Other"), (STACK.lower(), "Model")],
    )
    def test_another_owner(self, phase: Phase, on_running: str, stack: str, logical_id: str) -> None:
        tags = owned(mark(request_id=CLAIM.request.request_id), stack, logical_id)
        verdict = judge(tags, claim(on_running=on_running), phase)
        assert verdict.standing is Standing.FOREIGN
        assert verdict.reason == f"it is owned by {logical_id} of stack {stack}"

    def test_another_owner_without_a_logical_id(self) -> None:
        verdict = judge({Tag.STACK: OTHER}, CLAIM, Phase.STOPPED)
        assert verdict.reason == f"it is owned by a resource of stack {OTHER}"

    def test_its_own_stack_where_no_resource_and_no_request_is_named(self) -> None:
        assert judge({Tag.STACK: STACK}, CLAIM, Phase.STOPPED) == Verdict(Standing.FREE)

    @pytest.mark.parametrize("phase", Phase)
    @pytest.mark.parametrize("state", State)
    def test_its_own_mark(self, phase: Phase, state: State) -> None:
        mine = mark(issued=NOW, request_id=CLAIM.request.request_id, state=state)
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
    @pytest.mark.parametrize(
        "tags", [{}, owned(mark(), OTHER), owned(mark(request_id=CLAIM.request.request_id))]
    )
    def test_closed_by_a_delete_of_the_same_resource_no_earlier(
        self, after: timedelta, tags: dict[str, str]
    ) -> None:
        verdict = judge({**tags, **closed(NOW + after)}, claim(on_running=OnRunning.ADOPT), Phase.STOPPED)
        assert verdict == Verdict(Standing.SUPERSEDED)

    def test_closed_by_an_earlier_delete_of_the_same_resource(self) -> None:
        assert judge(closed(NOW - SECOND), CLAIM, Phase.STOPPED) == Verdict(Standing.FREE)

    @pytest.mark.parametrize(
        ("after", "standing"),
        [(-SECOND, Standing.FREE), (timedelta(0), Standing.FOREIGN), (SECOND, Standing.FOREIGN)],
    )
    def test_closed_by_another_resource(self, after: timedelta, standing: Standing) -> None:
        verdict = judge(closed(NOW + after, THEIRS), claim(on_running=OnRunning.ADOPT), Phase.STOPPED)
        assert verdict.standing is standing
        assert bool(verdict.reason) is (standing is Standing.FOREIGN)

    def test_closed_by_another_resource_of_the_same_stack(self) -> None:
        neighbour = claim(logical_id="Other")
        assert judge(closed(NOW + SECOND, neighbour), CLAIM, Phase.STOPPED).standing is Standing.FOREIGN

    def test_the_owner_does_not_mind_what_another_resource_closed(self) -> None:
        mine = mark(issued=NOW, request_id=CLAIM.request.request_id)
        tags = owned(mine, **closed(NOW + SECOND, THEIRS))
        assert judge(tags, CLAIM, Phase.STOPPED) == Verdict(Standing.HELD, mine)

    def test_a_closing_mark_that_cannot_be_read_closes_nothing(self) -> None:
        assert judge({Tag.CLOSED: "garbage"}, CLAIM, Phase.STOPPED) == Verdict(Standing.FREE)


class TestJudgeRelease:
    """A Delete, or a rollback that gives up what an update started."""

    @pytest.mark.parametrize("on_running", [OnRunning.FAIL, OnRunning.ADOPT])
    def test_unowned(self, on_running: str) -> None:
        assert judge_release({"Team": "x"}, claim(type="Delete", on_running=on_running)) == Verdict(
            Standing.UNOWNED
        )

    @pytest.mark.parametrize("logical_id", ["Model", "Other"])
    def test_another_stack_owns_it(self, logical_id: str) -> None:
        assert judge_release(owned(mark(), OTHER, logical_id), DELETE).standing is Standing.FOREIGN

    @pytest.mark.parametrize("state", State)
    def test_another_resource_of_its_stack_owns_it(self, state: State) -> None:
        before = mark(state=state)
        assert judge_release(owned(before, logical_id="Other"), DELETE) == Verdict(Standing.MOVED, before)

    def test_its_own_model_under_another_name(self) -> None:
        """Two names of one model (`latest` and its number): the other name's owner keeps it."""
        tags = owned(mark(declared_as=fingerprint("lookoutvision/boards/latest")))
        assert judge_release(tags, DELETE).standing is Standing.RELEASED

    @pytest.mark.parametrize("text", [None, "garbage"])
    def test_its_own_model_with_a_mark_that_cannot_be_read(self, text: str | None) -> None:
        assert judge_release(owned(text), DELETE).standing is Standing.RELEASED

    @pytest.mark.parametrize("state", State)
    def test_its_own_mark(self, state: State) -> None:
        mine = mark(issued=NOW, type="Delete", request_id=DELETE.request.request_id, state=state)
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
        rollback = UPDATE
        standing = judge_release(owned(mark(issued=NOW, type=kind)), rollback).standing
        assert standing is (Standing.SUPERSEDED if kind == "Delete" else Standing.FREE)

    def test_let_go_by_this_very_request(self) -> None:
        tags = closed(NOW, DELETE, DELETE.request.request_id)
        assert judge_release(tags, DELETE).standing is Standing.RELEASED

    def test_closing_but_still_owned(self) -> None:
        mine = mark(issued=NOW, type="Delete", request_id=DELETE.request.request_id)
        tags = owned(mine, **closed(NOW, DELETE, DELETE.request.request_id))
        assert judge_release(tags, DELETE) == Verdict(Standing.HELD, mine)

    def test_let_go_by_another_request(self) -> None:
        assert judge_release(closed(NOW, DELETE, "request-9"), DELETE).standing is Standing.UNOWNED


class TestWriting:
    def test_the_first_mark_keeps_hosted_at_of_the_one_before(self) -> None:
        before = mark(hosted_at="20260101T000000Z", state=State.DONE)
        made = lease.first_mark(CLAIM, {}, before)
        assert made == Mark(NOW, "Create", "request-2", State.HELD, DECLARED, "20260101T000000Z")
        assert lease.first_mark(CLAIM, {}, None).hosted_at == ""

    def test_the_tags_of_a_claim_are_judged_as_its_own(self) -> None:
        made = lease.first_mark(CLAIM, {}, None)
        assert judge(lease.owner_tags(CLAIM, made), CLAIM, Phase.RUNNING) == Verdict(Standing.HELD, made)
        assert judge_release(lease.closing_tag(DELETE), DELETE).standing is Standing.RELEASED


HOUR = timedelta(hours=1)
NEW = "Renamed"
#: The resource that a construct's new name makes: it takes over what "Model" left there.
RENAMED = claim(logical_id=NEW, request_id="request-3")


def moved(by: Mark, former: Mark | None, former_id: str = "Model") -> dict[str, str]:
    """The tags of a model that ``Renamed`` owns, and that another resource of the stack had before."""
    tags = owned(by, logical_id=NEW)
    return (
        tags if former is None else tags | {Tag.FORMER_LOGICAL_ID: former_id, Tag.FORMER_REQUEST: str(former)}
    )


class TestMoving:
    """A construct is renamed: a Create under another logical ID, then a Delete of the one before."""

    @pytest.mark.parametrize("state", [state for state in State if not state.letting_go])
    @pytest.mark.parametrize("phase", Phase)
    def test_it_takes_what_an_earlier_deploy_left_under_another_logical_id(
        self, phase: Phase, state: State
    ) -> None:
        before = mark(state=state)
        assert judge(owned(before), RENAMED, phase) == Verdict(Standing.FREE, before)

    @pytest.mark.parametrize("state", [State.RELEASING, State.RETURNING])
    @pytest.mark.parametrize("age", [-HOUR, timedelta(0), HOUR])
    def test_it_waits_for_a_resource_that_is_about_to_give_the_model_up(
        self, age: timedelta, state: State
    ) -> None:
        before = mark(issued=NOW - age, type="Delete", state=state)
        assert judge(owned(before), RENAMED, Phase.STOPPING) == Verdict(Standing.BUSY, before)

    @pytest.mark.parametrize("after", [timedelta(0), SECOND])
    def test_what_another_resource_took_no_earlier_is_foreign(self, after: timedelta) -> None:
        """Two resources of the stack declare one model."""
        verdict = judge(owned(mark(issued=NOW + after)), RENAMED, Phase.RUNNING)
        assert verdict == Verdict(Standing.FOREIGN, reason=f"it is owned by Model of stack {STACK}")

    @pytest.mark.parametrize(
        ("mine", "standing"),
        [
            # Of its own, the former owner left: it was deleted, by this request's issue or later.
            (mark(issued=NOW, type="Delete", request_id="d", state=State.RELEASED), Standing.SUPERSEDED),
            (mark(issued=NOW + SECOND, type="Delete", state=State.RELEASED), Standing.SUPERSEDED),
            (mark(issued=NOW + SECOND, type="Update"), Standing.SUPERSEDED),
            # This very request was done before the other resource took the model.
            (mark(issued=NOW, request_id="request-2", state=State.DONE), Standing.SUPERSEDED),
            (mark(issued=NOW, request_id="request-2", state=State.STARTED), Standing.FOREIGN),
            (mark(issued=NOW - SECOND), Standing.FOREIGN),
            (mark(issued=NOW - SECOND, state=State.RELEASED), Standing.FOREIGN),
        ],
    )
    def test_a_late_delivery_for_the_resource_that_was_renamed(self, mine: Mark, standing: Standing) -> None:
        taken = mark(issued=NOW + HOUR, request_id="request-3", state=State.DONE)
        assert judge(moved(taken, mine), CLAIM, Phase.RUNNING).standing is standing

    def test_a_resource_that_was_let_go_may_take_the_model_again_later(self) -> None:
        """Renamed, deployed, and renamed back."""
        taken, gone = mark(state=State.DONE), mark(issued=NOW - SECOND, type="Delete", state=State.RELEASED)
        assert judge(moved(taken, gone), CLAIM, Phase.RUNNING) == Verdict(Standing.FREE, taken)

    def test_the_former_owner_is_written_with_the_lease(self) -> None:
        before = mark(state=State.DONE, hosted_at="20260101T000000Z", units="2-4")
        tags = lease.former_tags(owned(before), RENAMED)
        assert tags == {Tag.FORMER_LOGICAL_ID: "Model", Tag.FORMER_REQUEST: str(before)}
        assert lease.former_of(owned(mark(), logical_id=NEW) | tags) == lease.Former("Model", before)

    @pytest.mark.parametrize(
        ("kind", "state", "kept"),
        [("Stop", State.ASLEEP, State.ASLEEP), ("Start", State.DONE, State.DONE)],
    )
    def test_with_what_its_hours_did_since(self, kind: str, state: State, kept: State) -> None:
        before = mark(state=State.DONE, hosted_at="20260101T000000Z", has_hours=True)
        hours = mark(type=kind, state=state, under="request-1", hosted_at="20260102T000000Z")
        tags = lease.former_tags(owned(before, **{Tag.HOURS: str(hours)}), RENAMED)
        assert tags[Tag.FORMER_REQUEST] == str(before.at(kept, "20260102T000000Z"))

    def test_no_former_owner_is_written_where_there_is_none(self) -> None:
        assert lease.former_tags({}, CLAIM) == {}
        assert lease.former_tags(owned(mark()), CLAIM) == {}
        assert lease.former_tags(owned(mark(), OTHER), CLAIM) == {}
        assert lease.former_tags(owned(None), RENAMED) == {}
        assert lease.former_tags(owned(mark()), claim(type="Start", logical_id=NEW)) == {}

    def test_a_later_deploy_gives_nothing_back_any_more(self) -> None:
        former = mark(issued=NOW - HOUR, state=State.DONE)
        update = claim(type="Update", logical_id=NEW)
        tags = moved(mark(state=State.DONE), former)
        assert lease.former_tags(tags, update) == {Tag.FORMER_REQUEST: str(former.at(State.RELEASED))}
        assert lease.former_tags(tags | lease.former_tags(tags, update), update) == {}

    @pytest.mark.parametrize(
        ("age", "state", "returns"),
        [
            (SECOND, State.DONE, True),
            (SECOND, State.STARTED, True),
            (SECOND, State.ASLEEP, True),
            (SECOND, State.RELEASED, False),
            (lease.RETURN_WITHIN - SECOND, State.DONE, True),
            (lease.RETURN_WITHIN, State.DONE, False),
        ],
    )
    def test_what_a_rollback_gives_back(self, age: timedelta, state: State, returns: bool) -> None:
        """The new resource is deleted, and the old one is told nothing."""
        former, owner = mark(issued=NOW - 40 * HOUR, state=state), mark(issued=NOW - age)
        delete = claim(type="Delete", logical_id=NEW)
        assert lease.must_return(lease.Former("Model", former), owner, delete) is returns

    def test_nothing_is_given_back_where_there_was_nobody(self) -> None:
        assert not lease.must_return(None, mark(), DELETE)

    @pytest.mark.parametrize(
        "tags",
        [
            {},
            {Tag.FORMER_LOGICAL_ID: "Model"},
            {Tag.FORMER_REQUEST: str(mark())},
            {Tag.FORMER_LOGICAL_ID: "Model", Tag.FORMER_REQUEST: "garbage"},
            {Tag.FORMER_LOGICAL_ID: NEW, Tag.FORMER_REQUEST: str(mark())},
        ],
    )
    def test_what_is_no_former_owner(self, tags: dict[str, str]) -> None:
        assert lease.former_of(owned(mark(), logical_id=NEW) | tags) is None

    @pytest.mark.parametrize(
        ("state", "runs", "given"),
        [
            (State.DONE, True, State.DONE),
            (State.ASLEEP, False, State.ASLEEP),
            # The deploy that hosted it was never finished: what runs is what it would have answered.
            (State.STARTED, True, State.DONE),
            (State.HELD, False, State.FAILED),
        ],
    )
    def test_what_is_given_back_is_as_it_was(self, state: State, runs: bool, given: State) -> None:
        former = mark(state=state, hosted_at="20260101T000000Z", units="2-4", has_hours=True)
        delete = claim(type="Delete", logical_id=NEW)
        tags = lease.returning_tags(delete, lease.Former("Model", former), runs, "")
        assert tags[Tag.LOGICAL_ID] == "Model"
        assert tags[Tag.REQUEST] == str(former.at(given))
        # The resource that gave it back is gone: an older request of it, delivered late, takes nothing.
        late = claim(logical_id=NEW)
        assert judge({Tag.STACK: STACK} | tags, late, Phase.RUNNING).standing is Standing.SUPERSEDED

    def test_a_model_that_was_started_again_is_hosted_since_then(self) -> None:
        former = lease.Former("Model", mark(state=State.DONE, hosted_at="20260101T000000Z"))
        tags = lease.returning_tags(claim(type="Delete", logical_id=NEW), former, True, "20260304T050000Z")
        assert Mark.parse(tags[Tag.REQUEST]) == former.mark.at(State.DONE, "20260304T050000Z")

    def test_the_old_resource_s_delete_leaves_word_that_it_is_gone(self) -> None:
        tags = moved(mark(), mark(state=State.DONE)) | lease.released_tags(DELETE)
        former = lease.former_of(tags)
        assert former is not None
        assert (former.logical_id, former.mark.state, former.mark.request_id) == (
            "Model", State.RELEASED, "request-2",
        )  # fmt: skip
        assert not lease.must_return(former, mark(), claim(type="Delete", logical_id=NEW))

    def test_as_declared_means_owned_now_or_before_under_the_same_name(self) -> None:
        """`latest` stays with the version that this resource leased, also after a rename was undone."""
        assert lease.owns_as_declared(owned(mark()), CLAIM)
        assert lease.owns_as_declared(moved(mark(), mark()), CLAIM)
        assert not lease.owns_as_declared(owned(mark(declared_as="another")), CLAIM)
        assert not lease.owns_as_declared(moved(mark(), mark(declared_as="another")), CLAIM)
        assert not lease.owns_as_declared(moved(mark(), None), CLAIM)
        assert not lease.owns_as_declared(moved(mark(), mark(), "Third"), CLAIM)
        assert not lease.owns_as_declared(owned(mark(), OTHER), CLAIM)


class TestReopening:
    @pytest.mark.parametrize(
        ("former", "goes"),
        [
            ("", True),
            ("Deleted", True),
            # It owned the model after the Delete that closed it, and a rename took it over: it may come back.
            ("Renamed", False),
        ],
    )
    def test_the_former_owner_goes_with_its_own_closing_tag(self, former: str, goes: bool) -> None:
        more = {Tag.FORMER_LOGICAL_ID: former, Tag.FORMER_REQUEST: str(mark())} if former else {}
        tags = owned(mark(), **closed(NOW, claim(logical_id="Deleted")), **more)
        keys = lease.keys_to_reopen(tags, CLAIM)
        assert keys == [Tag.CLOSED, *([Tag.FORMER_LOGICAL_ID, Tag.FORMER_REQUEST] if goes else [])]


class TestReadsThatAreBehind:
    """A read that shows less than this request wrote is old; one that shows somebody later is news."""

    WRITTEN = mark(issued=NOW, request_id="request-2", state=State.STARTED)

    @pytest.mark.parametrize(
        ("shown", "behind"),
        [
            (None, True),
            ("garbage", True),
            (mark(), True),
            (WRITTEN.at(State.STARTING_STOPPED), True),
            (WRITTEN, False),
            (WRITTEN.at(State.DONE), False),
            (mark(issued=NOW, request_id="request-9"), False),
            (mark(issued=NOW + SECOND), False),
        ],
    )
    def test_table(self, shown: Mark | str | None, behind: bool) -> None:
        assert lease.is_behind(owned(shown), self.WRITTEN, CLAIM) is behind

    def test_a_schedule_reads_its_own_tag(self) -> None:
        start, written = claim(type="Start"), mark(issued=NOW, request_id="request-2", under="request-1")
        assert lease.is_behind(owned(mark(issued=NOW)), written, start)
        assert not lease.is_behind(owned(mark(), **{Tag.HOURS: str(written)}), written, start)

    def test_its_own_mark_is_known_by_the_request(self) -> None:
        assert lease.own_mark(owned(self.WRITTEN), CLAIM) == self.WRITTEN
        assert lease.own_mark(owned(mark()), CLAIM) is None
        assert lease.own_mark(owned(self.WRITTEN, OTHER), CLAIM) is None
        assert (
            lease.own_mark(owned(mark(), **{Tag.HOURS: str(self.WRITTEN)}), claim(type="Start")) is not None
        )


class TestLimits:
    """At most 256 letters, digits, spaces and _ . : / = + - @ ("Tag", both API references)."""

    #: 128 for a stack name, 255 for a logical ID; the longest partition and region there are.
    STACK = (
        f"arn:aws-iso-b:cloudformation:ap-southeast-4:123456789012:stack/{'S' * 128}/"
        "4962af83-294b-5fc0-b817-0230b7066ebf"
    )
    LONGEST = claim(
        stack_id=STACK,
        logical_id="L" * 255,
        request_id="4962af83-294b-5fc0-b817-0230b7066ebf",
        has_hours=True,
    )

    @pytest.mark.parametrize("state", State)
    def test_every_value_fits(self, state: State) -> None:
        longest = self.LONGEST
        first = lease.first_mark(longest, {}, None, "1000-1000")
        made = replace(first, state=state, hosted_at=marks.stamp(NOW))
        tags = {**lease.owner_tags(longest, made), **lease.closing_tag(longest)}
        schedule = Claim(replace(longest.request, type="Start"), DECLARED)
        hours = replace(lease.first_mark(schedule, tags, made), state=state, hosted_at=marks.stamp(NOW))
        tags |= lease.owner_tags(schedule, hours)
        renamed = Claim(replace(longest.request, logical_id="M" * 255), DECLARED)
        tags |= lease.former_tags(tags, renamed)
        assert set(tags) == set(Tag.ALL)
        for value in tags.values():
            assert re.fullmatch(r"[\w .:/=+\-@]{1,256}", value)
        assert len(tags[Tag.REQUEST]) <= 130
        assert len(tags[Tag.FORMER_REQUEST]) <= 130
        assert len(tags[Tag.HOURS]) <= 170
        # What the service gives back is still this claim's.
        tags |= {Tag.CLOSED: "", Tag.FORMER_LOGICAL_ID: "Other"}
        assert judge(tags, longest, Phase.RUNNING) == Verdict(Standing.HELD, made)
