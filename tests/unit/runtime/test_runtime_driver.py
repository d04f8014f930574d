"""The driver: what it makes of errors, time and other requests, under a clock that nobody waits for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hosted_model_runtime.cloudformation.events import parse
from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions.ends import Done, Failed, HandedOver, Superseded
from hosted_model_runtime.decisions.marks import Closing, Mark, State
from hosted_model_runtime.decisions.model import Phase, Sighting
from hosted_model_runtime.decisions.moves import READS_BEHIND_SECONDS
from hosted_model_runtime.decisions.next_move import NOTING_SECONDS, STRIPPED
from hosted_model_runtime.decisions.polling import EARLY_WITHOUT_MEMORY, LONGEST, PUT_OFF, WIDEST, LastStart
from hosted_model_runtime.decisions.tokens import fingerprint
from hosted_model_runtime.invocation.driver import (
    LAST_CALL_SECONDS,
    LAST_SECONDS,
    Driver,
    OutOfTimeError,
    physical_id,
)
from hosted_model_runtime.invocation.outcome import Outcome
from hosted_model_runtime.services.base import Kind, ServiceError
from unit.runtime.fakes import ISSUED, Clock, Relay, Service

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/1"


class Case:
    """One request in one invocation."""

    def __init__(self, remaining: float = 900, late: float = 0, **service: float) -> None:
        self.clock = Clock(ISSUED + late, remaining)
        self.relay = Relay(self.clock)
        self.service = Service(self.clock, **service)

    def driver(
        self, kind: str = "Create", name: str = "1", timeout: int = 3600, models: int = 1, **event: Any
    ) -> Driver:
        date = datetime.fromtimestamp(ISSUED, UTC).strftime("%Y%m%dT%H%M%SZ")
        properties = {
            "Service": "fake",
            "Model": {"Name": name},
            "MinInferenceUnits": "1",
            "HostingTimeoutSeconds": str(timeout),
        }
        made = {
            "RequestType": kind,
            "RequestId": "request-2",
            "StackId": STACK,
            "LogicalResourceId": "Model",
            "ResponseURL": f"https://x/?X-Amz-Date={date}",
            "ResourceProperties": {**properties, **event.pop("properties", {})},
            **event,
        }
        request = parse(made, self.clock.time)
        return Driver(request, lambda _: self.service, self.clock, self.relay, models)

    def drive(self, *args: Any, **given: Any) -> Outcome:
        return self.driver(*args, **given).drive()

    def mark(self, name: str = "1") -> Mark:
        """Return what the lease says last."""
        mark = Mark.parse(self.service.models[name].tags.get(Tag.REQUEST))
        assert mark
        return mark

    def own(
        self,
        name: str = "1",
        request: str = "request-1",
        age: float = 1,
        kind: str = "Create",
        state: State = State.DONE,
    ) -> None:
        """Let another request of the same resource command a model."""
        issued = datetime.fromtimestamp(ISSUED - age, UTC)
        mark = Mark(issued, kind, request, state, fingerprint(f"fake/{name}"))
        self.service.models[name].tags |= {
            Tag.STACK: STACK,
            Tag.LOGICAL_ID: "Model",
            Tag.REQUEST: str(mark),
        }


def error(kind: Kind, retry_after: float | None = None) -> ServiceError:
    return ServiceError(kind, f"injected {kind.value}", retry_after)


class TestCreate:
    def test_it_answers_when_the_model_is_up(self) -> None:
        case = Case()
        outcome = case.drive()
        assert outcome.physical_id == "fake/1"
        assert isinstance(outcome.end, Done)
        assert outcome.end.data["ModelArn"] == "arn:1"
        assert outcome.end.data["Status"] == "HOSTED"
        assert 40 <= case.clock.time - ISSUED < 50
        assert len(case.service.made("start")) == 1
        assert case.relay.puts == []

    def test_an_absent_model_fails_at_once_under_its_physical_id(self) -> None:
        case = Case()
        outcome = case.drive(name="9")
        assert isinstance(outcome.end, Failed)
        assert outcome.physical_id == "fake/9"
        assert "model 9 does not exist" in outcome.end.reason
        assert case.clock.time == ISSUED

    def test_a_model_of_another_stack_is_not_touched(self) -> None:
        case = Case()
        case.own()
        case.service.models["1"].tags |= {Tag.STACK: "theirs"}
        outcome = case.drive()
        assert isinstance(outcome.end, Failed)
        assert "owned by Model of stack theirs" in outcome.end.reason
        assert case.service.made("start", "stop", "tag", "untag") == []


class TestFailures:
    """A failure is left in the lease before it is answered: a repeat of the request then answers the same."""

    def test_it_is_noted_first(self) -> None:
        case = Case()
        case.service.faults["start"] = [error(Kind.QUOTA)]
        assert isinstance(case.drive().end, Failed)
        assert case.mark().state is State.FAILED
        again = case.drive()
        assert isinstance(again.end, Failed)
        assert again.end.reason.startswith("this request was reported as failed before")
        assert len(case.service.made("start")) == 1

    def test_what_keeps_it_from_being_noted_is_waited_for(self) -> None:
        case = Case()
        case.service.faults |= {"start": [error(Kind.QUOTA)], "tag": [None, error(Kind.TRANSIENT)]}
        outcome = case.drive()
        assert isinstance(outcome.end, Failed)
        assert "injected quota" in outcome.end.reason
        assert outcome.end.code == "QUOTA"
        assert case.mark().state is State.FAILED

    def test_but_no_longer_than_a_minute(self) -> None:
        case = Case()
        case.service.faults |= {
            "start": [error(Kind.QUOTA)],
            "tag": [None, *[error(Kind.TRANSIENT)] * 10_000],
        }
        outcome = case.drive()
        assert isinstance(outcome.end, Failed)
        assert "injected quota" in outcome.end.reason
        assert NOTING_SECONDS <= case.clock.time - ISSUED < NOTING_SECONDS + 2 * LONGEST * WIDEST
        assert case.mark().state is not State.FAILED

    @pytest.mark.parametrize("kind", [Kind.DENIED, Kind.INVALID, Kind.QUOTA, Kind.ABSENT])
    def test_what_will_not_pass_is_not_waited_for(self, kind: Kind) -> None:
        case = Case()
        case.service.faults |= {"start": [error(Kind.QUOTA)], "tag": [None, error(kind)]}
        outcome = case.drive()
        assert isinstance(outcome.end, Failed)
        assert "injected quota" in outcome.end.reason
        assert case.clock.time - ISSUED < 5

    def test_a_request_that_never_held_the_lease_notes_nothing(self) -> None:
        case = Case()
        case.service.faults["tag"] = [error(Kind.INVALID)] * 10
        outcome = case.drive()
        assert isinstance(outcome.end, Failed)
        assert len(case.service.made("tag")) == 1
        assert case.clock.time == ISSUED

    def test_superseded_while_failing_means_silence(self) -> None:
        case = Case()
        case.service.faults |= {"start": [error(Kind.QUOTA)], "tag": [None, error(Kind.TRANSIENT)]}
        case.clock.at(0.5, lambda: case.own(request="request-3", age=-20))
        assert isinstance(case.drive().end, Superseded)


class TestReadsThatAreBehind:
    """Tags that were written show late: at most 75 s are waited for them."""

    @pytest.mark.parametrize("lag", [0.2, 2, 30, 70])
    def test_a_lag_fails_nothing(self, lag: float) -> None:
        case = Case(lag=lag)
        assert isinstance(case.drive().end, Done)
        assert len(case.service.made("start")) == 1
        assert case.mark().state is State.DONE

    @pytest.mark.parametrize("lag", [2, 30, 70])
    def test_nor_a_delete(self, lag: float) -> None:
        case = Case(lag=lag)
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        case.clock.time += lag
        case.clock.end += lag
        assert isinstance(case.drive("Delete", PhysicalResourceId="fake/1").end, Done)
        assert case.service.models["1"].phase is Phase.STOPPED

    def test_tags_that_somebody_removed_are_missed_after_the_patience(self) -> None:
        """That is what the answer says: not that the model, which this request started, is somebody's."""
        case = Case(start_seconds=100)
        model = case.service.models["1"]
        case.clock.at(50, lambda: model.write(case.clock.time, {}))
        outcome = case.drive()
        assert isinstance(outcome.end, Failed)
        assert outcome.end.reason == STRIPPED
        mark = Mark.parse(model.tags[Tag.REQUEST])
        assert mark is not None
        assert mark.state is State.FAILED, "the rollback's Delete must find the model"


