"""The words of the table of moves. Each stands for one value, so that the page says what the test asserts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hosted_model_runtime.contract import Attribute, Scheduled, Tag
from hosted_model_runtime.decisions import moves
from hosted_model_runtime.decisions.ends import Done, End, Failed, Superseded
from hosted_model_runtime.decisions.marks import Closing, Mark, State, stamp
from hosted_model_runtime.decisions.model import Observed, Phase, Resizing, Sighting, Units
from hosted_model_runtime.decisions.moves import (
    CALL_SECONDS,
    READS_BEHIND_SECONDS,
    Failing,
    Goal,
    Progress,
    StartCall,
    Task,
    View,
)
from hosted_model_runtime.decisions.request import Claim, Request
from hosted_model_runtime.decisions.tokens import fingerprint

#: When the request was issued; its next move is asked for at NOW, epoch seconds.
ISSUED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NOW = ISSUED.timestamp() + 100
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
STACK, OTHER_STACK = "stack/Mine/uuid-1", "stack/Theirs/uuid-2"
#: The resource that asks, and another one of its stack.
NAME, OTHER = "Model", "Other"
HOSTED_AT, PHYSICAL_ID, ARN = "20260304T040000Z", "service/model/1", "arn:model"
DECLARED = fingerprint(PHYSICAL_ID)
FAILURE = Failed("as it remembers", "QUOTA")


@dataclass(frozen=True)
class Said:
    """A value, and what the page calls it."""

    words: str
    value: Any

    def but(self, words: str, **changed: Any) -> Said:
        """The same with other members and more words."""
        return Said(f"{self.words}, {words}", replace(self.value, **changed))


@dataclass(frozen=True)
class Who:
    """A request for one model, and the marks that it writes."""

    words: str
    task: Task

    def mark(self, state: State, hosted_at: str = "", **changed: Any) -> Mark:
        asked = self.task.claim.request
        units = "" if self.task.goal is Goal.RELEASE else str(asked.units)
        mark = Mark(asked.issued, asked.type, asked.request_id, state, DECLARED, hosted_at, units)
        under = {"under": "request-1"} if asked.scheduled else {"has_hours": asked.has_hours}
        return replace(mark, **under, **changed)

    def wrote(self, state: State, ago: float = 1, **changed: Any) -> Said:
        """What it remembers that wrote this mark ``ago`` seconds before."""
        when = f" {ago:.0f} s ago" if ago > 1 else ""
        return Said(f"wrote `{state.value}`{when}", Progress(self.mark(state, **changed), NOW - ago))

    def tags(self, state: State, **changed: Any) -> Said:
        """Its own mark in the tags."""
        mark = self.mark(state, **changed)
        words = f"its mark `{state.value}`" + (f", attempt {mark.attempt}" if mark.attempt > 1 else "")
        if self.task.claim.request.scheduled:
            return Said(words, {**DEPLOYED.value, Tag.HOURS: str(mark)})
        return Said(words, owned(mark))


def who(
    words: str,
    kind: str,
    *,
    replaces: bool = False,
    in_place: bool = False,
    fenced: bool = True,
    came_late: bool = False,
    goal: Goal | None = None,
    **changed: Any,
) -> Who:
    request = Request(kind, "request-2", STACK, NAME, "service", {}, Units(1), ISSUED)
    goal = goal or (Goal.RELEASE if kind == "Delete" else Goal.HOST)
    if kind == "Delete":
        changed.setdefault("physical_id", PHYSICAL_ID)
    claim = Claim(replace(request, **changed), DECLARED)
    return Who(words, Task(claim, goal, "HOSTED", "TRAINED", replaces, in_place, fenced, came_late))


# --- what it remembers --------------------------------------------------------------------------------------

NOTHING = Said("nothing", Progress())


def accepted(remembers: Said) -> Said:
    return remembers.but("Start accepted", start=StartCall.ACCEPTED)


def lost(remembers: Said) -> Said:
    return remembers.but("Start's answer lost", start=StartCall.LOST)


def quiet(remembers: Said, seconds: float) -> Said:
    """``seconds`` from now on, or before now, a call of the superseded request could still land."""
    words = f"quiet for {seconds:.0f} s more" if seconds > 0 else "was quiet"
    return remembers.but(words, not_before=NOW + seconds, in_doubt=True)


def first_read(remembers: Said, ago: float) -> Said:
    """It first read the tags ``ago`` seconds before."""
    return remembers.but(f"first read {ago:.0f} s ago", read_since=NOW - ago)


def amiss(remembers: Said, ago: float) -> Said:
    """Since then it has seen what another request may explain."""
    return remembers.but(f"first saw it so {ago} s ago", amiss=NOW - ago)


def claimed(remembers: Said, ago: float, lag: float = 0) -> Said:
    """It took a model that no stack owned ``ago`` seconds before."""
    reads = f", and reads were {lag:.0f} s behind" if lag else ""
    return remembers.but(f"took what no stack owned {ago:.0f} s ago{reads}", claimed=NOW - ago, lag=lag)


def contested(remembers: Said, ago: float) -> Said:
    """A read showed ``ago`` seconds before that another stack owns the model."""
    return remembers.but(f"saw it as another stack's {ago:.0f} s ago", contested=NOW - ago)


def rest(seconds: float, parting: bool = False) -> moves.Pause:
    return moves.Pause(idle=True, until=NOW + seconds, parting=Superseded() if parting else None)


def reopened(remembers: Said, ago: float) -> Said:
    """It removed this stack's closing tag ``ago`` seconds before."""
    return remembers.but(f"removed a closing tag {ago:.0f} s ago", reopened=NOW - ago)


