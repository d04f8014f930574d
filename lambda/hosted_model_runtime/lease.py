"""PURE: who commands a model now, read from its tags.

Five tags. ``hosted-model:stack`` and ``hosted-model:logical-id`` name the owner. ``hosted-model:request`` is
the mark of the request that commands the model: when it was issued, its type, its RequestId, how far it came,
under which identity it declares the model, its units, and since when the model is hosted.
``hosted-model:hours`` is such a mark of the last scheduled start or stop, and names the request under which
it acts: once another request commands the model, it is over. ``hosted-model:closed`` stays behind when a
Delete has let go, so that an older request which Lambda delivers late starts nothing.

Conditions on these tags in the function's policy make the lease more than a convention: the service itself
refuses to tag, start or stop a model that carries another stack's ``hosted-model:stack``, and to start one
that carries ``hosted-model:closed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from .contract import SERVICE_TIMEOUT_MAX, Scheduled, Tag
from .reconcile import Phase
from .tokens import fingerprint

_TIME = "%Y%m%dT%H%M%SZ"
_HAS_HOURS = "hours"
RUNNING = (Phase.RUNNING, Phase.STARTING, Phase.UPDATING)


def stamp(when: datetime) -> str:
    """Return a time as tags and attributes carry it: UTC, to the second."""
    return when.astimezone(UTC).strftime(_TIME)


def _time(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


class State(Enum):
    """How far the commanding request came; written before the step that it announces."""

    HELD = "held"
    #: A Start was about to be sent when the model was STOPPED, or when its last hosting had FAILED.
    STARTING_STOPPED = "starting-stopped"
    STARTING_FAILED = "starting-failed"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    #: The model is outside its hosting hours: to be stopped, and stopped. Its owner keeps it.
    SLEEPING = "sleeping"
    ASLEEP = "asleep"

    @property
    def settled(self) -> bool:
        """Whether the answer is decided: a repeat must give the same one."""
        return self in (State.DONE, State.FAILED, State.ASLEEP)

    @property
    def asleep(self) -> bool:
        """Whether the model is to be stopped, or is, because its hours are over."""
        return self in (State.SLEEPING, State.ASLEEP)

    @staticmethod
    def starting(phase: Phase) -> State:
        return State.STARTING_FAILED if phase is Phase.FAILED else State.STARTING_STOPPED


@dataclass(frozen=True, slots=True)
class Claim:
    """A request as the lease sees it."""

    stack_id: str
    logical_id: str
    request_id: str
    type: str
    issued: datetime
    identity: str
    adopt: bool = False
    has_hours: bool = False
    #: Whether this delivery may be the first; Lambda repeats one after a minute at the earliest.
    fresh: bool = True

    @property
    def resource(self) -> str:
        """A short name of the resource, whatever it declares."""
        return fingerprint(self.stack_id, self.logical_id)

    @property
    def scheduled(self) -> bool:
        """Whether a schedule of the resource's hosting hours asks, not CloudFormation."""
        return self.type in Scheduled.GOALS

    @property
    def stack(self) -> str:
        """The part of the stack ID that is unlike any other's; the function's policy compares it."""
        return self.stack_id.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Mark:
    """The value of ``hosted-model:request`` or ``hosted-model:hours``: at most 170 of 256 characters.

    ``has_hours`` says that the request declares hosting hours; ``attempt`` and ``under`` (the RequestId of
    the request that commanded the model then) are those of a scheduled start or stop.
    """

    issued: datetime
    type: str
    request_id: str
    state: State
    identity: str
    hosted_at: str = ""
    units: str = ""
    has_hours: bool = False
    attempt: int = 1
    under: str = ""

    def __str__(self) -> str:
        parts = (stamp(self.issued), self.type, self.request_id, self.state.value, self.identity)
        hours = _HAS_HOURS if self.has_hours else ""
        scheduled = (str(self.attempt), self.under) if self.under else ()
        return "/".join((*parts, self.hosted_at, self.units, hours, *scheduled)).rstrip("/")

    @staticmethod
    def parse(text: str | None) -> Mark | None:
        """Return the mark, or None where the tag is absent or not ours to read."""
        try:
            time, kind, request_id, state, identity, *rest = (text or "").split("/")
            hosted_at, units, hours, attempt, under = (*rest, *("", "", "", "1", "")[len(rest) :])
            held = (_time(time), kind, request_id, State(state), identity)
            return Mark(*held, hosted_at, units, hours == _HAS_HOURS, int(attempt), under)
        except ValueError:
            return None

    def at(self, state: State, hosted_at: str | None = None) -> Mark:
        return replace(self, state=state, hosted_at=self.hosted_at if hosted_at is None else hosted_at)