class TestFarFromTheEnd:
    """Nobody is there while the end is far, once a tick has shown that ticks come."""

    #: Two starts of half an hour that agreed.
    KNOWN = LastStart(1800, 5)

    def case(
        self, late: float = 0.0, ticked: bool = False, last: LastStart = KNOWN, **service: float
    ) -> Case:
        """A start that began 2 s after the request, and has gone on since."""
        case = Case(late=late, **{"start_seconds": 1800, **service})
        case.relay.ticked = ticked
        case.own(request="request-2" if late else "request-1", age=0 if late else 1)
        mark = replace(case.mark(), last_start=replace(last, sent=2 if late else None))
        there = case.service.models["1"]
        if late:
            mark = replace(mark, issued=datetime.fromtimestamp(ISSUED, UTC), state=State.STARTED)
            there.enter(Phase.STARTING, ISSUED)
        there.tags |= {Tag.REQUEST: str(mark)}
        return case

    def test_the_first_invocation_puts_the_rule_and_stays_until_a_tick_has_come(self) -> None:
        case = self.case()
        case.relay.successor_after = 70
        outcome = case.drive("Update", PhysicalResourceId="fake/1")
        assert isinstance(outcome.end, HandedOver)
        assert len(case.relay.puts) == 1
        assert 70 <= case.clock.time - ISSUED < 110

    def test_without_a_tick_it_stays_and_fails_so_that_lambda_delivers_again(self) -> None:
        case = self.case()
        with pytest.raises(OutOfTimeError):
            case.drive("Update", PhysicalResourceId="fake/1")
        assert case.clock.remaining() < 20

    def test_a_tick_looks_once_and_leaves_the_rule(self) -> None:
        case = self.case(late=300, ticked=True)
        assert isinstance(case.drive().end, HandedOver)
        assert case.clock.time == ISSUED + 300
        assert case.service.made("describe") == [300]
        assert (case.relay.left, case.relay.removed, case.relay.puts) == (1, 0, [])

    def test_near_the_end_a_tick_removes_the_rule_and_stays(self) -> None:
        case = self.case(late=1500, ticked=True)
        assert isinstance(case.drive().end, Done)
        assert (case.relay.left, case.relay.removed) == (0, 1)
        assert case.clock.time == pytest.approx(ISSUED + 1800, abs=5)

    @pytest.mark.parametrize("last", [LastStart(), LastStart(600)])
    def test_where_the_end_may_come_any_time_it_stays(self, last: LastStart) -> None:
        case = self.case(late=300, ticked=True, last=last)
        case.relay.successor_after = 60
        case.drive()
        assert (case.relay.left, case.relay.removed) == (0, 1)

    def test_a_tick_whose_rule_is_gone_does_not_rely_on_it(self) -> None:
        case = self.case(late=300, ticked=True)
        case.relay.stands = False
        case.relay.successor_after = 60
        assert isinstance(case.drive().end, HandedOver)
        assert len(case.relay.puts) == 1
        assert case.clock.time >= ISSUED + 360

    def test_trouble_is_no_time_to_leave(self) -> None:
        case = self.case(late=300, ticked=True)
        case.service.faults["describe"] = [error(Kind.TRANSIENT)]
        case.relay.successor_after = 60
        case.drive()
        assert case.relay.left == 0
        assert case.relay.removed == 1

    def test_a_deadline_that_is_near_is_not_left_to_ticks(self) -> None:
        case = self.case(late=300, ticked=True)
        assert isinstance(case.drive(timeout=450).end, Failed)
        assert case.relay.left == 0

    def test_the_rule_of_a_request_that_was_at_work_is_removed(self) -> None:
        case = Case()
        case.own()
        at_work = replace(case.mark(), state=State.STARTED)
        case.service.models["1"].tags |= {Tag.REQUEST: str(at_work)}
        case.service.models["1"].phase = Phase.RUNNING
        case.drive("Delete", PhysicalResourceId="fake/1")
        assert case.relay.superseded == ["request-1"]

    def test_one_that_had_ended_left_none(self) -> None:
        case = Case()
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        case.drive("Delete", PhysicalResourceId="fake/1")
        assert case.relay.superseded == []


