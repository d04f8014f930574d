"""A clock, a relay and a service in memory, for tests of what drives a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from hosted_model_runtime.decisions.model import Observed, Phase, Sighting, Units
from hosted_model_runtime.services.base import Kind, ServiceError

ISSUED = 1_790_000_000
#: The name that means the model with the greatest name.
LATEST = "latest"


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
        self.ticked = False
        self._put_at: float | None = None
        #: Whether the rule that brought this invocation is still there.
        self.stands = True
        self.left = self.removed = 0
        self.superseded: list[str] = []

    def leave(self) -> bool:
        self.left += self.stands
        return self.stands

    def remove(self) -> bool:
        self.removed += 1
        self.stands = False
        return True

    def supersede(self, request_id: str) -> None:
        self.superseded.append(request_id)

    def put(self) -> None:
        self.puts.append(self._clock.remaining())
        if self.faults:
            raise self.faults.pop(0)
        if self._put_at is None:
            self._put_at = self._clock.time

    def taken_over(self) -> bool:
        if self.successor_after is None or self._put_at is None:
            return False
        return self._clock.time >= self._put_at + self.successor_after


class Model:
    """One model of a service with one model a name."""

    def __init__(self, name: str, start_seconds: float, stop_seconds: float) -> None:
        self.name, self.phase, self.due = name, Phase.STOPPED, 0.0
        self.units: tuple[int, int | None] = (1, None)
        #: Every phase that a call or its time has brought, and since when.
        self.entered: list[tuple[float, Phase]] = [(0, Phase.STOPPED)]
        #: Every value that the tags have had, and since when.
        self.written: list[tuple[float, dict[str, str]]] = []
        self.seconds = {Phase.STARTING: start_seconds, Phase.STOPPING: stop_seconds}

    @property
    def tags(self) -> dict[str, str]:
        return self.tags_at(float("inf"))

    @tags.setter
    def tags(self, tags: Mapping[str, str]) -> None:
        self.write(0, tags)

    def tags_at(self, when: float) -> dict[str, str]:
        return next((dict(tags) for since, tags in reversed(self.written) if since <= when), {})

    def write(self, now: float, tags: Mapping[str, str]) -> None:
        self.written.append((now, dict(tags)))

    def advance(self, now: float) -> None:
        after = {Phase.STARTING: Phase.RUNNING, Phase.STOPPING: Phase.STOPPED}
        if self.phase in after and now >= self.due:
            self.phase = after[self.phase]
            self.entered.append((self.due, self.phase))

    def enter(self, phase: Phase, now: float) -> None:
        self.phase, self.due = phase, now + self.seconds[phase]
        self.entered.append((now, phase))

    def phase_at(self, when: float) -> Phase:
        return next(phase for since, phase in reversed(self.entered) if since <= when)


class Service:
    """A service in memory; ``faults`` holds, by call, what the next ones meet (None: nothing)."""

    name, running, stopped, fenced = "fake", "HOSTED", "TRAINED", True

    def __init__(
        self,
        clock: Clock,
        start_seconds: float = 40,
        stop_seconds: float = 10,
        lag: float = 0,
        status_lag: float = 0,
    ) -> None:
        self._clock, self._lag, self._status_lag = clock, lag, status_lag
        self.models = {name: Model(name, start_seconds, stop_seconds) for name in ("1", "2")}
        self.faults: dict[str, list[ServiceError | None]] = {}
        self.calls: list[tuple[float, str, str]] = []
        self.tokens: list[str] = []

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

    def physical_id(self, model: Mapping[str, str]) -> str:
        if "Name" not in model:
            raise ValueError("Model must have Name")
        return f"fake/{model['Name']}"

    def describe(self, model: Mapping[str, str]) -> Sighting:
        name = max(self.models) if model["Name"] == LATEST else model["Name"]
        found = self._called("describe", name)
        if found is None:
            return Sighting(Observed(Phase.ABSENT, f"model {name}"), "", name, model)
        return self._sighting(found)

    def _sighting(self, found: Model) -> Sighting:
        late = self._status_lag
        phase = found.phase_at(self._clock.time - late) if late else found.phase
        observed = Observed(phase, f"model {found.name}", phase.name, "", *found.units)
        return Sighting(observed, f"arn:{found.name}", found.name, {"Name": found.name})

    def alternatives(self, model: Mapping[str, str]) -> Iterable[Sighting]:
        return [self._sighting(found) for found in self.models.values()] if model["Name"] == LATEST else ()

    def _of(self, operation: str, arn: str) -> Model:
        found = self._called(operation, arn.removeprefix("arn:"))
        assert found is not None
        return found

    def start(self, sighting: Sighting, units: Units, token: str) -> None:
        self.tokens.append(token)
        found = self._of("start", sighting.arn)
        if found.phase not in (Phase.STOPPED, Phase.FAILED):
            raise ServiceError(Kind.CONFLICT, "start: conflict")
        found.units = (units.minimum, units.maximum)
        found.enter(Phase.STARTING, self._clock.time)

    def stop(self, sighting: Sighting, token: str) -> None:
        self.tokens.append(token)
        found = self._of("stop", sighting.arn)
        if found.phase is not Phase.RUNNING:
            raise ServiceError(Kind.CONFLICT, "stop: conflict")
        found.enter(Phase.STOPPING, self._clock.time)

    def tags(self, arn: str) -> dict[str, str]:
        return self._of("tags", arn).tags_at(self._clock.time - self._lag)

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        found = self._of("tag", arn)
        found.write(self._clock.time, found.tags | tags)

    def untag(self, arn: str, keys: Iterable[str]) -> None:
        found, gone = self._of("untag", arn), set(keys)
        found.write(self._clock.time, {key: value for key, value in found.tags.items() if key not in gone})
