"""Generated histories: CloudFormation, Lambda, EventBridge, the network and people, all at their worst.

A Hypothesis state machine. Its rules are what an operator does (create, resize, swap, cancel, delete …) and
what goes wrong meanwhile; after each history, when everything still on its way has arrived, every promise is
checked.
"""

from __future__ import annotations

import logging
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chaos import record
from chaos.record import COUNTED
from chaos.trouble import PEOPLE, TROUBLE, Wrong, fence, put_model
from support.cases import CASES, ServiceCase
from support.cloudformation import Script, Stack, play
from support.invariants import STABLE, Logs, Promises
from support.lateness import KINDS
from support.world import World

VERSIONS = st.sampled_from(["1", "2"])
UNITS = st.integers(1, 2)
MOMENT = st.floats(0.0, 90.0).map(lambda value: round(value, 2))
DELIVERIES = st.sampled_from([1, 1, 2])
#: In more than half of the histories tags are read late.
LATENESS = ("on time", *KINDS, *(kind for kind in KINDS if KINDS[kind].tags > 1.0))
GONE = ("DELETED", "ROLLBACK_COMPLETE")
STUCK = ("DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")


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
        function=st.sampled_from([400.0, 900.0]),
        stop_while_starting=st.booleans(),
        hours=st.sampled_from(["none", "none", "all", "some"]),
        lateness=st.sampled_from(LATENESS),
    )
    def begin(
        self,
        seed: int,
        start: int,
        stop: int,
        function: float,
        stop_while_starting: bool,
        hours: str,
        lateness: str,
    ) -> None:
        COUNTED["histories"] += 1
        self.hours = hours
        self.logs = Logs()
        logging.getLogger().addHandler(self.logs)
        self.world = World(seed=seed, latency=0.2, function_seconds=function, lateness=KINDS[lateness])
        # Where nobody knows whether the service tells IAM its tags, half of the histories go one way.
        fence(self.world, self.case, seed % 2 == 0)
        for version in ("1", "2"):
            put_model(
                self.world,
                self.case,
                version,
                status=self.case.stopped,
                start_seconds=start,
                stop_seconds=stop,
                stop_while_starting=stop_while_starting,
            )
        self.stacks = [Stack(self.world, self.case, "One"), Stack(self.world, self.case, "Two")]
        self.promises = Promises(self.world, self.case, self.stacks, self.logs)
        self.wrong = Wrong(self.world, self.promises)

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
        due, comes = stack.next_due(self.world.now + moment)

        def fires() -> None:
            properties = stack.properties or late
            if properties:
                stack.schedule(goal, deliveries, {**properties, "HostingHours": "true"}, due)

        self.world.at(comes, fires)

    @some(*STABLE)
    @precondition(lambda self: self.hours != "none")
    @rule(data=st.data(), goal=st.sampled_from(["Start", "Stop"]), wait=st.sampled_from([5.0, 60.0, 400.0]))
    def a_while_of_hours(self, data: st.DataObject, goal: str, wait: float) -> None:
        stack = self.pick(data, *STABLE)
        # When the tags of the deploy before can be read: until then it gives way to that deploy.
        due, comes = stack.next_due(self.world.now + self.world.lateness.tags)
        self.world.run(seconds=comes - self.world.now)
        stack.schedule(goal, due=due)
        self.world.run(seconds=wait)

    # --- what goes wrong --------------------------------------------------------------------------------

    @rule(data=st.data(), kind=st.sampled_from(TROUBLE))
    def trouble(self, data: st.DataObject, kind: str) -> None:
        COUNTED["faults"] += 1
        self.wrong.strike(kind, data.draw, self.case, ("1", "2"))

    @rule(version=VERSIONS, moment=MOMENT, kind=st.sampled_from(PEOPLE))
    def people(self, version: str, moment: float, kind: str) -> None:
        COUNTED["faults"] += 1
        self.wrong.people(kind, self.case, version, moment)

    # --- the end ----------------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        logging.getLogger().removeHandler(self.logs)
        try:
            self.world.run()
            record.note(self.world, requests=sum(len(stack.requests) for stack in self.stacks))
            broken = self.promises.broken()
            COUNTED["crossed_claims"] += self.promises.crossed
            assert not broken, "\n".join(broken)
        finally:
            self.world.discard()


def machine(service: str) -> type[Histories]:
    """Return the state machine of one service."""
    return type(f"{service.title()}Histories", (Histories,), {"case": CASES[service]})
