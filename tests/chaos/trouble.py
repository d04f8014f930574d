"""What goes wrong in a history: kills, faults of services and network, ticks, people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from support.cases import PROJECT, ServiceCase
from support.invariants import Requests
from support.world import Rule, World

TAGGING = ("TagResource", "UntagResource", "ListTagsForResource")
TROUBLE = (
    "kill",
    "kill",
    "faulty_service",
    "faulty_service",
    "start_refused_for_good",
    "answer_endpoint_fails",
    "eventbridge_fails",
    "ticks",
    "no_tick_comes",
    "late_delivery",
    "not_yet",
    "not_yet",
    "hosting_fails",
)
#: What calls can meet while credentials and policies settle, or when they come late: "Common Errors" in AWS's
#: API references. None of them says that a property is wrong.
NOT_YET = (
    ("UnrecognizedClientException", 400),
    ("InvalidSignatureException", 403),
    ("ExpiredTokenException", 400),
    ("AccessDeniedException", 400),
    ("AccessDeniedException", 403),
    ("RequestTimeoutException", 408),
)
PEOPLE = ("stopped_by_hand", "deleted_by_hand", "started_by_hand", "system_update")


def put_model(world: World, case: ServiceCase, version: str, **given: Any) -> None:
    """Put a model there, or change the one that is."""
    world.control("PUT", f"models/{PROJECT}/{version}", {"service": case.name, **given})


def fence(world: World, case: ServiceCase, stands: bool) -> None:
    """Let a service tell IAM its tags or not, if it may be either."""
    if not case.fenced:
        world.control("PUT", "iam", {"service": case.name, "tells_tags": stands})


class Wrong:
    """Puts faults into a world; the promises know to which versions somebody did what by hand."""

    def __init__(self, world: World, promises: Requests) -> None:
        self.world, self.promises = world, promises

    def strike(self, kind: str, draw: Any, case: ServiceCase, versions: Sequence[str]) -> None:
        """Put one kind of trouble into the way of a service and its models."""
        getattr(self, f"_{kind}")(draw, case, versions)

    def _kill(self, draw: Any, case: ServiceCase, versions: Sequence[str]) -> None:
        offset, when = draw(st.integers(0, 50)), draw(st.sampled_from(["before", "after"]))
        self.world.kill_at[len(self.world.calls) + offset] = when

    def _faulty_service(self, draw: Any, case: ServiceCase, versions: Sequence[str]) -> None:
        lose = draw(st.booleans())
        operation = draw(st.sampled_from([case.start, case.stop, case.describe, *TAGGING]))
        error = None if lose else draw(st.sampled_from(case.passing))
        self._fault(case, operation, error, draw(st.integers(1, 4)), draw(st.integers(0, 6)), lose)

    def _start_refused_for_good(self, draw: Any, case: ServiceCase, versions: Sequence[str]) -> None:
        self._fault(case, case.start, draw(st.sampled_from(case.final)), 1, 0, False)

    def _fault(
        self, case: ServiceCase, operation: str, error: str | None, times: int, after: int, lose: bool
    ) -> None:
        body: dict[str, Any] = {"operation": operation, "times": times, "after": after, "lose_response": lose}
        if error:
            body["error"] = error
        self.world.control("POST", "faults", {**body, "service": case.name})

    def _answer_endpoint_fails(self, draw: Any, case: ServiceCase, versions: Sequence[str]) -> None:
        faults = st.lists(st.sampled_from([500, 503, "reset"]), min_size=1, max_size=3)
        self.world.answer_faults.extend(draw(faults))

    def _eventbridge_fails(self, draw: Any, case: ServiceCase, versions: Sequence[str]) -> None:
        operations = ["PutRule", "PutTargets", "DescribeRule", "RemoveTargets", "DeleteRule"]
        fault = (draw(st.sampled_from(operations)), "InternalException")
        self.world.event_faults += [fault] * draw(st.integers(1, 2))

    def _ticks(self, draw: Any, case: ServiceCase, versions: Sequence[str]) -> None:
        """Ticks that are late or repeated; or the first is missing and the second comes."""
        plan = draw(st.lists(st.sampled_from([0.0, 0.5, 20.0, 70.0]), max_size=3))

        def planned(found: Rule) -> list[float]:
            return plan or ([0.0] if found.ticks > 1 else [])

        self.world.tick_plan = planned

    def _no_tick_comes(self, draw: Any, case: ServiceCase, versions: Sequence[str]) -> None:
        """The rule may not invoke the function, or every tick is lost."""
        self.world.tick_plan = lambda rule: []

    def _late_delivery(self, draw: Any, case: ServiceCase, versions: Sequence[str]) -> None:
        """Lambda delivers the next events late, up to the hour."""
        self.world.late_deliveries += draw(
            st.lists(st.sampled_from([0.0, 5.0, 40.0, 300.0, 3000.0]), min_size=1, max_size=3)
        )

    def _not_yet(self, draw: Any, case: ServiceCase, versions: Sequence[str]) -> None:
        code, status = draw(st.sampled_from(NOT_YET))
        operation = draw(st.sampled_from([case.start, case.stop, case.describe, *TAGGING]))
        times, after = draw(st.integers(1, 8)), draw(st.integers(0, 6))
        fault = {"operation": operation, "error": code, "http_status": status, "times": times, "after": after}
        self.world.control("POST", "faults", {**fault, "service": case.name})

    def _hosting_fails(self, draw: Any, case: ServiceCase, versions: Sequence[str]) -> None:
        outcome = draw(st.sampled_from([case.failed, case.running]))
        version, fails = draw(st.sampled_from(versions)), outcome == case.failed
        put_model(self.world, case, version, start_outcome=outcome, resize_fails=fails)

    def people(self, kind: str, case: ServiceCase, version: str, moment: float) -> None:
        """Let somebody do something to a model by hand, after some seconds."""
        getattr(self, f"_{kind}")(case, version, moment)

    def _stopped_by_hand(self, case: ServiceCase, version: str, moment: float) -> None:
        self.promises.disturbed.add(version)
        self.world.after(moment, lambda: self._if_running(case, version, case.stopped))

    def _started_by_hand(self, case: ServiceCase, version: str, moment: float) -> None:
        self.promises.disturbed.add(version)

        def starts() -> None:
            if self._if(case, version, case.stopped, case.running):
                self.promises.by_hand[version] = self.world.now

        self.world.after(moment, starts)

    def _deleted_by_hand(self, case: ServiceCase, version: str, moment: float) -> None:
        self.promises.disturbed.add(version)
        self.world.after(moment, lambda: put_model(self.world, case, version, status=case.deleting))

    def _system_update(self, case: ServiceCase, version: str, moment: float) -> None:
        if not case.updating:
            return

        def begins() -> None:
            if self._if(case, version, case.running, case.updating):
                self.world.after(25.0, lambda: self._if(case, version, case.updating, case.running))

        self.world.after(moment, begins)

    def _if_running(self, case: ServiceCase, version: str, status: str) -> bool:
        awake = (case.running, case.starting, case.pending)
        return any(self._if(case, version, now, status) for now in awake if now)

    def _if(self, case: ServiceCase, version: str, now: str, status: str) -> bool:
        path = f"models/{PROJECT}/{version}?service={case.name}"
        if self.world.control("GET", path)["status"] != now:
            return False
        put_model(self.world, case, version, status=status)
        return True