@dataclass(frozen=True, slots=True)
class Closing:
    """The value of ``hosted-model:closed``: which request of which resource let go, and how old it is.

    It ends with the stack, because the function's policy refuses every start and every claim of a model that
    its own stack has closed: a call that is still under way then comes to nothing. Other stacks may take it.
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


class Standing(Enum):
    """Where a request stands with a model."""

    HELD = "held"  # it commands the model
    FREE = "free"  # it may take command
    SUPERSEDED = "superseded"  # a later request of the same resource does: end in silence
    FOREIGN = "foreign"  # somebody else's: touch nothing
    RELEASED = "released"  # this Delete let go already
    UNOWNED = "unowned"  # nothing here is this resource's


@dataclass(frozen=True, slots=True)
class Verdict:
    """A standing; the resource's own mark, ours or an earlier request's; why the model is foreign."""

    standing: Standing
    mark: Mark | None = None
    reason: str = ""


def first_mark(claim: Claim, tags: Mapping[str, str], before: Mark | None, units: str = "") -> Mark:
    """Return the mark with which a claim takes command; a model that runs on keeps its HostedAt."""
    request = Mark.parse(tags.get(Tag.REQUEST))
    last = hours_of(tags) or (request if claim.scheduled else before)
    hosted_at = last.hosted_at if last else ""
    mark = Mark(claim.issued, claim.type, claim.request_id, State.HELD, claim.identity, hosted_at, units)
    if claim.scheduled and request:
        return replace(mark, units=request.units, under=request.request_id)
    return replace(mark, has_hours=claim.has_hours)


def owner_tags(claim: Claim, mark: Mark) -> dict[str, str]:
    """Return the tags that a mark is written with; a schedule never makes a model its stack's."""
    if claim.scheduled:
        return {Tag.HOURS: str(mark)}
    return {Tag.STACK: claim.stack_id, Tag.LOGICAL_ID: claim.logical_id, Tag.REQUEST: str(mark)}


def closing_tag(claim: Claim) -> dict[str, str]:
    """Return the tag that a request leaves behind when it lets go."""
    return {Tag.CLOSED: str(Closing(claim.issued, claim.request_id, claim.resource, claim.stack))}