class TestWhileItHandsOver:
    def test_it_sees_soon_that_the_next_invocation_has_begun(self) -> None:
        case = Case(start_seconds=300, remaining=240)
        case.relay.successor_after = 61
        assert isinstance(case.drive().end, HandedOver)
        assert case.clock.time <= ISSUED + 90 + 61 + LONGEST


class TestSecondDeliveries:
    @pytest.mark.parametrize(("late", "waits"), [(4, False), (6, True), (60, True)])
    def test_an_event_that_comes_late_writes_nothing_until_reads_show_all(
        self, late: float, waits: bool
    ) -> None:
        case = Case(late=late)
        assert isinstance(case.drive().end, Done)
        assert (case.service.made("tag")[0] >= late + READS_BEHIND_SECONDS) is waits

    def test_a_first_look_that_is_put_off_is_not_late(self) -> None:
        case = Case()
        case.driver(models=50).drive()
        assert 5 < case.service.made("tag")[0] < READS_BEHIND_SECONDS


class TestManyModels:
    def test_the_first_look_is_put_off_and_others_share_the_quota(self) -> None:
        case = Case(start_seconds=100)
        case.driver(models=50).drive()
        looks = case.service.made("describe")
        assert 0 < looks[0] <= PUT_OFF
        waits = [after - before for before, after in itertools.pairwise(looks)]
        assert min(waits[4:-1]) >= 12.4

    def test_a_rest_is_over_to_the_second_and_then_there_is_a_step_to_take(self) -> None:
        case = Case(late=60)
        case.service.faults["describe"] = [None, error(Kind.TRANSIENT)]
        case.driver(models=200).drive()
        first, refused, again = case.service.made("describe")[:3]
        assert refused - first == pytest.approx(READS_BEHIND_SECONDS)
        # Who can only wait would leave the quota to others for a minute.
        assert again - refused < 5

    def test_a_tick_looks_at_once(self) -> None:
        case = Case(late=300)
        case.relay.ticked = True
        case.driver(models=50).drive()
        assert case.service.made("describe")[0] == 300


