"""What carries the moves out: which calls are made, in which order, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions import lease
from hosted_model_runtime.decisions.ends import Done, Failed, Superseded
from hosted_model_runtime.decisions.marks import Closing, Mark, State
from hosted_model_runtime.decisions.model import Phase, Sighting, Units
from hosted_model_runtime.decisions.moves import CALL_SECONDS, READS_BEHIND_SECONDS, Goal, StartCall, Task
from hosted_model_runtime.decisions.polling import NOTHING, LastStart
from hosted_model_runtime.decisions.request import Claim, Request
from hosted_model_runtime.decisions.tokens import fingerprint
from hosted_model_runtime.invocation.leased_model import LeasedModel
from hosted_model_runtime.invocation.outcome import Hosted
from hosted_model_runtime.services.base import Kind, ResizesInPlace, ServiceError
from unit.runtime.fakes import ISSUED, LATEST, Clock, Service

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/uuid-1"
NOW = datetime.fromtimestamp(ISSUED, UTC)
REQUEST = Request("Create", "request-2", STACK, "Model", "fake", {"Name": "1"}, Units(1), NOW)
HOSTED_AT = "20260921T120000Z"


class Case:
    """One model under one request."""

    def __init__(
        self, kind: str = "Create", name: str = "1", goal: Goal | None = None, **changed: Any
    ) -> None:
        self.clock = Clock()
        self.service = Service(self.clock, **changed.pop("service", {}))
        declared = {"physical_id": f"fake/{name}", **changed}
        self.claim = Claim(replace(REQUEST, type=kind, **declared), fingerprint(f"fake/{name}"))
        self._goal = goal or (Goal.RELEASE if kind == "Delete" else Goal.HOST)
        self._name = name
        self.there = self.service.models["1"]
        self.leased = self.anew()

    def anew(self, former: Callable[[], tuple[bool, LastStart]] = lambda: (False, NOTHING)) -> LeasedModel:
        """The same request after a kill: nothing is remembered."""
        task = Task(self.claim, self._goal, "HOSTED", "TRAINED")
        declared = {"Name": self._name}
        return LeasedModel(self.service, declared, task, self.clock.now, former)

    def own(self, name: str = "1", **changed: Any) -> Mark:
        """Let an earlier request of the same resource command the model."""
        mark = Mark(NOW - timedelta(hours=1), "Create", "request-1", State.DONE, self.claim.declared_as)
        mark = replace(mark, hosted_at=HOSTED_AT, **changed)
        there = self.service.models[name]
        there.tags |= {Tag.STACK: STACK, Tag.LOGICAL_ID: "Model", Tag.REQUEST: str(mark)}
        return mark

    def close(self) -> None:
        """Let a Delete of this stack have let go of the model, before this request."""
        closing = Closing(NOW - timedelta(hours=1), "request-0", self.claim.resource, self.claim.stack)
        self.there.tags = {Tag.CLOSED: str(closing)}

    def calls(self) -> list[str]:
        """The calls since the last time of asking."""
        made = [operation for _, operation, _ in self.service.calls]
        self.service.calls.clear()
        return made

    def advance(self, seconds: float = 0) -> list[str]:
        self.clock.time += seconds
        self.leased.advance()
        return self.calls()

    def refuse(self, call: str, kind: Kind, times: int = 1) -> None:
        self.service.faults[call] = [ServiceError(kind, f"injected {kind.value}")] * times

    @property
    def mark(self) -> Mark | None:
        return Mark.parse(self.there.tags.get(Tag.REQUEST))

    @property
    def state(self) -> State:
        assert self.mark
        return self.mark.state


class TestOrder:
    """The lease is read before every step, and written before the step that it announces."""

    def test_a_create(self) -> None:
        case = Case()
        assert case.advance() == ["describe", "tags", "tag", "tags", "start", "tags", "tag"]
        assert case.state is State.STARTED
        assert case.advance(20) == ["describe"]
        assert case.leased.idle
        # Three calls from the look that finds it up to the answer.
        assert case.advance(20) == ["describe", "tags", "tag"]
        assert case.state is State.DONE
        assert isinstance(case.leased.end, Done)

    def test_a_settled_mark_is_read_again_before_the_answer_where_reads_are_behind(self) -> None:
        case = Case(service={"lag": 2.0})
        while case.leased.end is None:
            calls = case.advance(5)
        assert calls == ["describe", "tags"]
        assert case.state is State.DONE

    def test_a_delete(self) -> None:
        case = Case("Delete")
        case.own()
        case.there.phase = Phase.RUNNING
        # A Delete looks again after taking the lease: the status that it saw is older than its lease.
        assert case.advance() == ["describe", "tags", "tag", "describe", "tags", "stop"]
        assert Tag.CLOSED in case.there.tags
        assert case.advance(5) == ["describe"]
        assert case.advance(5) == ["describe", "tags", "untag"]
        assert set(case.there.tags) == {Tag.CLOSED}
        assert case.leased.end == Done()

    def test_a_later_request_takes_its_own_stack_s_closing_mark_off_first(self) -> None:
        case = Case()
        case.close()
        assert case.advance()[:4] == ["describe", "tags", "untag", "tag"]
        assert Tag.CLOSED not in case.there.tags

    def test_the_rule_of_who_is_at_work_goes_before_its_mark(self) -> None:
        case = Case("Update")
        at_work = case.own(state=State.STARTED)
        marks = []
        task, declared = case.leased.task, {"Name": "1"}
        leased = LeasedModel(
            case.service, declared, task, case.clock.now, supersede=lambda one: marks.append((one, case.mark))
        )
        leased.advance()
        assert marks == [("request-1", at_work)]

    def test_nothing_is_done_after_the_end(self) -> None:
        case = Case()
        case.advance()
        case.advance(40)
        assert case.advance() == []


class TestWhatIsRemembered:
    def test_a_call_that_failed_is_made_again_and_what_came_before_is_not(self) -> None:
        case = Case()
        case.refuse("start", Kind.TRANSIENT)
        with pytest.raises(ServiceError):
            case.leased.advance()
        assert case.calls() == ["describe", "tags", "tag", "tags", "start"]
        assert case.advance() == ["describe", "tags", "start", "tags", "tag"]

    @pytest.mark.parametrize("kind", list(Kind))
    def test_a_start_that_met_a_conflict_was_somebody_else_s(self, kind: Kind) -> None:
        case = Case()
        case.refuse("start", kind)
        with pytest.raises(ServiceError):
            case.leased.advance()
        expected = {Kind.CONFLICT: StartCall.REFUSED, Kind.TRANSIENT: StartCall.LOST}
        assert case.leased.progress.start is expected.get(kind, StartCall.UNSENT)
        # From then on it counts how long a read may miss what the other delivery wrote.
        assert bool(case.leased.progress.shown) is (kind is Kind.CONFLICT)

    def test_a_start_is_noted_as_soon_as_it_can_be(self) -> None:
        case = Case()
        case.service.faults["tag"] = [None, ServiceError(Kind.TRANSIENT, "injected")]
        with pytest.raises(ServiceError):
            case.leased.advance()
        assert case.leased.progress.start is StartCall.ACCEPTED
        assert case.state is State.STARTING_STOPPED
        case.calls()
        assert case.advance(1) == ["describe", "tags", "tag"]
        assert case.state is State.STARTED
        assert case.advance(1) == ["describe"]

    def test_killed_after_the_start_it_is_known_from_the_lease(self) -> None:
        case = Case()
        case.advance()
        again = case.anew()
        case.calls()
        again.advance()
        assert case.calls() == ["describe", "tags"]
        assert (again.progress.mark, again.idle) == (case.mark, True)

    def test_what_may_be_under_way_is_given_time_to_land(self) -> None:
        case = Case("Update")
        case.own(state=State.STARTED)
        case.there.phase = Phase.RUNNING
        assert case.advance() == ["describe", "tags", "tag"]
        assert case.leased.progress.not_before == case.clock.time + (READS_BEHIND_SECONDS + CALL_SECONDS)
        assert case.advance((READS_BEHIND_SECONDS + CALL_SECONDS) - 1) == []
        # The request that was superseded may have written over the first mark, and sees the second one late.
        assert case.advance(1) == ["describe", "tags", "tag", "tags"]
        assert case.advance((READS_BEHIND_SECONDS + CALL_SECONDS) - 1) == []
        assert case.advance(1) == ["describe", "tags"]
        assert isinstance(case.leased.end, Done)

    def test_what_a_superseded_request_did_is_mended(self) -> None:
        case = Case("Update")
        case.own(state=State.STARTED)
        case.there.phase = Phase.RUNNING
        for wait in (0, READS_BEHIND_SECONDS + CALL_SECONDS):
            case.advance(wait)
        case.there.phase = Phase.STOPPED
        assert case.advance(READS_BEHIND_SECONDS + CALL_SECONDS) == ["describe", "tags"]
        assert case.advance(READS_BEHIND_SECONDS - 1) == []
        case.advance(1)
        assert case.there.phase is Phase.STARTING
        assert case.leased.end is None

    def test_another_delivery_of_this_request_wrote_the_lease(self) -> None:
        case = Case()
        case.advance()
        other = case.anew()
        case.clock.time += 40
        other.advance()
        assert isinstance(other.end, Done)
        case.calls()
        assert case.advance() == ["describe", "tags"]
        assert case.leased.end == other.end

    def test_how_late_reads_are_is_told_by_its_own_mark_not_by_another_delivery_s(self) -> None:
        """That one was written before: its showing says nothing of what came between the two."""
        case = Case(service={"lag": 60.0})
        case.advance()
        case.leased = case.anew()
        case.advance(21)
        claimed = case.clock.time - ISSUED
        while not case.service.made("start"):
            case.clock.time += 1
            case.leased.advance()
        [started] = case.service.made("start")
        assert started >= claimed + 2 * 60 + CALL_SECONDS

    def test_what_was_seen_last_is_said(self) -> None:
        case = Case()
        assert case.leased.last_seen == ""
        case.advance()
        assert case.leased.last_seen == "model 1 is STOPPED"

    def test_when_it_was_down_so_that_an_older_status_is_not_believed(self) -> None:
        case = Case()
        case.there.enter(Phase.STOPPING, case.clock.time)
        case.advance()
        case.there.phase = Phase.RUNNING
        case.advance(14)
        assert case.state is State.HELD
        case.advance(1)
        assert case.state is State.DONE


class TestStop:
    def failed(self) -> Case:
        case = Case("Delete")
        case.own()
        case.there.phase = Phase.FAILED
        return case

    def test_a_model_whose_hosting_failed_and_that_will_not_be_stopped_is_stopped(self) -> None:
        case = self.failed()
        assert case.advance() == ["describe", "tags", "tag", "describe", "tags", "stop", "tags", "untag"]
        assert case.leased.end == Done()

    @pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.CONFLICT])
    def test_any_other_refusal_is_a_failed_call(self, kind: Kind) -> None:
        case = self.failed()
        case.refuse("stop", kind)
        with pytest.raises(ServiceError):
            case.leased.advance()
        assert not case.leased.progress.stop_refused

    def test_so_is_a_conflict_of_a_model_that_runs(self) -> None:
        case = self.failed()
        case.there.phase = Phase.RUNNING
        case.refuse("stop", Kind.CONFLICT)
        with pytest.raises(ServiceError):
            case.leased.advance()
        assert not case.leased.progress.stop_refused

    def test_how_long_it_was_hosted_is_known_once_it_is_seen_to_stop(self) -> None:
        case = Case("Delete")
        case.own()
        case.there.phase = Phase.RUNNING
        case.advance()
        assert case.leased.hosted is None
        sent = case.clock.time
        case.advance(3)
        assert case.leased.hosted == Hosted({"Name": "1"}, HOSTED_AT, sent)

    def test_even_if_the_answer_of_the_stop_was_lost(self) -> None:
        case = Case("Delete")
        case.own()
        case.there.phase = Phase.RUNNING
        case.refuse("stop", Kind.TRANSIENT)
        with pytest.raises(ServiceError):
            case.leased.advance()
        case.there.enter(Phase.STOPPING, case.clock.time)
        case.advance(3)
        assert case.leased.hosted is not None

    def test_a_model_that_was_never_hosted_is_measured_by_nothing(self) -> None:
        case = Case("Delete")
        case.own()
        case.there.tags |= {Tag.REQUEST: str(replace(case.own(), hosted_at=""))}
        case.there.phase = Phase.RUNNING
        case.advance()
        case.advance(3)
        assert case.leased.hosted is None


class InPlace(Service):
    """The service in memory, if it changed units while a model serves."""

    def resize(self, sighting: Sighting, units: Units, token: str) -> None:
        self.tokens.append(token)
        self._of("resize", sighting.arn).units = (units.minimum, units.maximum)


class TestResize:
    """Where the service can, units change while the model serves."""

    @staticmethod
    def case(service: type[Service]) -> Case:
        case = Case("Update", units=Units(2))
        case.own()
        case.there.phase = Phase.RUNNING
        made = service(case.clock)
        made.models["1"] = case.there
        case.service = made
        task = Task(case.claim, Goal.HOST, "HOSTED", "TRAINED", in_place=isinstance(made, ResizesInPlace))
        case.leased = LeasedModel(made, {"Name": "1"}, task, case.clock.now)
        return case

    def test_it_is_neither_stopped_nor_started(self) -> None:
        case = self.case(InPlace)
        assert case.advance() == ["describe", "tags", "tag", "tags", "resize"]
        assert case.there.phase is Phase.RUNNING
        assert case.advance(1) == ["describe", "tags", "tag"]
        assert isinstance(case.leased.end, Done)
        assert case.leased.end.data["HostedAt"] == HOSTED_AT

    def test_another_service_stops_it_first(self) -> None:
        assert self.case(Service).advance()[-1] == "stop"

    def test_what_is_lost_is_asked_for_again_under_the_same_token(self) -> None:
        case = self.case(InPlace)
        case.refuse("resize", Kind.TRANSIENT)
        with pytest.raises(ServiceError):
            case.advance()
        assert case.advance(1)[-1] == "resize"
        assert isinstance(case.service, InPlace)
        assert len(case.service.tokens) == 2
        assert len(set(case.service.tokens)) == 1


class TestFullOfTags:
    """A model can have fifty tags, and the lease needs seven."""

    @pytest.mark.parametrize(("tags", "failed"), [(43, False), (44, True)])
    def test_a_create_needs_room_for_the_whole_lease(self, tags: int, failed: bool) -> None:
        case = Case()
        case.there.tags = {f"mine-{number}": "" for number in range(tags)}
        case.advance()
        assert isinstance(case.leased.end, Failed) is failed
        if isinstance(case.leased.end, Failed):
            assert (
                "must have at most 43 tags beside the 7 of its lease, but it has 44" in case.leased.end.reason
            )
            assert not case.service.made("tag")

    @pytest.mark.parametrize("kind", [Kind.QUOTA, Kind.INVALID])
    def test_a_delete_stops_what_has_no_room_for_its_closing_tag(self, kind: Kind) -> None:
        case = Case("Delete")
        case.own()
        case.there.phase = Phase.RUNNING
        case.refuse("tag", kind)
        assert case.advance() == ["describe", "tags", "tag", "tag"]
        assert case.state is State.RELEASING
        case.advance(90)
        assert case.there.phase is Phase.STOPPING
        case.advance(20)
        case.advance(90)
        assert case.leased.end == Done()
        assert case.there.tags == {}


class TestStopAgain:
    """A service makes a call once for each token: the repeat of a Stop stops nothing."""

    @staticmethod
    def case() -> Case:
        case = Case("Delete")
        # What it takes over from is at work: so it waits before it lets go.
        case.own(state=State.STARTED)
        case.there.phase = Phase.RUNNING
        assert case.advance()[-1] == "stop"
        return case

    def test_what_somebody_starts_meanwhile_is_stopped_with_another_token(self) -> None:
        case = self.case()
        case.advance(10)
        for count, seconds in ((2, 90), (3, 15)):
            case.there.phase = Phase.RUNNING
            assert "stop" in case.advance(seconds)
            assert len(set(case.service.tokens)) == count

    def test_while_its_status_may_be_old_it_is_the_same_call(self) -> None:
        case = self.case()
        case.there.phase = Phase.RUNNING
        assert "stop" in case.advance(14)
        assert len(set(case.service.tokens)) == 1


class TestClose:
    """A Delete of what nobody owns: a Create that was killed may be delivered once more."""

    def test_it_leaves_a_mark_and_looks_again(self) -> None:
        case = Case("Delete")
        assert case.advance() == ["describe", "tags", "tag", "describe", "tags"]
        assert case.there.tags == lease.closing_tag(case.claim)
        assert case.leased.end == Done()

    def test_not_while_its_reads_are_behind(self) -> None:
        case = Case("Delete", service={"lag": 10})
        case.advance()
        assert case.leased.end is None
        case.advance(11)
        assert case.leased.end == Done()

    def test_a_create_that_never_answered_may_still_write(self) -> None:
        case = Case("Delete", physical_id="Stack-Model-1A2B3C")
        case.advance()
        assert case.leased.end is None
        case.advance(164)
        assert case.leased.end is None
        case.advance(2)
        assert case.leased.end == Done()

    def test_a_denial_may_pass(self) -> None:
        """A policy takes some seconds to be known everywhere."""
        case = Case("Delete")
        case.refuse("tag", Kind.DENIED)
        with pytest.raises(ServiceError):
            case.leased.advance()
        assert case.leased.progress.close_denied
        case.advance()
        assert case.leased.end == Done()

    def test_a_conflict_passes_too(self) -> None:
        """Were it an end, a killed Create that is delivered again would find no closing tag, and start."""
        case = Case("Delete")
        case.refuse("tag", Kind.CONFLICT)
        with pytest.raises(ServiceError):
            case.leased.advance()
        case.advance()
        assert case.there.tags == lease.closing_tag(case.claim)
        assert case.leased.end == Done()

    def test_a_conflict_that_lasts_is_a_training(self) -> None:
        """It is waited for from when it was met, not from when the model was first looked at."""
        case = Case("Delete")
        case.own()
        case.there.tags |= {Tag.STACK: "theirs"}
        case.advance()
        case.there.tags = {}
        case.refuse("tag", Kind.CONFLICT, times=4)
        for seconds in (READS_BEHIND_SECONDS, 20, 40):
            with pytest.raises(ServiceError):
                case.advance(seconds)
        case.advance(40)
        assert case.leased.end == Done()

    def test_a_denial_that_passed_excuses_nothing_later(self) -> None:
        """A Create that is under way may take the lease meanwhile: then there is a model to stop."""
        case = Case("Delete")
        case.refuse("tag", Kind.DENIED)
        with pytest.raises(ServiceError):
            case.leased.advance()
        case.own(issued=NOW)
        case.there.phase = Phase.RUNNING
        case.refuse("stop", Kind.DENIED)
        with pytest.raises(ServiceError):
            case.leased.advance()
        case.leased.fail("the stop was denied", "DENIED")
        case.advance()
        assert case.leased.end == Failed("the stop was denied", "DENIED")

    def test_a_denial_that_lasts_is_no_failure_of_a_delete(self) -> None:
        case = Case("Delete")
        case.refuse("tag", Kind.DENIED)
        with pytest.raises(ServiceError):
            case.leased.advance()
        case.leased.fail("denied", "DENIED")
        case.advance()
        assert case.leased.end == Done()

    @pytest.mark.parametrize("kind", [Kind.ABSENT, Kind.INVALID, Kind.QUOTA])
    def test_what_cannot_be_tagged_at_all_is_no_failure_either(self, kind: Kind) -> None:
        case = Case("Delete")
        case.refuse("tag", kind)
        case.advance()
        assert case.leased.end == Done()


class TestFail:
    def test_the_first_failure_is_the_one_that_is_told(self) -> None:
        case = Case()
        case.leased.fail("first", "QUOTA")
        case.leased.fail("second", "TIMEOUT", aborts=True)
        assert case.leased.progress.failing is not None
        assert case.leased.progress.failing.failed == Failed("first", "QUOTA")
        assert case.leased.progress.failing.aborts

    def test_what_this_request_started_is_stopped_at_the_deadline_and_the_failure_noted(self) -> None:
        case = Case(service={"start_seconds": 1})
        case.advance()
        case.clock.time += 10
        case.leased.fail("not finished", "TIMEOUT", aborts=True)
        assert case.advance() == ["describe", "tags", "stop", "tags", "tag", "tags"]
        assert case.state is State.FAILED
        assert case.leased.end == Failed("not finished", "TIMEOUT")
        assert len(set(case.service.tokens)) == 2

    def test_a_stop_that_is_refused_does_not_keep_it_from_being_noted(self) -> None:
        case = Case()
        case.advance()
        case.leased.fail("not finished", "TIMEOUT", aborts=True)
        case.advance(5)
        assert case.there.phase is Phase.STARTING
        assert case.state is State.FAILED

    def test_superseded_it_says_nothing(self) -> None:
        case = Case()
        case.advance()
        later = Mark(
            NOW + timedelta(seconds=5), "Delete", "request-3", State.RELEASING, case.claim.declared_as
        )
        case.there.tags |= {Tag.REQUEST: str(later)}
        case.leased.fail("not finished", "TIMEOUT", aborts=True)
        assert "stop" not in case.advance(5)
        assert case.leased.end == Superseded()

    def test_given_up_it_ends_with_its_failure(self) -> None:
        case = Case()
        case.leased.fail("first", "QUOTA")
        case.leased.give_up()
        assert case.leased.end == Failed("first", "QUOTA")

    def test_only_what_failed_can_be_given_up(self) -> None:
        with pytest.raises(RuntimeError, match="only what failed"):
            Case().leased.give_up()


class TestScheduledStart:
    def case(self) -> Case:
        case = Case("Start", request_id="start-1")
        case.own(has_hours=True, units="2-4", state=State.ASLEEP)
        return case

    def test_it_starts_with_the_units_of_the_lease(self) -> None:
        case = self.case()
        case.advance()
        assert case.there.units == (2, 4)
        assert case.state is State.ASLEEP
        hours = Mark.parse(case.there.tags[Tag.HOURS])
        assert hours is not None
        assert (hours.state, hours.under) == (State.STARTED, "request-1")

    def test_a_failure_is_tried_again_two_minutes_later_with_another_token(self) -> None:
        case = self.case()
        case.advance()
        case.there.phase = Phase.FAILED
        case.calls()
        assert case.advance(10) == ["describe", "tags"], "it may be the status of before the start"
        assert case.advance(5) == ["describe", "tags", "tag"]
        assert case.leased.progress.start is StartCall.UNSENT
        assert case.leased.progress.failing is None
        assert "start" not in case.advance(119)
        assert "start" in case.advance(1)
        assert len(set(case.service.tokens)) == 2


class TestLatest:
    def test_from_the_first_look_on_it_is_that_very_version(self) -> None:
        case = Case(name=LATEST)
        case.there = case.service.models["2"]
        assert case.leased.model == {"Name": LATEST}
        case.advance()
        assert case.leased.model == {"Name": "2"}
        case.service.models["3"] = case.service.models["1"]
        case.advance(40)
        assert case.there.phase is Phase.RUNNING
        assert isinstance(case.leased.end, Done)

    def test_it_stays_with_the_version_that_this_resource_leased_under_that_name(self) -> None:
        case = Case("Delete", name=LATEST)
        case.own("1")
        case.there.phase = Phase.RUNNING
        case.advance()
        assert case.leased.model == {"Name": "1"}
        assert case.there.phase is Phase.STOPPING

    @pytest.mark.parametrize(("kind", "phase"), [("Delete", Phase.STOPPING), ("Update", Phase.RUNNING)])
    def test_a_lease_that_does_not_show_yet_is_waited_for(self, kind: str, phase: Phase) -> None:
        """A newer version was trained since this resource leased the one that was the latest then."""
        case = Case(kind, name=LATEST, service={"lag": 30})
        case.own("1")
        case.there.written = [(ISSUED - 10, case.there.tags)]
        case.there.phase = Phase.RUNNING
        newer = case.service.models["2"]
        case.advance()
        assert case.advance(READS_BEHIND_SECONDS - 1) == []
        while case.leased.end is None and case.there.phase is Phase.RUNNING:
            case.advance(5)
        assert case.leased.model == {"Name": "1"}
        assert case.there.phase is phase
        assert (newer.phase, newer.tags) == (Phase.STOPPED, {})

    def test_not_with_one_that_it_leased_by_its_number(self) -> None:
        case = Case("Delete", name=LATEST)
        case.own("1", declared_as=fingerprint("fake/1"))
        case.there.phase = Phase.RUNNING
        case.advance()
        case.advance(READS_BEHIND_SECONDS)
        assert case.leased.model == {"Name": "2"}
        assert case.service.models["2"].tags.keys() == {Tag.CLOSED}
        assert case.there.phase is Phase.RUNNING


class TestTokens:
    def test_the_same_request_gives_the_same_token_after_a_kill(self) -> None:
        tokens = []
        for _ in range(2):
            case = Case()
            case.advance()
            tokens += case.service.tokens
        assert len(tokens) == 2
        assert len(set(tokens)) == 1

    def test_another_request_gives_another(self) -> None:
        tokens = []
        for request in ("request-2", "request-3"):
            case = Case(request_id=request)
            case.advance()
            tokens += case.service.tokens
        assert len(set(tokens)) == 2


class TestSleeps:
    """An update that replaces a model outside its hours does not wake the new one."""

    @pytest.mark.parametrize(
        ("changed", "asleep"),
        [
            ({"state": State.ASLEEP}, True),
            ({}, False),
            ({"declared_as": "another", "state": State.ASLEEP}, False),
        ],
    )
    def test_it_is_asked_of_the_lease(self, changed: Mapping[str, Any], asleep: bool) -> None:
        case = Case("Update", has_hours=True)
        case.own(**changed)
        assert case.leased.as_former()[0] is asleep

    def test_what_is_gone_or_somebody_else_s_is_not_asleep(self) -> None:
        case = Case("Update", has_hours=True)
        assert not case.leased.as_former()[0]
        case.own(state=State.ASLEEP)
        case.there.tags |= {Tag.STACK: "theirs"}
        assert not case.leased.as_former()[0]
        del case.service.models["1"]
        assert not case.leased.as_former()[0]

    def test_the_answer_is_asked_for_once_and_where_it_matters(self) -> None:
        asked = []

        def sleeps() -> tuple[bool, LastStart]:
            asked.append(True)
            return True, NOTHING

        case = Case("Update", has_hours=True)
        leased = case.anew(sleeps)
        leased.task = replace(leased.task, replaces=True)
        leased.advance()
        assert asked == [True]
        assert leased.progress.mark is not None
        assert isinstance(leased.end, Done)
        assert leased.progress.mark.state is State.ASLEEP
        assert "start" not in case.calls()

    def test_an_update_without_hours_goes_on_without_an_answer(self) -> None:
        def fails() -> tuple[bool, LastStart]:
            raise ServiceError(Kind.DENIED, "of another service")

        case = Case("Update")
        leased = case.anew(fails)
        leased.task = replace(leased.task, replaces=True)
        leased.advance()
        assert "start" in case.calls()


class TestHowLongAStartTook:
    """The lease remembers it, from request to request."""

    def test_it_is_counted_from_the_start_to_the_look_that_finds_it_up(self) -> None:
        case = Case()
        case.advance(7)
        assert case.mark
        assert case.mark.last_start == LastStart(sent=7)
        assert case.leased.start is None
        case.advance(20)
        assert case.leased.start
        assert case.leased.start.age == pytest.approx(20, abs=1)
        case.advance(22)
        assert case.mark.last_start == LastStart(42)

    def test_another_delivery_goes_on_counting(self) -> None:
        case = Case()
        case.advance()
        case.leased = case.anew()
        case.advance(20)
        assert case.leased.start
        assert case.leased.start.age == pytest.approx(20, abs=1)
        case.advance(25)
        assert case.mark
        assert case.mark.last_start.seconds == pytest.approx(45, abs=1)

    @pytest.mark.parametrize("kind", ["Update", "Delete"])
    def test_the_next_request_begins_with_it(self, kind: str) -> None:
        case = Case(kind)
        case.own(last_start=LastStart(600, 7, sent=3))
        case.there.phase = Phase.STOPPED if kind == "Update" else Phase.RUNNING
        case.advance()
        assert case.mark
        assert replace(case.mark.last_start, sent=None) == LastStart(600, 7)

    def test_a_schedule_begins_with_its_own_or_with_the_deploys(self) -> None:
        case = Case("Stop")
        deploy = case.own(has_hours=True, last_start=LastStart(600))
        case.there.phase = Phase.RUNNING
        case.advance()
        hours = Mark.parse(case.there.tags[Tag.HOURS])
        assert hours
        assert hours.last_start == LastStart(600)
        assert hours.under == deploy.request_id

    def test_a_model_that_was_up_already_leaves_what_is_known(self) -> None:
        case = Case("Update")
        case.own(last_start=LastStart(600, 7))
        case.there.phase = Phase.RUNNING
        case.advance()
        assert case.state is State.DONE
        assert case.mark
        assert case.mark.last_start == LastStart(600, 7)

    def test_an_update_to_another_version_begins_with_the_old_one_s_length_unproven(self) -> None:
        case = Case("Update")
        leased = case.anew(lambda: (False, LastStart(600, 5)))
        leased.task = replace(leased.task, replaces=True)
        leased.advance()
        assert case.mark
        assert replace(case.mark.last_start, sent=None) == LastStart(600)

    def test_the_old_model_says_it_only_if_this_resource_has_it(self) -> None:
        case = Case("Update")
        case.own(last_start=LastStart(600, 5))
        assert case.leased.as_former() == (False, LastStart(600, 5))
        case.there.tags |= {Tag.STACK: "theirs"}
        assert case.leased.as_former() == (False, NOTHING)


def test_a_schedule_that_has_seen_a_later_one_does_not_act_on_an_older_read() -> None:
    """Each read may be of another age: the later start's mark shows, and then this stop's own again."""
    case = Case("Stop", service={"lag": 10})
    deploy = case.own(has_hours=True)
    assert case.advance() == ["describe", "tags"]
    case.advance(READS_BEHIND_SECONDS)
    own = case.there.tags[Tag.HOURS]
    later = Mark(NOW + timedelta(minutes=2), "Start", "request-3", State.STARTED, case.claim.declared_as)
    case.there.tags |= {Tag.HOURS: str(replace(later, under=deploy.request_id))}
    case.there.phase = Phase.STARTING
    case.advance(20)
    case.there.tags |= {Tag.HOURS: own}
    case.there.phase = Phase.RUNNING
    assert case.advance(20) == ["describe", "tags"]
    assert case.leased.end is None
    case.advance(READS_BEHIND_SECONDS)
    assert isinstance(case.leased.end, Superseded)
    assert "stop" not in case.calls()


def test_what_another_delivery_gave_back_is_answered_once_it_shows() -> None:
    """Another delivery of this Delete has just given the model back, which not every read shows yet."""
    case = Case("Delete")
    case.own()
    gone = Mark(NOW, "Delete", "request-2", State.RELEASED, case.claim.declared_as)
    case.there.tags |= {
        Tag.LOGICAL_ID: "Other",
        Tag.FORMER_LOGICAL_ID: "Model",
        Tag.FORMER_REQUEST: str(gone),
    }
    assert case.advance() == ["describe", "tags"]
    assert case.advance(READS_BEHIND_SECONDS - 1) == []
    assert case.leased.end is None
    assert case.advance(1) == ["describe", "tags"]
    assert case.leased.end == Done()


class TestGiveBack:
    """A rename is rolled back: the Delete of the new name gives the model to the old one."""

    @staticmethod
    def case(phase: Phase) -> Case:
        case = Case("Delete")
        mark = case.own()
        case.there.tags |= {Tag.FORMER_LOGICAL_ID: "Other", Tag.FORMER_REQUEST: str(mark)}
        case.there.phase = phase
        return case

    def test_what_another_delivery_gave_back_is_given_back_again_if_this_one_s_mark_went_over_that(
        self,
    ) -> None:
        case = self.case(Phase.RUNNING)
        case.service.faults["tags"] = [None, ServiceError(Kind.TRANSIENT, "injected")]
        with pytest.raises(ServiceError):
            case.advance()
        assert case.state is State.RETURNING
        gone = Mark(NOW, "Delete", "request-2", State.RELEASED, case.claim.declared_as)
        case.there.tags |= {Tag.FORMER_LOGICAL_ID: "Model", Tag.FORMER_REQUEST: str(gone)}
        case.advance()
        assert case.advance(READS_BEHIND_SECONDS + CALL_SECONDS) == ["describe", "tags", "tag"]
        assert case.there.tags[Tag.LOGICAL_ID] == "Other"
        assert case.there.phase is Phase.RUNNING

    def test_what_it_left_to_its_owner_goes_back_there_if_its_late_create_took_it_all_the_same(self) -> None:
        """Neither saw the other's tags in time: this Delete's note went over from whom the Create had it."""
        case = Case("Delete")
        case.own()
        case.there.tags |= {Tag.LOGICAL_ID: "Other"}
        case.there.phase = Phase.RUNNING
        case.advance(READS_BEHIND_SECONDS)
        case.advance(READS_BEHIND_SECONDS)
        gone = Mark.parse(case.there.tags[Tag.FORMER_REQUEST])
        assert gone
        assert gone.state is State.RELEASED
        created = Mark(NOW - timedelta(seconds=5), "Create", "request-0", State.HELD, case.claim.declared_as)
        case.there.tags |= {Tag.LOGICAL_ID: "Model", Tag.REQUEST: str(created)}
        for _ in range(5):
            case.advance(100)
        assert case.there.tags[Tag.LOGICAL_ID] == "Other"
        assert case.there.phase is Phase.RUNNING
        assert case.leased.end == Done()

    def test_to_whom_the_policy_does_not_permit_it_it_does_not_go(self) -> None:
        case = self.case(Phase.STOPPED)
        case.refuse("start", Kind.DENIED, times=99)
        case.advance()
        case.clock.time += READS_BEHIND_SECONDS + CALL_SECONDS
        for _ in range(12):
            with pytest.raises(ServiceError):
                case.advance(10)
        assert Tag.CLOSED not in case.there.tags
        case.advance(10)
        assert set(case.there.tags) & {Tag.CLOSED, Tag.STACK} == {Tag.CLOSED}
        assert case.leased.end == Done()


def test_whose_start_was_refused_ends_as_the_delivery_whose_start_was_not() -> None:
    """Two deliveries: this one's Start is refused for good, the other one's is accepted a moment later."""
    case = Case()
    case.refuse("start", Kind.INVALID)
    with pytest.raises(ServiceError):
        case.advance()
    case.leased.fail("refused", "INVALID")
    other = case.mark
    assert other
    case.there.enter(Phase.STARTING, case.clock.now())
    case.advance()
    assert case.state is State.FAILED
    case.there.tags |= {Tag.REQUEST: str(other.at(State.STARTED))}
    for _ in range(3):
        # Long after its own note, and long before the other one is done.
        case.advance(READS_BEHIND_SECONDS - 1)
        case.there.enter(Phase.STARTING, case.clock.now())
        assert case.leased.end is None
    case.there.tags |= {Tag.REQUEST: str(other.at(State.DONE, HOSTED_AT))}
    case.advance(READS_BEHIND_SECONDS)
    assert isinstance(case.leased.end, Done)