def must_reopen(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether the policy lets this claim's stack tag the model only when the closing mark is gone."""
    closing = Closing.parse(tags.get(Tag.CLOSED))
    return closing is not None and closing.stack == claim.stack


def owns(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether the tags name this claim's stack and logical ID."""
    return tags.get(Tag.STACK) == claim.stack_id and tags.get(Tag.LOGICAL_ID) == claim.logical_id


def declared_as(tags: Mapping[str, str], identity: str) -> bool:
    """Say whether the owner declares the model under this identity."""
    mark = Mark.parse(tags.get(Tag.REQUEST))
    return mark is not None and mark.identity == identity


def hours_of(tags: Mapping[str, str]) -> Mark | None:
    """Return the mark of the last scheduled start or stop, if no request came after it."""
    request, hours = Mark.parse(tags.get(Tag.REQUEST)), Mark.parse(tags.get(Tag.HOURS))
    return hours if request and hours and hours.under == request.request_id else None


def is_asleep(tags: Mapping[str, str]) -> bool:
    """Say whether the model's owner left it stopped, or is stopping it, because its hours are over."""
    if hours := hours_of(tags):
        return hours.type == Scheduled.STOP and hours.state is not State.FAILED
    request = Mark.parse(tags.get(Tag.REQUEST))
    return request is not None and request.state.asleep


def is_in_flight(tags: Mapping[str, str], before: Mark | None) -> bool:
    """Say whether the request that is superseded, or a schedule under it, may have a call under way."""
    if before is None:
        return False
    hours = Mark.parse(tags.get(Tag.HOURS))
    under = hours is not None and hours.under == before.request_id and not hours.state.settled
    return under or not before.state.settled


def judge(tags: Mapping[str, str], claim: Claim, phase: Phase) -> Verdict:
    """Say where a request that wants to host the model stands with it."""
    if claim.scheduled:
        return _judge_schedule(tags, claim)
    closing = Closing.parse(tags.get(Tag.CLOSED))
    if closing and closing.resource == claim.resource and closing.issued >= claim.issued:
        return Verdict(Standing.SUPERSEDED)
    if tags.get(Tag.STACK) is not None:
        if not owns(tags, claim):
            return Verdict(Standing.FOREIGN, reason=_owned_by(tags))
        return _among_own(Mark.parse(tags.get(Tag.REQUEST)), claim)
    if closing and closing.issued >= claim.issued:
        # Whoever let go did so after this request was made: it is a late delivery, or it lost a race. What
        # this request's own stack has closed may have been closed again by another stack since.
        return Verdict(Standing.FOREIGN, reason="another stack gave it up after this request was made")
    if phase in RUNNING and not claim.adopt:
        return Verdict(Standing.FOREIGN, reason=f"it is {phase.value} and no stack owns it")
    return Verdict(Standing.FREE)


def _judge_schedule(tags: Mapping[str, str], claim: Claim) -> Verdict:
    """Say where a scheduled start or stop stands: it takes nothing, and CloudFormation goes first."""
    request = Mark.parse(tags.get(Tag.REQUEST))
    if not owns(tags, claim) or request is None or request.identity != claim.identity:
        return Verdict(Standing.SUPERSEDED)
    closing = Closing.parse(tags.get(Tag.CLOSED))
    if closing and closing.resource == claim.resource:
        return Verdict(Standing.SUPERSEDED)
    hours = Mark.parse(tags.get(Tag.HOURS))
    if hours and hours.request_id == claim.request_id:
        held = hours.under == request.request_id
        return Verdict(Standing.HELD if held else Standing.SUPERSEDED, hours)
    # Nobody answers for a request whose time is over: a deploy that ended without a word blocks no schedule.
    at_work = claim.issued - request.issued < timedelta(seconds=SERVICE_TIMEOUT_MAX)
    if (
        not request.has_hours
        or (not request.state.settled and at_work)
        or (request.state is State.FAILED and claim.type == Scheduled.START)
        or (hours and _is_later(hours, claim))
    ):
        return Verdict(Standing.SUPERSEDED)
    return Verdict(Standing.FREE, hours_of(tags))


def _is_later(hours: Mark, claim: Claim) -> bool:
    """Say whether another schedule was due after this one; of two of one second the stop is the later."""
    return (hours.issued, hours.type == Scheduled.STOP) > (claim.issued, claim.type == Scheduled.STOP)


def judge_release(tags: Mapping[str, str], claim: Claim) -> Verdict:
    """Say where a request that gives the model up (a Delete, or a rollback) stands with it."""
    closing = Closing.parse(tags.get(Tag.CLOSED))
    if closing and closing.request_id == claim.request_id and Tag.STACK not in tags:
        return Verdict(Standing.RELEASED)
    if tags.get(Tag.STACK) is None:
        return Verdict(Standing.UNOWNED)
    if not owns(tags, claim) or not declared_as(tags, claim.identity):
        return Verdict(Standing.RELEASED)
    if closing and closing.request_id == claim.request_id:
        # Whoever wrote the mark, while the model is closed nobody but this request can act on it.
        return Verdict(Standing.HELD, Mark.parse(tags.get(Tag.REQUEST)))
    return _among_own(Mark.parse(tags.get(Tag.REQUEST)), claim)


def _among_own(mark: Mark | None, claim: Claim) -> Verdict:
    if mark is None:
        return Verdict(Standing.FREE)
    if mark.request_id == claim.request_id:
        return Verdict(Standing.HELD, mark)
    if mark.issued > claim.issued:
        return Verdict(Standing.SUPERSEDED)
    if (
        mark.issued == claim.issued
        and claim.type != "Delete"
        and (mark.type == "Delete" or mark.state is State.DONE)
    ):
        # Made in the same second. A Delete is the last word, and what is done was not asked for earlier.
        return Verdict(Standing.SUPERSEDED)
    return Verdict(Standing.FREE, mark)


def _owned_by(tags: Mapping[str, str]) -> str:
    return f"it is owned by {tags.get(Tag.LOGICAL_ID, 'a resource')} of stack {tags[Tag.STACK]}"