def failing(remembers: Said, since: float = 1) -> Said:
    words = f"failing for {since:.0f} s" if since > 1 else "failing"
    return remembers.but(words, failing=Failing(FAILURE, NOW - since))


def late(remembers: Said) -> Said:
    return remembers.but("its deadline is over", failing=Failing(FAILURE, NOW, aborts=True))


# --- what it sees -------------------------------------------------------------------------------------------

NOT_LOOKED = Said("not yet", View())
ACTED = Said("not since its call", View(acted=True))
TOOK = Said("not since it took the lease", View(took=True))


def sees(phase: Phase, units: int = 1, took: bool = False) -> Said:
    """A model in this phase, with one unit, as declared, or with others."""
    observed = Observed(phase, "the model", phase.name, min_units=units)
    sighting = Sighting(observed, "" if phase is Phase.ABSENT else ARN, "1", {})
    words = (
        phase.name + (", other units" if units != 1 else "") + (", it just took the lease" if took else "")
    )
    return Said(words, View(sighting, took=took))


def resizing(to: int, words: str, *, ago: float = 10, **changed: Any) -> Said:
    """A model that serves with one unit, and the service's last change of its units."""
    last = Resizing(Units(to), NOW - ago, **changed)
    observed = Observed(Phase.RUNNING, "the model", "RUNNING", min_units=1, resizing=last)
    return Said(f"RUNNING, one unit; {words}", View(Sighting(observed, ARN, "1", {})))


# --- what the tags say --------------------------------------------------------------------------------------

UNREAD = Said("not read", None)
NOBODY = Said("nobody owns it", {})


def owned(mark: Mark, logical_id: str = NAME, stack: str = STACK) -> dict[str, str]:
    return {Tag.STACK: stack, Tag.LOGICAL_ID: logical_id, Tag.REQUEST: str(mark)}


def earlier(state: State, **changed: Any) -> Mark:
    """The mark of an earlier request of some resource."""
    hosted_at = HOSTED_AT if state in (State.DONE, State.ASLEEP) else ""
    return replace(Mark(ISSUED - HOUR, "Create", "request-1", state, DECLARED, hosted_at, "1"), **changed)


def before(state: State, **changed: Any) -> Said:
    return Said(f"an earlier request's mark `{state.value}`", owned(earlier(state, **changed)))


THEIRS = Said("another stack owns it", owned(earlier(State.DONE), stack=OTHER_STACK))
LATER = Said(
    "a later request's mark",
    owned(Mark(ISSUED + SECOND, "Delete", "request-3", State.RELEASING, DECLARED)),
)
DEPLOYED = Said("deployed with hours", owned(earlier(State.DONE, has_hours=True)))


def hours(kind: str, state: State, issued: datetime = ISSUED - SECOND) -> Said:
    """A schedule left this mark, under the request that commands the model."""
    mark = Mark(issued, kind, "schedule-1", state, DECLARED, HOSTED_AT, "1", under="request-1")
    when = " of the same second" if issued == ISSUED else " of a second later" if issued > ISSUED else ""
    words = f"deployed with hours, their last {kind.lower()}{when} `{state.value}`"
    return Said(words, {**DEPLOYED.value, Tag.HOURS: str(mark)})


def mark_of(tags: Said) -> Mark | None:
    """The mark that :func:`hours` put there."""
    return Mark.parse(tags.value[Tag.HOURS])


def hosted_ago(request: Who, state: State, ago: float) -> Said:
    """Its mark, which tells that the model was hosted so many seconds before."""
    hosted_at = stamp(datetime.fromtimestamp(NOW - ago, UTC))
    words = f"its mark `{state.value}`, hosted {ago:.0f} s ago"
    return Said(words, request.tags(state, hosted_at=hosted_at).value)