class TestErrors:
    @pytest.mark.parametrize("call", ["describe", "tags", "tag", "start"])
    def test_a_denied_call_has_two_minutes(self, call: str) -> None:
        """A new policy can take as long to be known everywhere."""
        case = Case()
        case.service.faults[call] = [error(Kind.DENIED)] * 10_000
        outcome = case.drive()
        assert isinstance(outcome.end, Failed)
        assert "injected denied" in outcome.end.reason
        assert "the function's role needs this permission" in outcome.end.reason
        first = case.service.made(call)[0]
        assert 120 <= case.clock.time - ISSUED - first < 130

    @pytest.mark.parametrize("call", ["describe", "tags", "tag", "start"])
    def test_a_permission_that_comes_in_time_is_no_failure(self, call: str) -> None:
        case = Case()
        case.service.faults[call] = [error(Kind.DENIED)] * 5
        assert isinstance(case.drive().end, Done)
        assert len(case.service.made("start")) == (6 if call == "start" else 1)

    def test_another_call_that_is_denied_has_a_grace_of_its_own(self) -> None:
        """The policy has just spread; now the fence refuses what somebody else has claimed meanwhile."""
        case = Case()
        case.service.faults["describe"] = [ServiceError(Kind.DENIED, "denied", call="fake:Describe")] * 10_000
        case.clock.at(119, lambda: case.service.faults["describe"].clear())
        case.service.faults["tag"] = [ServiceError(Kind.DENIED, "denied", call="fake:Tag")] * 3
        assert isinstance(case.drive().end, Done)

    def test_the_grace_begins_anew_after_a_look_without_trouble(self) -> None:
        case = Case(start_seconds=60)
        case.clock.at(2, lambda: case.service.faults.update(describe=[error(Kind.DENIED)] * 5))
        case.clock.at(40, lambda: case.service.faults.update(describe=[error(Kind.DENIED)] * 5))
        assert isinstance(case.drive().end, Done)

    @pytest.mark.parametrize(
        ("kind", "advice"),
        [
            (
                Kind.QUOTA,
                "stop another model where it is models, lower min_inference_units or max_inference_units",
            ),
            (Kind.INVALID, "correct the property that the service names"),
        ],
    )
    def test_what_waiting_cannot_mend_fails_at_once(self, kind: Kind, advice: str) -> None:
        case = Case()
        case.service.faults["start"] = [error(kind)]
        outcome = case.drive()
        assert isinstance(outcome.end, Failed)
        assert outcome.physical_id == "fake/1"
        assert f"injected {kind.value}" in outcome.end.reason
        assert advice in outcome.end.reason
        assert case.clock.time - ISSUED < 5
        assert len(case.service.made("start")) == 1

    @pytest.mark.parametrize("end", ["", ".", ". ", "..."])
    def test_what_the_service_says_and_what_to_do_are_one_sentence(self, end: str) -> None:
        case = Case()
        case.service.faults["start"] = [ServiceError(Kind.QUOTA, f"StartModel: Only 2 models at a time{end}")]
        failed = case.drive().end
        assert isinstance(failed, Failed)
        assert failed.reason.startswith("StartModel: Only 2 models at a time; ask for a higher quota of what")
        assert ".;" not in failed.reason
        assert ". ;" not in failed.reason

    def test_a_failure_that_the_lease_cannot_be_told_of_is_answered_all_the_same(self) -> None:
        case = Case()
        case.service.faults |= {"start": [error(Kind.QUOTA)], "describe": [None, error(Kind.TRANSIENT)]}
        outcome = case.drive()
        assert isinstance(outcome.end, Failed)
        assert "injected quota" in outcome.end.reason

    @pytest.mark.parametrize("kind", [Kind.TRANSIENT, Kind.CONFLICT])
    @pytest.mark.parametrize("call", ["describe", "tags", "tag", "start"])
    def test_what_passes_is_waited_for(self, call: str, kind: Kind) -> None:
        case = Case()
        case.service.faults[call] = [error(kind)] * 3
        assert isinstance(case.drive().end, Done)
        assert case.service.models["1"].phase is Phase.RUNNING

    def test_the_waits_grow_under_transient_errors(self) -> None:
        case = Case()
        case.service.faults["describe"] = [error(Kind.TRANSIENT)] * 6
        case.drive()
        times = case.service.made("describe")[:7]
        waits = [after - before for before, after in itertools.pairwise(times)]
        assert waits[-1] > 2 * waits[0]
        assert waits[-1] >= 3

    def test_the_waits_are_short_again_afterwards(self) -> None:
        case = Case(start_seconds=600)
        case.clock.at(400, lambda: case.service.faults.update(describe=[error(Kind.TRANSIENT)] * 4))
        case.drive()
        times = case.service.made("describe")
        waits = [after - before for before, after in itertools.pairwise(times)]
        assert max(waits[-5:]) <= LONGEST < EARLY_WITHOUT_MEMORY < max(waits)

    @pytest.mark.parametrize("seconds", [10.0, 55.0])
    def test_retry_after_is_honoured(self, seconds: float) -> None:
        case = Case()
        case.service.faults["describe"] = [error(Kind.TRANSIENT, retry_after=seconds)]
        case.drive()
        first, second = case.service.made("describe")[:2]
        assert second - first >= seconds

    def test_retry_after_beyond_the_deadline_is_cut(self) -> None:
        case = Case()
        case.service.faults["describe"] = [error(Kind.TRANSIENT, retry_after=10_000)]
        outcome = case.drive(timeout=300)
        assert isinstance(outcome.end, Failed)
        assert case.clock.time == ISSUED + 270

    def test_a_start_whose_answer_was_lost_is_not_taken_for_somebody_elses(self) -> None:
        case = Case()
        start = case.service.start

        def lost(*args: Any) -> None:
            case.service.start = start  # type: ignore[method-assign]
            start(*args)
            raise error(Kind.TRANSIENT)

        case.service.start = lost  # type: ignore[method-assign]
        assert isinstance(case.drive().end, Done)
        assert len(case.service.made("start")) == 1


