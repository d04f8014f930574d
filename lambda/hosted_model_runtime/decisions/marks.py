"""PURE: the values of the lease's tags, as texts and back: who wrote them, when, and how far it came.

What cannot be read is None, never an error: anybody may have written a tag.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

from .model import Phase
from .polling import NOTHING, LastStart

_TIME = "%Y%m%dT%H%M%SZ"
_HAS_HOURS = "hours"


def stamp(when: datetime) -> str:
    """Return a time as tags and attributes carry it: UTC, to the second."""
    return when.astimezone(UTC).strftime(_TIME)


def stamp_of(seconds: float) -> str:
    """Return the same of epoch seconds."""
    return stamp(datetime.fromtimestamp(seconds, UTC))


def unstamp(text: str) -> datetime | None:
    """Return the time that :func:`stamp` wrote, or None where there is none."""
    try:
        return _time(text)
    except ValueError:
        return None


def _time(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


class State(Enum):
    """How far a request came. A step is written before it is taken."""

    HELD = "held"
    #: A Start is about to be sent to a model that is STOPPED, or whose last hosting has FAILED.
    STARTING_STOPPED = "starting-stopped"
    STARTING_FAILED = "starting-failed"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    #: The model is outside its hosting hours: it is being stopped; it is stopped. Its owner keeps the lease.
    SLEEPING = "sleeping"
    ASLEEP = "asleep"
    #: A Delete, or a rollback, lets go of the model. RELEASING: it stops it. RETURNING: it gives it back to
    #: the resource of the same stack that had it before. RELEASED: it has let go.
    RELEASING = "releasing"
    RETURNING = "returning"
    RELEASED = "released"

    @property
    def settled(self) -> bool:
        """Whether the request has its answer; a repeat of the request must give the same one."""
        return self in (State.DONE, State.FAILED, State.ASLEEP)

    @property
    def asleep(self) -> bool:
        """Whether the model is stopped, or is to be, because its hours are over."""
        return self in (State.SLEEPING, State.ASLEEP)

    @property
    def letting_go(self) -> bool:
        """Whether the request is giving the model up, and is not done with it."""
        return self in (State.RELEASING, State.RETURNING)

    @property
    def may_start(self) -> bool:
        """Whether the request's Start may still come."""
        return self in (State.HELD, State.STARTING_STOPPED, State.STARTING_FAILED)

    @property
    def rank(self) -> int:
        """How far this is. A request only goes up; just a scheduled start's next attempt begins anew."""
        if self.settled or self is State.RELEASED:
            return 3
        if self is State.STARTED:
            return 2
        return 1 if self in (State.STARTING_STOPPED, State.STARTING_FAILED) else 0

    @staticmethod
    def starting(phase: Phase) -> State:
        return State.STARTING_FAILED if phase is Phase.FAILED else State.STARTING_STOPPED


@dataclass(frozen=True, slots=True)
class Mark:
    """The value of the tags that name a request: at most 190 of the 256 characters that a tag can have.

    ``has_hours`` says that the request declares hosting hours. A scheduled start or stop also has ``attempt``
    and ``under``: the RequestId of the CloudFormation request that commanded the model at that time.

    ``last_start`` has no place of its own in the text, because version 0.1 reads no text with one more: it
    would take such a model for nobody's. In a schedule's mark it stands where another has its hours; in
    another's, where a schedule has ``under``. Version 0.1 does not look there.
    """

    issued: datetime
    type: str
    request_id: str
    state: State
    declared_as: str
    hosted_at: str = ""
    units: str = ""
    has_hours: bool = False
    attempt: int = 1
    under: str = ""
    last_start: LastStart = NOTHING

    def __str__(self) -> str:
        parts = (stamp(self.issued), self.type, self.request_id, self.state.value, self.declared_as)
        hours, last = _HAS_HOURS if self.has_hours else "", str(self.last_start)
        more = (hours, "1", last) if last else (hours,)
        if self.under:
            more = (last or hours, str(self.attempt), self.under)
        return "/".join((*parts, self.hosted_at, self.units, *more)).rstrip("/")

    @staticmethod
    def parse(text: str | None) -> Mark | None:
        """Return the mark, or None where the tag is absent or not ours to read."""
        try:
            time, kind, request_id, state, declared_as, *rest = (text or "").split("/")
            hosted_at, units, hours, attempt, under = (*rest, *("", "", "", "1", "")[len(rest) :])
            held = (_time(time), kind, request_id, State(state), declared_as, hosted_at, units)
            has_hours, number = hours == _HAS_HOURS, int(attempt)
        except ValueError:
            return None
        if last := LastStart.parse(under):
            return Mark(*held, has_hours, number, "", last)
        return Mark(*held, has_hours, number, under, LastStart.parse(hours) or NOTHING)

    def at(self, state: State, hosted_at: str | None = None) -> Mark:
        return replace(self, state=state, hosted_at=self.hosted_at if hosted_at is None else hosted_at)

    def starting(self, phase: Phase, now: float) -> Mark:
        """Return the mark that announces a Start; one that announces it already keeps its time."""
        state = State.starting(phase)
        if self.state is state:
            return replace(self, hosted_at="")
        sent = max(0, int(now - self.issued.timestamp()))
        return replace(self, state=state, hosted_at="", last_start=replace(self.last_start, sent=sent))

    def done(self, now: float, started: bool) -> Mark:
        """Return the mark of a model that is up; one that this request started took so long."""
        last = self.last_start
        if started and last.sent is not None:
            last = last.took(now - self.issued.timestamp() - last.sent)
        hosted_at = self.hosted_at or stamp_of(now)
        return replace(self, state=State.DONE, hosted_at=hosted_at, last_start=replace(last, sent=None))

    @property
    def progress(self) -> tuple[int, int]:
        """How far the request came, as numbers to compare: they only grow."""
        return self.attempt, self.state.rank


@dataclass(frozen=True, slots=True)
class Closing:
    """The value of ``hosted-model:closed``: which request of which resource let go, and how old it is.

    The stack comes last, where the function's policy looks for it: that refuses every start and claim of a
    model which its own stack has closed, and so a call that is still under way. Other stacks may take it.
    """

    issued: datetime
    request_id: str
    resource: str
    stack: str

    def __str__(self) -> str:
        return "/".join((stamp(self.issued), self.request_id, self.resource, self.stack))

    @staticmethod
    def parse(text: str | None) -> Closing | None:
        """Return the closing, or None where the tag is absent or not ours to read."""
        try:
            time, request_id, resource, stack = (text or "").split("/")
            return Closing(_time(time), request_id, resource, stack)
        except ValueError:
            return None
