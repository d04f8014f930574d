"""Generated histories: CloudFormation, Lambda, EventBridge, the network and people, all at their worst.

A Hypothesis state machine. Its rules are what an operator does (create, resize, swap, cancel, delete …) and
what goes wrong meanwhile; after each history, when everything still on its way has arrived, every promise is
checked.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from support.cases import CASES, PROJECT, ServiceCase
from support.cloudformation import Script, Stack, play
from support.invariants import STABLE, Logs, Promises
from support.world import Rule, World

#: What was generated, over all histories of a run.
COUNTED: Counter[str] = Counter()

ERRORS = {
    "lookoutvision": (
        "ThrottlingException",
        "InternalServerException",
        "ConflictException",
        "ConnectionReset",
        "AccessDeniedException",
    ),
    "rekognition": (
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "InternalServerError",
        "ResourceInUseException",
        "ConnectionReset",
        "AccessDeniedException",
    ),
}
FINAL = {
    "lookoutvision": ("ServiceQuotaExceededException", "ValidationException"),
    "rekognition": ("LimitExceededException", "InvalidParameterException"),
}
TAGGING = ("TagResource", "UntagResource", "ListTagsForResource")
VERSIONS = st.sampled_from(["1", "2"])
UNITS = st.integers(1, 2)
MOMENT = st.floats(0.0, 90.0).map(lambda value: round(value, 2))
DELIVERIES = st.sampled_from([1, 1, 2])
GONE = ("DELETED", "ROLLBACK_COMPLETE")
STUCK = ("DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")
TROUBLE = (
    "kill",
    "kill",
    "faulty_service",
    "faulty_service",
    "start_refused_for_good",
    "answer_endpoint_fails",
    "eventbridge_fails",
    "ticks",
    "hosting_fails",
)
PEOPLE = ("stopped_by_hand", "deleted_by_hand", "system_update")


def some(*statuses: str) -> Any:
    """Allow a rule while some stack has one of these statuses."""
    return precondition(lambda self: any(stack.status in statuses for stack in self.stacks))


class Histories(RuleBasedStateMachine):
    """One history over one service; subclasses say which."""

    case: ServiceCase

    @initialize(
        seed=st.integers(0, 2**16),
        start=st.sampled_from([4, 4, 12, 12, 80]),
        stop=st.sampled_from([2, 10]),
        function=st.sampled_from([110.0, 900.0]),
        stop_while_starting=st.booleans(),
        hours=st.sampled_from(["none", "none", "all", "some"]),
    )
    def begin(
        self, seed: int, start: int, stop: int, function: float, stop_while_starting: bool, hours: str
    ) -> None:
        COUNTED["histories"] += 1
        self.hours = hours
        self.logs = Logs()
        logging.getLogger().addHandler(self.logs)
        self.world = World(seed=seed, latency=0.2, function_seconds=function)
        for version in ("1", "2"):
            self.set(
                version,
                status=self.case.stopped,
                start_seconds=start,
                stop_seconds=stop,
                stop_while_starting=stop_while_starting,
            )
        self.stacks = [Stack(self.world, self.case, "One"), Stack(self.world, self.case, "Two")]
        self.promises = Promises(self.world, self.case, self.stacks, self.logs)

    def set(self, version: str, **given: Any) -> None:
        body = {"service": self.case.name, **given}
        self.world.control("PUT", f"models/{PROJECT}/{version}", body)

    def properties(self, version: str, units: int, **more: Any) -> dict[str, Any]:
        if self.hours == "all" or (self.hours == "some" and len(self.world.calls) % 2):
            more["HostingHours"] = "true"
        # Short, so that a history which hangs is a short one; far longer than any start here.
        return self.case.properties(version, units, HostingTimeoutSeconds=1500, **more)

    def play(self, *scripts: Script) -> None:
        play(self.world, *scripts)

    def pick(self, data: st.DataObject, *statuses: str) -> Stack:
        fitting = [stack for stack in self.stacks if stack.status in statuses]
        return fitting[data.draw(st.integers(0, len(fitting) - 1), label="stack")]

    # --- what an operator does --------------------------------------------------------------------------

    @some("NONE")
    @rule(data=st.data(), version=VERSIONS, units=UNITS, deliveries=DELIVERIES)
    def create(self, data: st.DataObject, version: str, units: int, deliveries: int) -> None:
        stack = self.pick(data, "NONE")
        self.play(stack.create(self.properties(version, units), deliveries=deliveries))

    @some("NONE")
    @rule(data=st.data(), version=VERSIONS, units=UNITS, moment=MOMENT)
    def create_interrupted(self, data: st.DataObject, version: str, units: int, moment: float) -> None:
        stack = self.pick(data, "NONE")
        self.play(stack.create(self.properties(version, units), interrupt=moment))

    @precondition(lambda self: all(stack.status == "NONE" for stack in self.stacks))
    @rule(version=VERSIONS, units=UNITS)
    def two_stacks_want_one_model(self, version: str, units: int) -> None:
        wanted = self.properties(version, units)
        self.play(*(stack.create(wanted) for stack in self.stacks))

    @some(*STABLE)
    @rule(data=st.data(), version=VERSIONS, units=UNITS, deliveries=DELIVERIES)
    def update(self, data: st.DataObject, version: str, units: int, deliveries: int) -> None:
        stack = self.pick(data, *STABLE)
        self.play(stack.update(self.properties(version, units), deliveries=deliveries))

    @some(*STABLE)
    @rule(data=st.data(), version=VERSIONS, units=UNITS, learns=st.booleans())
    def update_rolled_back(self, data: st.DataObject, version: str, units: int, learns: bool) -> None:
        stack = self.pick(data, *STABLE)
        wanted = self.properties(version, units)
        self.play(stack.update(wanted, fails_beside=True, learns_failed_id=learns))

    @some(*STABLE)
    @rule(data=st.data(), version=VERSIONS, units=UNITS, moment=MOMENT)
    def update_cancelled(self, data: st.DataObject, version: str, units: int, moment: float) -> None:
        stack = self.pick(data, *STABLE)
        self.play(stack.update(self.properties(version, units), cancel=moment))

    @some(*STABLE, *STUCK)
    @rule(data=st.data(), deliveries=DELIVERIES)
    def delete(self, data: st.DataObject, deliveries: int) -> None:
        stack = self.pick(data, *STABLE, *STUCK)
        self.play(stack.delete(deliveries=deliveries))

    @precondition(lambda self: sum(stack.status in STABLE for stack in self.stacks) > 1)
    @rule(version=VERSIONS)
    def two_stacks_at_once(self, version: str) -> None:
        one, two, *_ = [stack for stack in self.stacks if stack.status in STABLE]
        self.play(one.delete(), two.update(self.properties(version, 1)))

    @some(*GONE)
    @rule()
    def a_new_stack(self) -> None:
        if len(self.stacks) < 5:
            self.stacks.append(Stack(self.world, self.case, f"New{len(self.stacks)}"))
            self.promises.stacks = self.stacks

    # --- what a schedule does ---------------------------------------------------------------------------

    @precondition(lambda self: self.hours != "none")
    @rule(data=st.data(), goal=st.sampled_from(["Start", "Stop"]), moment=MOMENT, deliveries=DELIVERIES)
    def its_hours(self, data: st.DataObject, goal: str, moment: float, deliveries: int) -> None:
        """A schedule is due while whatever comes next is under way; it may be of a stack that is gone."""
        stack = self.stacks[data.draw(st.integers(0, len(self.stacks) - 1), label="stack")]
        late = dict(stack.requests[-1].event["ResourceProperties"]) if stack.requests else None

        def due() -> None:
            properties = stack.properties or late
            if properties:
                stack.schedule(goal, deliveries, {**properties, "HostingHours": "true"})

        self.world.after(moment, due)

    @some(*STABLE)
    @precondition(lambda self: self.hours != "none")
    @rule(data=st.data(), goal=st.sampled_from(["Start", "Stop"]), wait=st.sampled_from([5.0, 60.0, 400.0]))
    def a_while_of_hours(self, data: st.DataObject, goal: str, wait: float) -> None:
        self.play(self.pick(data, *STABLE).hours(goal, wait))

    # --- what goes wrong --------------------------------------------------------------------------------

    @rule(data=st.data(), kind=st.sampled_from(TROUBLE))
    def trouble(self, data: st.DataObject, kind: str) -> None:
        COUNTED["faults"] += 1
        getattr(self, f"_{kind}")(data.draw)

    def _kill(self, draw: Any) -> None:
        offset, when = draw(st.integers(0, 50)), draw(st.sampled_from(["before", "after"]))
        self.world.kill_at[len(self.world.calls) + offset] = when

    def _faulty_service(self, draw: Any) -> None:
        case, lose = self.case, draw(st.booleans())
        operation = draw(st.sampled_from([case.start, case.stop, case.describe, *TAGGING]))
        error = None if lose else draw(st.sampled_from(ERRORS[case.name]))
        self._fault(operation, error, draw(st.integers(1, 4)), draw(st.integers(0, 6)), lose)

    def _start_refused_for_good(self, draw: Any) -> None:
        self._fault(self.case.start, draw(st.sampled_from(FINAL[self.case.name])), 1, 0, False)

    def _fault(self, operation: str, error: str | None, times: int, after: int, lose: bool) -> None:
        body: dict[str, Any] = {"operation": operation, "times": times, "after": after, "lose_response": lose}
        if error:
            body["error"] = error
        self.world.control("POST", "faults", {**body, "service": self.case.name})

    def _answer_endpoint_fails(self, draw: Any) -> None:
        faults = st.lists(st.sampled_from([500, 503, "reset"]), min_size=1, max_size=3)
        self.world.answer_faults.extend(draw(faults))

    def _eventbridge_fails(self, draw: Any) -> None:
        operations = ["PutRule", "PutTargets", "DescribeRule", "RemoveTargets", "DeleteRule"]
        fault = (draw(st.sampled_from(operations)), "InternalException")
        self.world.event_faults += [fault] * draw(st.integers(1, 2))

    def _ticks(self, draw: Any) -> None:
        """Ticks that are late or repeated; or the first is missing and the second comes."""
        plan = draw(st.lists(st.sampled_from([0.0, 0.5, 20.0, 70.0]), max_size=3))

        def planned(found: Rule) -> list[float]:
            return plan or ([0.0] if found.ticks > 1 else [])

        self.world.tick_plan = planned

    def _hosting_fails(self, draw: Any) -> None:
        outcome = draw(st.sampled_from([self.case.failed, self.case.running]))
        self.set(draw(VERSIONS), start_outcome=outcome)

    @rule(version=VERSIONS, moment=MOMENT, kind=st.sampled_from(PEOPLE))
    def people(self, version: str, moment: float, kind: str) -> None:
        COUNTED["faults"] += 1
        getattr(self, f"_{kind}")(version, moment)

    def _stopped_by_hand(self, version: str, moment: float) -> None:
        self.promises.disturbed.add(version)
        self.world.after(moment, lambda: self._if_running(version, self.case.stopped))

    def _deleted_by_hand(self, version: str, moment: float) -> None:
        self.promises.disturbed.add(version)
        self.world.after(moment, lambda: self.set(version, status=self.case.deleting))

    def _system_update(self, version: str, moment: float) -> None:
        if self.case.name != "lookoutvision":
            return

        def begins() -> None:
            if self._if(version, self.case.running, "SYSTEM_UPDATING"):
                self.world.after(25.0, lambda: self._if(version, "SYSTEM_UPDATING", self.case.running))

        self.world.after(moment, begins)

    def _if_running(self, version: str, status: str) -> bool:
        return any(self._if(version, now, status) for now in (self.case.running, self.case.starting))

    def _if(self, version: str, now: str, status: str) -> bool:
        path = f"models/{PROJECT}/{version}?service={self.case.name}"
        if self.world.control("GET", path)["status"] != now:
            return False
        self.set(version, status=status)
        return True

    # --- the end ----------------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        logging.getLogger().removeHandler(self.logs)
        try:
            self.world.run()
            COUNTED["kills"] += self.world.killed
            COUNTED["calls"] += len(self.world.calls)
            COUNTED["requests"] += sum(len(stack.requests) for stack in self.stacks)
            broken = self.promises.broken()
            assert not broken, "\n".join(broken)
        finally:
            self.world.discard()


def machine(service: str) -> type[Histories]:
    """Return the state machine of one service."""
    return type(f"{service.title()}Histories", (Histories,), {"case": CASES[service]})