class TestDeadline:
    def test_it_fails_before_cloudformation_gives_up(self) -> None:
        case = Case(start_seconds=10_000)
        outcome = case.drive(timeout=600)
        assert isinstance(outcome.end, Failed)
        assert outcome.physical_id == "fake/1"
        assert outcome.end.reason.startswith(
            "not finished after 600 s (hosting_timeout): model 1 is STARTING"
        )
        assert case.clock.time == ISSUED + 570
        assert case.relay.puts == []

    def test_it_stops_what_it_started(self) -> None:
        case = Case(start_seconds=10_000)
        case.drive(timeout=600)
        assert len(case.service.made("stop")) == 1

    def test_it_names_the_last_error(self) -> None:
        case = Case()
        case.service.faults["describe"] = [error(Kind.TRANSIENT)] * 10_000
        outcome = case.drive(timeout=600)
        assert "last error: injected transient" in outcome.end.reason

    def test_errors_at_the_deadline_do_not_keep_it_from_answering(self) -> None:
        case = Case(start_seconds=10_000)
        faults = {call: [error(Kind.TRANSIENT)] * 10_000 for call in ("describe", "tags", "tag", "stop")}
        case.clock.at(300, lambda: case.service.faults.update(faults))
        outcome = case.drive(timeout=600)
        assert isinstance(outcome.end, Failed)
        # Until the last call it tries to stop the model and to leave the failure in the lease.
        assert case.clock.time == ISSUED + 600 - LAST_CALL_SECONDS
        assert len([when for when in case.service.made("describe") if when >= 570]) > 1

    def test_what_it_started_is_stopped_though_the_first_try_met_an_error(self) -> None:
        case = Case(start_seconds=10_000)
        case.clock.at(565, lambda: case.service.faults.update(stop=[error(Kind.TRANSIENT)]))
        outcome = case.drive(timeout=600)
        assert isinstance(outcome.end, Failed)
        first, second = case.service.made("stop")
        assert 570 <= first < second < 580
        assert case.mark().state is State.FAILED

    def test_at_the_end_of_the_invocation_there_is_no_second_try(self) -> None:
        """What Lambda would end in the middle is answered first."""
        case = Case(start_seconds=10_000, remaining=579)
        faults = {call: [error(Kind.TRANSIENT)] * 10_000 for call in ("describe", "tags", "tag", "stop")}
        case.clock.at(560, lambda: case.service.faults.update(faults))
        assert isinstance(case.drive(timeout=600).end, Failed)
        assert case.clock.remaining() > 0

    def test_a_late_tick_after_the_deadline_fails_cleanly(self) -> None:
        case = Case(late=575)
        outcome = case.drive(timeout=600)
        assert isinstance(outcome.end, Failed)
        assert case.service.made("start") == []

    @pytest.mark.parametrize(
        ("kind", "late"),
        [
            *((kind, late) for kind in ("Create", "Update") for late in (600, 601, 7200)),
            ("Delete", 7200),
        ],
    )
    def test_after_the_expiry_a_first_event_touches_nothing(self, kind: str, late: float) -> None:
        case = Case(late=late)
        case.own()
        assert isinstance(case.drive(kind, timeout=600).end, Superseded)
        assert case.service.calls == []
        assert case.relay.puts == []

    @pytest.mark.parametrize("late", [600, 601, 5000])
    def test_after_the_expiry_a_delete_still_stops_the_model(self, late: float) -> None:
        """Lambda may deliver it later than CloudFormation waits, and after that nobody asks again."""
        case = Case(late=late)
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        case.drive("Delete", timeout=600, PhysicalResourceId="fake/1")
        assert len(case.service.made("stop")) == 1
        assert case.service.models["1"].phase is Phase.STOPPED

    @pytest.mark.parametrize(("before", "stopped"), [("fake/1", ["2"]), ("fake/2", [])])
    def test_after_the_expiry_an_update_only_lets_go(self, before: str, stopped: list[str]) -> None:
        """What the update hosted that it rolls back, nobody else may stop; a replacement's Delete comes."""
        case = Case(late=5000)
        for name in ("1", "2"):
            case.own(name)
            case.service.models[name].phase = Phase.RUNNING
        outcome = case.drive(
            "Update", "1", timeout=600, PhysicalResourceId=before, OldResourceProperties=_old("2")
        )
        assert isinstance(outcome.end, Done if stopped else Superseded)
        phases = {name: case.service.models[name].phase for name in ("1", "2")}
        assert [name for name, phase in phases.items() if phase is Phase.STOPPED] == stopped
        assert {operation for _, operation, name in case.service.calls if name == "1"} <= {"describe"}

    def test_a_delete_that_is_not_finished_fails(self) -> None:
        case = Case(stop_seconds=10_000)
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        outcome = case.drive("Delete", timeout=600, PhysicalResourceId="fake/1")
        assert isinstance(outcome.end, Failed)
        assert "model 1 is STOPPING" in outcome.end.reason