def closed(words: str, after: timedelta, logical_id: str = NAME, stack: str = STACK) -> Said:
    """Nobody owns it; whoever let go was asked to ``after`` this request was issued."""
    claim = who("", "Delete", logical_id=logical_id, stack_id=stack).task.claim
    return Said(
        f"closed by {words}",
        {Tag.CLOSED: str(Closing(ISSUED + after, "request-9", claim.resource, claim.stack))},
    )


def other(mark: Mark, words: str) -> Said:
    """Another resource of the stack owns it."""
    return Said(f"`{OTHER}` owns it: {words}", owned(mark, OTHER))


MOVED_LATER = other(
    Mark(ISSUED + SECOND, "Create", "request-3", State.DONE, DECLARED, HOSTED_AT, "1"), "it took it later"
)


def formerly(tags: Said, mark: Mark, logical_id: str, words: str = "") -> Said:
    """The same, and this resource had the model before."""
    more = {Tag.FORMER_LOGICAL_ID: logical_id, Tag.FORMER_REQUEST: str(mark)}
    said = words or f"`{mark.state.value}`"
    return Said(f"{tags.words}; before it `{logical_id}`, {said}", tags.value | more)


# --- the moves ----------------------------------------------------------------------------------------------


def take(
    mark: Mark, was: Mark | None = None, more: Mapping[str, str] | None = None, **how: bool
) -> moves.Take:
    return moves.Take(mark, more or {}, was, how.get("reopens", False), how.get("in_flight", False))


def answers(request: Who, status: str, hosted_at: str = HOSTED_AT) -> moves.Finish:
    names = (Attribute.MODEL_ARN, Attribute.MODEL_VERSION, Attribute.STATUS, Attribute.HOSTED_AT)
    return moves.Finish(Done(dict(zip(names, (ARN, "1", status, hosted_at), strict=True))))


def fails(reason: str, code: str = "OTHER") -> moves.Finish:
    """The end with a Reason that has these words."""
    return moves.Finish(Failed(reason, code))


def in_words(move: moves.Move) -> str:
    """Say a move as the page does."""
    pause = f", then {READS_BEHIND_SECONDS + CALL_SECONDS:.0f} s of quiet"
    match move:
        case moves.Take():
            return _taking(move) + (pause if move.in_flight else "")
        case moves.Note(mark, is_quiet):
            return f"write `{mark.state.value}`" + (pause if is_quiet else "")
        case moves.Retry(mark):
            return f"note attempt {mark.attempt}, then {Scheduled.RETRY_SECONDS:.0f} s of quiet"
        case moves.Start(units):
            return f"**Start**, {_units(units)}"
        case moves.Resize(units):
            return f"**Resize** in place, {_units(units)}"
        case moves.WriteTags(tags, end, wait):
            given = Mark.parse(tags.get(Tag.REQUEST))
            if given and given.state is State.FAILED:
                return f"take the lease again as `failed`; {_end(end)}"
            what = (
                f"give the lease back as `{given.state.value}`"
                if given
                else "write that this resource is gone"
            )
            return what + (f", then {wait:.0f} s of quiet" if wait else f"; {_end(end)}")
        case moves.LetGo(Superseded()):
            return "remove its mark; end in silence"
        case moves.Close(reopens):
            return ("remove the closing mark, then " if reopens else "") + "leave a closing mark"
        case moves.Finish(end):
            return _end(end)
        case moves.Pause(_, until, parting) if until:
            most = ", or to the end of the invocation" if parting else ""
            return f"do nothing for {until - NOW:.0f} s{most}"
        case moves.Pause(idle, _, parting):
            most = "; done at the end of the invocation" if parting else ""
            return ("wait" if idle else "look again soon") + most
    return _PLAIN[type(move)]


def _units(units: Units) -> str:
    return f"{units} unit{'' if str(units) == '1' else 's'}"


_PLAIN: Mapping[type, str] = {
    moves.Look: "look",
    moves.ReadTags: "read the tags",
    moves.AskFormer: "ask about the old model",
    moves.Stop: "**Stop**",
    moves.Reopen: "remove the closing mark",
    moves.Fail: "fail: note it first",
    moves.LetGo: "remove the lease; done",
}


def _taking(move: moves.Take) -> str:
    first = "remove the closing mark, then take the lease" if move.reopens else "take the lease"
    words = f"{first}: `{move.mark.state.value}`"
    if Tag.CLOSED in move.more:
        return f"{words}, closing it"
    if Tag.FORMER_LOGICAL_ID in move.more:
        return f"{words}, noting who had it"
    return f"{words}, nothing is given back any more" if move.more else words


def _end(end: End) -> str:
    match end:
        case Done():
            return "done"
        case Failed(reason):
            return f"fail: {reason}"
    return "end in silence"
