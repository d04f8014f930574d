"""The host: what it makes of errors, time and other requests, under a clock that is told, not waited for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hosted_model_runtime.host import Answer, HandedOver, Host, OutOfTimeError, Silent, physical_id

from hosted_model_runtime.cloudformation.events import parse
from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions import lease
from hosted_model_runtime.decisions.marks import Mark, State
from hosted_model_runtime.decisions.model import Observed, Phase, Sighting, Units
from hosted_model_runtime.decisions.polling import LONGEST
from hosted_model_runtime.decisions.tokens import fingerprint
from hosted_model_runtime.services.base import Kind, ServiceError

ISSUED = 1_790_000_000
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/1"


class Clock:
    """Lambda's watch, moved by hand and by sleeping."""

    def __init__(self, now: float = ISSUED, remaining: float = 900) -> None:
        self.time, self.end = now, now + remaining
        self.events: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.time

    def remaining(self) -> float:
        return self.end - self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time += seconds
        assert self.time < self.end, "Lambda has ended this invocation"
        for event in [event for event in self.events if event[0] <= self.time]:
            self.events.remove(event)
            event[1]()

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        self.events.append((ISSUED + seconds, action))


class Relay:
    """A rule, and a successor that may come."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.puts: list[float] = []
        self.faults: list[Exception] = []
        self.successor_after: float | None = None

    def put(self) -> None:
        self.puts.append(self._clock.remaining())
        if self.faults:
            raise self.faults.pop(0)
        self._put_at = self._clock.time

    def taken_over(self) -> bool:
        return self.successor_after is not None and self._clock.time >= self._put_at + self.successor_after


class Model:
    """One model of a service with one model a name."""

    def __init__(self, name: str, start_seconds: float, stop_seconds: float) -> None:
        self.name, self.phase, self.due = name, Phase.STOPPED, 0.0
        self.units: tuple[int, int | None] = (1, None)
        self.tags: dict[str, str] = {}
        self.seconds = {Phase.STARTING: start_seconds, Phase.STOPPING: stop_seconds}

    def advance(self, now: float) -> None:
        after = {Phase.STARTING: Phase.RUNNING, Phase.STOPPING: Phase.STOPPED}
        if self.phase in after and now >= self.due:
            self.phase = after[self.phase]

    def enter(self, phase: Phase, now: float) -> None:
        self.phase, self.due = phase, now + self.seconds[phase]


class Service:
    """A service in memory; ``faults`` holds, by call, what the next ones meet (None: nothing)."""

    name, running, stopped = "fake", "HOSTED", "TRAINED"

    def __init__(self, clock: Clock, start_seconds: float = 40, stop_seconds: float = 10) -> None:
        self._clock = clock
        self.models = {name: Model(name, start_seconds, stop_seconds) for name in ("1", "2")}
        self.faults: dict[str, list[ServiceError | None]] = {}
        self.calls: list[tuple[float, str, str]] = []

    def _called(self, operation: str, name: str) -> Model | None:
        self.calls.append((self._clock.time - ISSUED, operation, name))
        faults = self.faults.get(operation)
        if faults and (fault := faults.pop(0)):
            raise fault
        if name in self.models:
            self.models[name].advance(self._clock.time)
        return self.models.get(name)

    def made(self, *operations: str) -> list[float]:
        return [when for when, operation, _ in self.calls if operation in operations]

    def identity(self, model: Mapping[str, str]) -> str:
        if "Name" not in model:
            raise ValueError("Model must have Name")
        return f"fake/{model['Name']}"

    def describe(self, model: Mapping[str, str]) -> Sighting:
        name = model["Name"]
        found = self._called("describe", name)
        if found is None:
            return Sighting(Observed(Phase.ABSENT, f"model {name}"), "", name, model)
        observed = Observed(found.phase, f"model {name}", found.phase.name, "", *found.units)
        return Sighting(observed, f"arn:{name}", name, model)

    def alternatives(self, model: Mapping[str, str]) -> Iterable[Sighting]:
        return ()

    def _of(self, operation: str, arn: str) -> Model:
        found = self._called(operation, arn.removeprefix("arn:"))
        assert found is not None
        return found

    def start(self, sighting: Sighting, units: Units, token: str) -> None:
        found = self._of("start", sighting.arn)
        if found.phase not in (Phase.STOPPED, Phase.FAILED):
            raise ServiceError(Kind.CONFLICT, "start: conflict")
        found.units = (units.minimum, units.maximum)
        found.enter(Phase.STARTING, self._clock.time)

    def stop(self, sighting: Sighting, token: str) -> None:
        found = self._of("stop", sighting.arn)
        if found.phase is not Phase.RUNNING:
            raise ServiceError(Kind.CONFLICT, "stop: conflict")
        found.enter(Phase.STOPPING, self._clock.time)

    def tags(self, arn: str) -> dict[str, str]:
        return dict(self._of("tags", arn).tags)

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        self._of("tag", arn).tags.update(tags)

    def untag(self, arn: str, keys: Iterable[str]) -> None:
        found = self._of("untag", arn)
        for key in keys:
            found.tags.pop(key, None)


class Case:
    """One request in one invocation."""

    def __init__(self, remaining: float = 900, late: float = 0, **service: float) -> None:
        self.clock = Clock(ISSUED + late, remaining)
        self.relay = Relay(self.clock)
        self.service = Service(self.clock, **service)

    def host(self, kind: str = "Create", name: str = "1", timeout: int = 3600, **event: Any) -> Host:
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
        return Host(parse(made, self.clock.time), lambda _: self.service, self.clock, self.relay)

    def drive(self, *args: Any, **given: Any) -> Any:
        return self.host(*args, **given).drive()

    def own(self, name: str = "1", request: str = "request-1", age: float = 1, kind: str = "Create") -> None:
        """Let another request of the same resource command a model."""
        issued = datetime.fromtimestamp(ISSUED - age, UTC)
        mark = Mark(issued, kind, request, State.DONE, fingerprint(f"fake/{name}"))
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
        assert isinstance(outcome, Answer)
        assert (outcome.ok, outcome.physical_id, outcome.reason) == (True, "fake/1", "")
        assert outcome.data["ModelArn"] == "arn:1"
        assert outcome.data["Status"] == "HOSTED"
        assert 40 <= case.clock.time - ISSUED < 45
        assert len(case.service.made("start")) == 1
        assert case.relay.puts == []

    def test_an_absent_model_fails_at_once_under_its_identity(self) -> None:
        case = Case()
        outcome = case.drive(name="9")
        assert (outcome.ok, outcome.physical_id) == (False, "fake/9")
        assert "model 9 does not exist" in outcome.reason
        assert case.clock.time == ISSUED

    def test_a_model_of_another_stack_is_not_touched(self) -> None:
        case = Case()
        case.own()
        case.service.models["1"].tags[Tag.STACK] = "theirs"
        outcome = case.drive()
        assert not outcome.ok
        assert "owned by Model of stack theirs" in outcome.reason
        assert case.service.made("start", "stop", "tag", "untag") == []


class TestErrors:
    @pytest.mark.parametrize("call", ["describe", "tags", "tag", "start"])
    def test_a_denied_call_has_30_seconds(self, call: str) -> None:
        """A new policy takes some seconds to be known everywhere."""
        case = Case()
        case.service.faults[call] = [error(Kind.DENIED)] * 10_000
        outcome = case.drive()
        assert not outcome.ok
        assert "injected denied" in outcome.reason
        assert "the function's role needs this permission" in outcome.reason
        first = case.service.made(call)[0]
        assert 30 <= case.clock.time - ISSUED - first < 40

    @pytest.mark.parametrize("call", ["describe", "tags", "tag", "start"])
    def test_a_permission_that_comes_in_time_is_no_failure(self, call: str) -> None:
        case = Case()
        case.service.faults[call] = [error(Kind.DENIED)] * 5
        assert case.drive().ok
        assert len(case.service.made("start")) == (6 if call == "start" else 1)

    def test_the_grace_begins_anew_after_a_look_without_trouble(self) -> None:
        case = Case(start_seconds=60)
        case.clock.at(2, lambda: case.service.faults.update(describe=[error(Kind.DENIED)] * 5))
        case.clock.at(40, lambda: case.service.faults.update(describe=[error(Kind.DENIED)] * 5))
        assert case.drive().ok

    @pytest.mark.parametrize(
        ("kind", "advice"),
        [
            (Kind.QUOTA, "ask for a higher inference-unit quota, or lower min_inference_units"),
            (Kind.INVALID, "correct the property that the service names"),
        ],
    )
    def test_what_waiting_cannot_mend_fails_at_once(self, kind: Kind, advice: str) -> None:
        case = Case()
        case.service.faults["start"] = [error(kind)]
        outcome = case.drive()
        assert (outcome.ok, outcome.physical_id) == (False, "fake/1")
        assert f"injected {kind.value}" in outcome.reason
        assert advice in outcome.reason
        assert case.clock.time - ISSUED < 5
        assert len(case.service.made("start")) == 1

    def test_a_failure_that_the_lease_cannot_be_told_of_is_answered_all_the_same(self) -> None:
        case = Case()
        case.service.faults |= {"start": [error(Kind.QUOTA)], "describe": [None, error(Kind.TRANSIENT)]}
        outcome = case.drive()
        assert not outcome.ok
        assert "injected quota" in outcome.reason

    @pytest.mark.parametrize("kind", [Kind.TRANSIENT, Kind.CONFLICT])
    @pytest.mark.parametrize("call", ["describe", "tags", "tag", "start"])
    def test_what_passes_is_waited_for(self, call: str, kind: Kind) -> None:
        case = Case()
        case.service.faults[call] = [error(kind)] * 3
        assert case.drive().ok
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
        case = Case(start_seconds=200)
        case.service.faults["describe"] = [error(Kind.TRANSIENT)] * 4
        case.drive()
        times = case.service.made("describe")
        waits = [after - before for before, after in itertools.pairwise(times)]
        assert max(waits[-5:]) <= LONGEST < max(waits)

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
        assert not outcome.ok
        assert case.clock.time == ISSUED + 270

    def test_a_start_whose_answer_was_lost_is_not_taken_for_somebody_elses(self) -> None:
        case = Case()
        start = case.service.start

        def lost(*args: Any) -> None:
            case.service.start = start  # type: ignore[method-assign]
            start(*args)
            raise error(Kind.TRANSIENT)

        case.service.start = lost  # type: ignore[method-assign]
        assert case.drive().ok
        assert len(case.service.made("start")) == 1


class TestDeadline:
    def test_it_fails_before_cloudformation_gives_up(self) -> None:
        case = Case(start_seconds=10_000)
        outcome = case.drive(timeout=600)
        assert (outcome.ok, outcome.physical_id) == (False, "fake/1")
        assert outcome.reason.startswith("not finished after 600 s (hosting_timeout): model 1 is STARTING")
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
        assert "last error: injected transient" in outcome.reason

    def test_errors_at_the_deadline_do_not_keep_it_from_answering(self) -> None:
        case = Case(start_seconds=10_000)
        faults = {call: [error(Kind.TRANSIENT)] * 10_000 for call in ("describe", "tags", "tag", "stop")}
        case.clock.at(300, lambda: case.service.faults.update(faults))
        outcome = case.drive(timeout=600)
        assert not outcome.ok
        assert case.clock.time == ISSUED + 570

    def test_a_late_tick_after_the_deadline_fails_cleanly(self) -> None:
        case = Case(late=575)
        outcome = case.drive(timeout=600)
        assert isinstance(outcome, Answer)
        assert not outcome.ok
        assert case.service.made("start") == []

    @pytest.mark.parametrize("late", [600, 601, 7200])
    @pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
    def test_after_the_expiry_a_first_event_touches_nothing(self, kind: str, late: float) -> None:
        case = Case(late=late)
        case.own()
        assert isinstance(case.drive(kind, timeout=600), Silent)
        assert case.service.calls == []
        assert case.relay.puts == []

    def test_a_delete_that_is_not_finished_fails(self) -> None:
        case = Case(stop_seconds=10_000)
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        outcome = case.drive("Delete", timeout=600, PhysicalResourceId="fake/1")
        assert not outcome.ok
        assert "model 1 is STOPPING" in outcome.reason


class TestHandover:
    def test_the_rule_is_put_when_90_seconds_are_left_and_no_earlier(self) -> None:
        case = Case(start_seconds=3000)
        case.relay.successor_after = 60
        assert isinstance(case.drive(), HandedOver)
        [remaining] = case.relay.puts
        assert 85 < remaining <= 90

    def test_it_watches_until_the_successor_is_there(self) -> None:
        case = Case(start_seconds=3000)
        case.relay.successor_after = 60
        case.drive()
        looks = [when for when in case.service.made("describe") if when > 810]
        assert len(looks) > 15
        assert 870 <= case.clock.time - ISSUED < 876

    def test_a_model_that_is_up_during_the_handover_is_answered(self) -> None:
        case = Case(start_seconds=830)
        case.relay.successor_after = 60
        outcome = case.drive()
        assert isinstance(outcome, Answer)
        assert outcome.ok

    def test_it_leaves_when_the_successor_is_late(self) -> None:
        case = Case(start_seconds=3000)
        assert isinstance(case.drive(), HandedOver)
        assert 0 < case.clock.remaining() <= 8
        assert len(case.relay.puts) == 1

    def test_a_deadline_within_this_invocation_needs_no_successor(self) -> None:
        case = Case(start_seconds=3000, remaining=900)
        assert isinstance(case.drive(timeout=900), Answer)
        assert case.relay.puts == []

    def test_a_rule_that_could_not_be_put_is_put_again(self) -> None:
        case = Case(start_seconds=3000)
        case.relay.faults = [RuntimeError("took no target")] * 3
        assert isinstance(case.drive(), HandedOver)
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
        assert isinstance(case.drive(), HandedOver)
        assert case.relay.puts[0] == remaining

    def test_the_successor_goes_on_where_the_first_one_was(self) -> None:
        case = Case(start_seconds=1000)
        case.relay.successor_after = 60
        assert isinstance(case.drive(), HandedOver)
        case.clock.end += 900
        outcome = case.drive(CrHelperPoll=True)
        assert outcome.ok
        assert len(case.service.made("start")) == 1
        assert 1000 <= case.clock.time - ISSUED < 1005


class TestOtherRequests:
    @pytest.mark.parametrize("kind", ["Delete", "Update"])
    def test_superseded_means_silent(self, kind: str) -> None:
        case = Case(start_seconds=100)
        case.clock.at(50, lambda: case.own(request="request-3", age=-20, kind=kind))
        assert isinstance(case.drive(), Silent)
        assert [when for when in case.service.made("start", "stop", "tag", "untag") if when > 50] == []

    def test_superseded_at_the_deadline_means_silent_too(self) -> None:
        case = Case(start_seconds=10_000)
        case.clock.at(560, lambda: case.own(request="request-3", age=-550))
        assert isinstance(case.drive(timeout=600), Silent)
        assert case.service.made("stop") == []

    def test_a_create_that_comes_after_its_delete_starts_nothing(self) -> None:
        case = Case()
        claim_of_delete = case.host("Delete").request
        closing = lease.Closing(claim_of_delete.issued, "request-3", fingerprint(STACK, "Model"), "uuid")
        case.service.models["1"].tags[Tag.CLOSED] = str(closing)
        assert isinstance(case.drive(), Silent)
        assert case.service.made("start", "tag", "untag") == []


class TestUpdate:
    def test_other_units_stop_and_start(self) -> None:
        case = Case()
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        outcome = case.drive("Update", PhysicalResourceId="fake/1", properties={"MinInferenceUnits": "3"})
        assert outcome.ok
        assert case.service.models["1"].units == (3, None)
        assert (len(case.service.made("stop")), len(case.service.made("start"))) == (1, 1)

    def test_another_model_leaves_the_old_one_to_its_delete(self) -> None:
        case = Case()
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        outcome = case.drive("Update", "2", PhysicalResourceId="fake/1", OldResourceProperties=_old("1"))
        assert (outcome.ok, outcome.physical_id) == (True, "fake/2")
        assert case.service.models["1"].phase is Phase.RUNNING

    def test_a_rollback_gives_up_what_the_cancelled_update_started(self) -> None:
        """It comes with the physical ID of what it goes back to: there will be no Delete of the other one."""
        case = Case()
        case.own("1")
        case.own("2")
        for name in ("1", "2"):
            case.service.models[name].phase = Phase.RUNNING
        outcome = case.drive("Update", "1", PhysicalResourceId="fake/1", OldResourceProperties=_old("2"))
        assert (outcome.ok, outcome.physical_id) == (True, "fake/1")
        assert case.service.models["2"].phase is Phase.STOPPED
        assert case.service.models["1"].phase is Phase.RUNNING

    def test_old_properties_that_were_never_right_are_passed_over(self) -> None:
        case = Case()
        old = {"Service": "fake", "Model": {"Wrong": "x"}}
        assert case.drive("Update", PhysicalResourceId="fake/1", OldResourceProperties=old).ok


def _old(name: str) -> dict[str, Any]:
    return {"Service": "fake", "Model": {"Name": name}, "MinInferenceUnits": "1"}


class TestDelete:
    def test_it_stops_what_it_owns_and_takes_the_tags_off(self) -> None:
        case = Case()
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        outcome = case.drive("Delete", PhysicalResourceId="Mine-Model-1A2B3C")
        assert (outcome.ok, outcome.physical_id) == (True, "Mine-Model-1A2B3C")
        assert case.service.models["1"].phase is Phase.STOPPED
        assert not set(Tag.OWNER) & set(case.service.models["1"].tags)

    def test_what_nobody_owns_runs_on(self) -> None:
        case = Case()
        case.service.models["1"].phase = Phase.RUNNING
        assert case.drive("Delete", PhysicalResourceId="fake/1").ok
        assert case.service.models["1"].phase is Phase.RUNNING
        assert case.service.models["1"].tags == {}

    def test_an_absent_model_is_no_failure(self) -> None:
        assert Case().drive("Delete", "9", PhysicalResourceId="fake/9").ok

    def test_a_stop_that_is_denied_fails_loudly(self) -> None:
        case = Case()
        case.own()
        case.service.models["1"].phase = Phase.RUNNING
        case.service.faults["stop"] = [error(Kind.DENIED)] * 1000
        outcome = case.drive("Delete", PhysicalResourceId="fake/1")
        assert not outcome.ok
        assert "the function's role needs this permission" in outcome.reason


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
        request = case.host(kind, **({"PhysicalResourceId": given} if given else {})).request
        assert physical_id(request, lambda _: case.service) == expected

    def test_wrong_properties_are_an_error_that_names_them(self) -> None:
        with pytest.raises(ValueError, match="Model must have Name"):
            Case().host(properties={"Model": {"Wrong": "x"}})