class TestHandover:
    def test_the_rule_is_put_when_150_seconds_are_left_and_no_earlier(self) -> None:
        """A rule's first tick comes 60 to 120 s after it is put."""
        case = Case(start_seconds=3000)
        case.relay.successor_after = 120
        assert isinstance(case.drive().end, HandedOver)
        [remaining] = case.relay.puts
        assert 145 < remaining <= 150

    @pytest.mark.parametrize("after", [60, 90, 120])
    def test_it_watches_until_the_successor_is_there(self, after: int) -> None:
        case = Case(start_seconds=3000)
        case.relay.successor_after = after
        case.drive()
        looks = [when for when in case.service.made("describe") if when > 750]
        assert len(looks) > after / 4
        assert 750 + after <= case.clock.time - ISSUED < 756 + after

    def test_a_model_that_is_up_during_the_handover_is_answered(self) -> None:
        case = Case(start_seconds=800)
        case.relay.successor_after = 60
        outcome = case.drive()
        assert isinstance(outcome.end, Done)

    def test_a_successor_that_never_comes_makes_lambda_deliver_again(self) -> None:
        """An invocation that ended well would never be retried, and the request would be nobody's."""
        case = Case(start_seconds=3000)
        with pytest.raises(OutOfTimeError, match="request-2"):
            case.drive()
        assert 0 < case.clock.remaining() <= 8
        first, second = case.relay.puts
        assert 145 < first <= 150
        assert 20 < second <= 25

    def test_the_last_delivery_answers_by_itself(self) -> None:
        """Lambda delivers three times: two invocations, a minute and two minutes between them, and this."""
        case = Case(start_seconds=10_000)
        case.own(request="request-2", age=0, state=State.STARTED)
        case.service.models["1"].enter(Phase.STARTING, ISSUED)
        case.clock.time += 2 * 900 + 180
        case.clock.end = case.clock.time + 900
        outcome = case.drive()
        assert isinstance(outcome.end, Failed)
        assert "no other invocation came" in outcome.end.reason
        assert case.clock.remaining() > 8
        assert len(case.service.made("stop")) == 1, "what it started must not run on"

    def test_a_tick_is_never_the_last_delivery(self) -> None:
        case = Case(start_seconds=10_000)
        case.own(request="request-2", age=0, state=State.STARTED)
        case.service.models["1"].enter(Phase.STARTING, ISSUED)
        case.clock.time += 2 * 900 + 180
        case.clock.end = case.clock.time + 900
        case.relay.ticked = True
        with pytest.raises(OutOfTimeError):
            case.drive(CrHelperPoll=True)

    def test_a_deadline_within_this_invocation_needs_no_successor(self) -> None:
        case = Case(start_seconds=3000, remaining=900)
        assert isinstance(case.drive(timeout=900).end, Failed)
        assert case.relay.puts == []

    def test_a_rule_that_could_not_be_put_is_put_again(self) -> None:
        case = Case(start_seconds=3000)
        case.relay.faults = [RuntimeError("took no target")] * 3
        case.relay.successor_after = 60
        assert isinstance(case.drive().end, HandedOver)
        assert len(case.relay.puts) == 4

    def test_when_no_rule_can_be_put_lambda_must_retry(self) -> None:
        case = Case(start_seconds=3000)
        case.relay.faults = [RuntimeError("took no target")] * 1000
        with pytest.raises(OutOfTimeError, match="request-2"):
            case.drive()
        assert len(case.relay.puts) > 20
        assert case.clock.remaining() > 0

    @pytest.mark.parametrize("remaining", [30, 60, 90])
    def test_a_short_function_hands_over_at_once(self, remaining: float) -> None:
        case = Case(start_seconds=3000, remaining=remaining)
        case.relay.successor_after = 20
        assert isinstance(case.drive().end, HandedOver)
        assert case.relay.puts[0] == remaining

    def test_the_successor_goes_on_where_the_first_one_was(self) -> None:
        case = Case(start_seconds=1000)
        case.relay.successor_after = 60
        assert isinstance(case.drive().end, HandedOver)
        case.clock.end += 900
        outcome = case.drive(CrHelperPoll=True)
        assert isinstance(outcome.end, Done)
        assert len(case.service.made("start")) == 1
        assert 1000 <= case.clock.time - ISSUED < 1005


class TestOtherRequests:
    @pytest.mark.parametrize("kind", ["Delete", "Update"])
    def test_superseded_means_silent(self, kind: str) -> None:
        case = Case(start_seconds=100)
        case.clock.at(50, lambda: case.own(request="request-3", age=-20, kind=kind))
        assert isinstance(case.drive().end, Superseded)
        assert [when for when in case.service.made("start", "stop", "tag", "untag") if when > 50] == []

    def test_superseded_at_the_deadline_means_silent_too(self) -> None:
        case = Case(start_seconds=10_000)
        case.clock.at(560, lambda: case.own(request="request-3", age=-550))
        assert isinstance(case.drive(timeout=600).end, Superseded)
        assert case.service.made("stop") == []

    def test_a_create_that_comes_after_its_delete_starts_nothing(self) -> None:
        case = Case()
        claim_of_delete = case.driver("Delete").request
        closing = Closing(claim_of_delete.issued, "request-3", fingerprint(STACK, "Model"), "uuid")
        case.service.models["1"].tags = {Tag.CLOSED: str(closing)}
        assert isinstance(case.drive().end, Superseded)
        assert case.service.made("start", "tag", "untag") == []

    def parting(self, remaining: float) -> Case:
        """A Create that its own Delete overtakes after the Create's mark was written and before its Start."""
        case = Case(remaining=remaining)
        case.service.faults["start"] = [error(Kind.TRANSIENT)] * 5
        claim_of_delete = case.driver("Delete").request
        closing = Closing(claim_of_delete.issued, "request-3", fingerprint(STACK, "Model"), "uuid")

        def closed() -> None:
            there = case.service.models["1"]
            there.write(case.clock.time, there.tags | {Tag.CLOSED: str(closing)})

        case.clock.at(0.5, closed)
        return case

    def test_what_only_tidies_up_takes_its_mark_back(self) -> None:
        case = self.parting(900)
        assert isinstance(case.drive().end, Superseded)
        assert list(case.service.models["1"].tags) == [Tag.CLOSED]

    def test_what_only_tidies_up_has_no_successor(self) -> None:
        """Its stack may be deleted by then: the rule would stay for ever, with the ResponseURL in it."""
        case = self.parting(100)
        assert isinstance(case.drive().end, Superseded)
        assert (case.relay.puts, case.relay.removed) == ([100], 1)
        assert case.clock.remaining() <= LAST_SECONDS


class TestUpdate:
    def test_other_units_stop_and_start(self) -> None:
        case = Case()
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        outcome = case.drive("Update", PhysicalResourceId="fake/1", properties={"MinInferenceUnits": "3"})
        assert isinstance(outcome.end, Done)
        assert case.service.models["1"].units == (3, None)
        assert (len(case.service.made("stop")), len(case.service.made("start"))) == (1, 1)

    def test_another_model_leaves_the_old_one_to_its_delete(self) -> None:
        case = Case()
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        outcome = case.drive("Update", "2", PhysicalResourceId="fake/1", OldResourceProperties=_old("1"))
        assert isinstance(outcome.end, Done)
        assert outcome.physical_id == "fake/2"
        assert case.service.models["1"].phase is Phase.RUNNING

    def test_a_rollback_gives_up_what_the_cancelled_update_started(self) -> None:
        """It comes with the physical ID of what it goes back to: there will be no Delete of the other one."""
        case = Case()
        case.own("1")
        case.own("2")
        for name in ("1", "2"):
            case.service.models[name].phase = Phase.RUNNING
        outcome = case.drive("Update", "1", PhysicalResourceId="fake/1", OldResourceProperties=_old("2"))
        assert isinstance(outcome.end, Done)
        assert outcome.physical_id == "fake/1"
        assert case.service.models["2"].phase is Phase.STOPPED
        assert case.service.models["1"].phase is Phase.RUNNING

    def test_a_rollback_waits_for_the_permission_to_stop_until_its_deadline(self) -> None:
        """As a Delete does: nobody else would stop what the update hosted."""
        case = Case()
        for name in ("1", "2"):
            case.own(name)
            case.service.models[name].phase = Phase.RUNNING
        case.service.faults["stop"] = [error(Kind.DENIED)] * 10_000
        case.clock.at(300, lambda: case.service.faults["stop"].clear())
        outcome = case.drive("Update", "1", PhysicalResourceId="fake/1", OldResourceProperties=_old("2"))
        assert isinstance(outcome.end, Done)
        assert case.service.models["2"].phase is Phase.STOPPED

    def test_old_properties_that_were_never_right_are_passed_over(self) -> None:
        case = Case()
        old = {"Service": "fake", "Model": {"Wrong": "x"}}
        assert isinstance(
            case.drive("Update", PhysicalResourceId="fake/1", OldResourceProperties=old).end, Done
        )


def _old(name: str) -> dict[str, Any]:
    return {"Service": "fake", "Model": {"Name": name}, "MinInferenceUnits": "1"}


class TwoNames(Service):
    """A service that knows a model by two names, as Rekognition does by its ARN and by its version's name."""

    def physical_id(self, model: Mapping[str, str]) -> str:
        return f"fake/{model['Name'].removeprefix('as-')}{'/as' if model['Name'] != '1' else ''}"

    def describe(self, model: Mapping[str, str]) -> Sighting:
        seen = super().describe({"Name": model["Name"].removeprefix("as-")})
        return replace(seen, model=dict(model))


class TestAnotherNameOfTheSameModel:
    """The physical ID changes, and the model runs on."""

    def case(self, **more: float) -> Case:
        case = Case(**more)
        case.service = TwoNames(case.clock, **more)
        case.own(age=5000)
        case.service.models["1"].phase = Phase.RUNNING
        return case

    def renamed(self, case: Case, kind: str, name: str, old: str | None = None) -> Outcome:
        """Play a request of the moment, after the ones before."""
        event = {"OldResourceProperties": _old(old)} if old else {}
        case.clock.end = case.clock.time + 900
        made = case.driver(kind, name, PhysicalResourceId="fake/1", RequestId=f"{kind}-{name}", **event)
        issued = datetime.fromtimestamp(int(case.clock.time), UTC)
        again = replace(made.request, issued=issued)
        return Driver(again, lambda _: case.service, case.clock, case.relay).drive()

    def test_a_rollback_lets_go_of_nothing_that_it_hosts(self) -> None:
        """It undoes an update that was cancelled; its reads are half a second behind."""
        case = self.case(lag=0.5)
        mark = case.mark().at(State.HELD)
        update = replace(mark, type="Update", issued=datetime.fromtimestamp(ISSUED - 9, UTC))
        update = replace(update, request_id="request-9", declared_as=fingerprint("fake/1/as"))
        case.service.models["1"].tags |= {Tag.REQUEST: str(update)}
        outcome = case.drive("Update", "1", PhysicalResourceId="fake/1", OldResourceProperties=_old("as-1"))
        assert isinstance(outcome.end, Done)
        assert case.service.models["1"].phase is Phase.RUNNING
        assert case.mark().state is State.DONE
        assert Tag.CLOSED not in case.service.models["1"].tags

    def test_the_cleanup_s_delete_stops_nothing(self) -> None:
        """It reads the tags of 60 s ago."""
        case = self.case()
        assert isinstance(self.renamed(case, "Update", "as-1", "1").end, Done)
        case.service._lag = 60
        case.clock.time += 1
        assert isinstance(self.renamed(case, "Delete", "1").end, Done)
        assert case.service.models["1"].phase is Phase.RUNNING
        assert case.mark().request_id == "Update-as-1"


class TestDelete:
    def test_it_stops_what_it_owns_and_takes_the_tags_off(self) -> None:
        case = Case()
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        outcome = case.drive("Delete", PhysicalResourceId="Mine-Model-1A2B3C")
        assert isinstance(outcome.end, Done)
        assert outcome.physical_id == "Mine-Model-1A2B3C"
        assert case.service.models["1"].phase is Phase.STOPPED
        assert not set(Tag.OWNER) & set(case.service.models["1"].tags)

    @pytest.mark.parametrize("late", [1, 10])
    def test_a_start_that_the_status_does_not_show_yet_is_stopped(self, late: float) -> None:
        case = Case(start_seconds=100, status_lag=late)
        case.own(state=State.STARTED)
        case.service.models["1"].enter(Phase.STARTING, ISSUED - 0.5)
        assert isinstance(case.drive("Delete", PhysicalResourceId="fake/1").end, Done)
        assert case.service.models["1"].phase is Phase.STOPPED

    @pytest.mark.parametrize("late", [1, 10])
    def test_a_start_whose_status_is_late_succeeds(self, late: float) -> None:
        case = Case(status_lag=late)
        assert isinstance(case.drive().end, Done)
        assert case.service.models["1"].phase is Phase.RUNNING

    def test_what_nobody_owns_runs_on(self) -> None:
        case = Case()
        case.service.models["1"].phase = Phase.RUNNING
        assert isinstance(case.drive("Delete", PhysicalResourceId="fake/1").end, Done)
        assert case.service.models["1"].phase is Phase.RUNNING
        assert case.service.models["1"].tags == {}

    def test_an_absent_model_is_no_failure(self) -> None:
        assert isinstance(Case().drive("Delete", "9", PhysicalResourceId="fake/9").end, Done)

    def test_a_stop_that_is_denied_fails_loudly(self) -> None:
        case = Case()
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        case.service.faults["stop"] = [error(Kind.DENIED)] * 10_000
        outcome = case.drive("Delete", timeout=600, PhysicalResourceId="fake/1")
        assert isinstance(outcome.end, Failed)
        assert "the function's role needs this permission" in outcome.end.reason
        assert case.clock.time - ISSUED >= 570, "a Delete waits for the permission until its deadline"

    def test_a_closing_mark_that_stays_denied_is_no_reason_to_wait_longer(self) -> None:
        """Then the model was never this resource's: its policy has no right to claim it."""
        case = Case()
        case.service.faults["tag"] = [error(Kind.DENIED)] * 10_000
        assert isinstance(case.drive("Delete", PhysicalResourceId="fake/1").end, Done)
        assert 120 <= case.clock.time - ISSUED < 130


class TestPhysicalId:
    @pytest.mark.parametrize(
        ("kind", "given", "expected"),
        [
            ("Create", None, "fake/1"),
            ("Update", "fake/0", "fake/1"),
            ("Delete", "invented", "invented"),
            ("Delete", None, "fake/1"),
        ],
    )
    def test_it(self, kind: str, given: str | None, expected: str) -> None:
        case = Case()
        request = case.driver(kind, **({"PhysicalResourceId": given} if given else {})).request
        assert physical_id(request, lambda _: case.service) == expected

    def test_wrong_properties_are_an_error_that_names_them(self) -> None:
        with pytest.raises(ValueError, match="Model must have Name"):
            Case().driver(properties={"Model": {"Wrong": "x"}})


def test_a_rollback_keeps_the_model_that_the_cancelled_update_named_otherwise() -> None:
    """It hosts and gives up one model under two names: its own lease, which tells them apart, comes first."""
    case = Case()
    model = case.service.models["2"]
    model.phase = Phase.RUNNING
    issued = datetime.fromtimestamp(ISSUED - 10, UTC)
    cancelled = Mark(issued, "Update", "request-1", State.HELD, fingerprint("fake/latest"))
    model.tags = {Tag.STACK: STACK, Tag.LOGICAL_ID: "Model", Tag.REQUEST: str(cancelled)}
    case.service.faults["describe"] = [error(Kind.TRANSIENT)]
    old = {"Service": "fake", "Model": {"Name": "latest"}, "MinInferenceUnits": "1"}
    outcome = case.drive("Update", name="2", PhysicalResourceId="fake/2", OldResourceProperties=old)
    assert isinstance(outcome.end, Done)
    assert model.phase is Phase.RUNNING
    assert case.service.made("stop") == []
