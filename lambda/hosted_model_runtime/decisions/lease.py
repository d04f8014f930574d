"""PURE: who commands a model, read from its tags.

In come a model's tags and a claim (a request, and the model that it is about). Out comes a verdict: what the
request may do with the model; or the tags to write. Nothing here calls a service.

========================================  ==============================================================
tag                                       says
========================================  ==============================================================
``hosted-model:stack``, ``:logical-id``   the owner: a resource of a stack
``hosted-model:request``                  the mark of the request that commands the model (``marks.py``)
``hosted-model:hours``                    the mark of the last scheduled start or stop (``lease_hours.py``)
``hosted-model:closed``                   a Delete has let go: an older request that Lambda delivers late
                                          must start nothing
``hosted-model:former-logical-id``,       which other resource of the same stack had the model before, and
``:former-request``                       its last mark: a construct that is renamed takes the model over,
                                          and a rollback gives it back
========================================  ==============================================================

The function's policy has conditions on these tags, so that the service itself keeps the lease: it refuses to
tag, start or stop a model that carries another stack's ``hosted-model:stack``, and to start one that this
stack has closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from ..contract import SERVICE_TIMEOUT_MAX, Tag
from . import lease_hours
from .marks import Closing, Mark, State
from .model import ACTIVE, Phase
from .request import Claim
from .tokens import fingerprint

#: For how long after a rename a Delete counts as its rollback. A stack's operation hardly lasts a day.
RETURN_WITHIN = timedelta(hours=36)

#: "Maximum number of tags for each resource": 50, for every service that there is.
TAGS_MAX = 50


class Standing(Enum):
    """Where a request stands with a model."""

    HELD = "held"  # it commands the model
    FREE = "free"  # it may take command
    BUSY = "busy"  # another resource of the stack is giving the model up: look again
    SUPERSEDED = "superseded"  # a later request commands it: end without an answer
    FOREIGN = "foreign"  # somebody else's: touch nothing
    RELEASED = "released"  # this Delete has let go already, or it has nothing here to let go of
    UNOWNED = "unowned"  # nobody owns the model
    MOVED = "moved"  # another resource of the same stack owns the model


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a request stands; the owner's last mark, ours or another request's; why the model is foreign.

    ``closed``: because another stack has had the model, and let go of it.
    """

    standing: Standing
    mark: Mark | None = None
    reason: str = ""
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Former:
    """The resource of the same stack that had the model before its owner, and that one's last mark."""

    logical_id: str
    mark: Mark


# --- reading ------------------------------------------------------------------------------------------------


def is_own_stacks(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether a resource of the claim's stack owns the model."""
    return tags.get(Tag.STACK) == claim.request.stack_id


def owns(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether the claim's resource owns the model."""
    return is_own_stacks(tags, claim) and tags.get(Tag.LOGICAL_ID) == claim.request.logical_id


def owns_as_declared(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether the resource owns the model, or was its last owner, under the name that it declares."""
    mark = Mark.parse(tags.get(Tag.REQUEST)) if owns(tags, claim) else own_former_mark(tags, claim)
    return is_own_stacks(tags, claim) and mark is not None and mark.declared_as == claim.declared_as


def has_other_name(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether the resource owns the model under another physical ID: another name of the same model."""
    mark = Mark.parse(tags.get(Tag.REQUEST))
    return owns(tags, claim) and mark is not None and mark.declared_as != claim.declared_as


def former_of(tags: Mapping[str, str]) -> Former | None:
    """Return the resource that had the model before its owner; None: the tags name no other."""
    logical_id, mark = tags.get(Tag.FORMER_LOGICAL_ID), Mark.parse(tags.get(Tag.FORMER_REQUEST))
    if logical_id is None or mark is None or logical_id == tags.get(Tag.LOGICAL_ID):
        return None
    return Former(logical_id, mark)


def other_owner(tags: Mapping[str, str], claim: Claim) -> Former | None:
    """Return the resource of the stack that has the model, if it is another one than the claim's."""
    mark = Mark.parse(tags.get(Tag.REQUEST))
    others = is_own_stacks(tags, claim) and not owns(tags, claim)
    return Former(tags.get(Tag.LOGICAL_ID, ""), mark) if others and mark else None


def own_former_mark(tags: Mapping[str, str], claim: Claim) -> Mark | None:
    """Return the last mark of the claim's resource, if it is noted as the former owner."""
    former = former_of(tags)
    return former.mark if former and former.logical_id == claim.request.logical_id else None


def own_closing(tags: Mapping[str, str], claim: Claim) -> Closing | None:
    """Return the closing tag, if a Delete of the claim's resource has left it."""
    return _closing_of(tags, claim.resource)


def _closing_of(tags: Mapping[str, str], resource: str) -> Closing | None:
    closing = Closing.parse(tags.get(Tag.CLOSED))
    return closing if closing and closing.resource == resource else None


def is_gone_too(former: Former, tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether the former owner is deleted: its Delete has noted that, or closed the model."""
    if former.mark.state is State.RELEASED:
        return True
    theirs = _closing_of(tags, fingerprint(claim.request.stack_id, former.logical_id))
    return theirs is not None and theirs.issued >= former.mark.issued


def was_taken(tags: Mapping[str, str]) -> bool:
    """Say whether another resource of the stack took the model, and a call under way wrote over its mark.

    Who takes a model notes its owner as the former one: only such a call makes the owner its own former.
    """
    logical_id = tags.get(Tag.FORMER_LOGICAL_ID)
    return logical_id is not None and logical_id == tags.get(Tag.LOGICAL_ID)


def came_back_lately(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether a Delete gave the model back, and its resource then took it without noting from whom.

    It had read tags from before that. The resource that had it in between is deleted next, as after any
    rename.
    """
    mark = _released(tags)
    if mark is None or not was_taken(tags):
        return False
    return claim.request.issued - mark.issued < timedelta(seconds=SERVICE_TIMEOUT_MAX)


def _released(tags: Mapping[str, str]) -> Mark | None:
    """Return the mark with which a Delete has noted that its resource is gone, if one has."""
    mark = Mark.parse(tags.get(Tag.FORMER_REQUEST))
    return mark if mark and mark.state is State.RELEASED else None


def is_another_stacks(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether another stack owns the model."""
    return Tag.STACK in tags and not is_own_stacks(tags, claim)


def own_mark(tags: Mapping[str, str], claim: Claim) -> Mark | None:
    """Return the mark that the claim's own request has in the tags, if any."""
    mark = Mark.parse(tags.get(Tag.HOURS if claim.request.scheduled else Tag.REQUEST))
    return mark if mark and owns(tags, claim) and mark.request_id == claim.request.request_id else None


def closed_by_stack(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether this stack has closed the model: it may write no tags until the closing tag is removed."""
    closing = Closing.parse(tags.get(Tag.CLOSED))
    return closing is not None and closing.stack == claim.stack


def closed_by_request(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether the closing tag is of this very request."""
    closing = Closing.parse(tags.get(Tag.CLOSED))
    return closing is not None and closing.request_id == claim.request.request_id


def is_in_flight(tags: Mapping[str, str], before: Mark | None) -> bool:
    """Say whether the superseded request, or a schedule that acts under it, may have a call under way."""
    return before is not None and (not before.state.settled or lease_hours.is_at_work(tags, before))


def keys_to_reopen(tags: Mapping[str, str], claim: Claim) -> list[str]:
    """Return the tags to remove from a model that this stack has closed, before it is taken again.

    The former owner goes with them if it is the one that closed the model, or does not show: another delivery
    of this request may have read the tags from before that Delete, and noted who was deleted by it.
    """
    closing, former = Closing.parse(tags.get(Tag.CLOSED)), former_of(tags)
    if former and closing and closing.resource != fingerprint(claim.request.stack_id, former.logical_id):
        return [Tag.CLOSED]
    return [Tag.CLOSED, Tag.FORMER_LOGICAL_ID, Tag.FORMER_REQUEST]


def misses_update(before: Mark | None, claim: Claim) -> bool:
    """Say whether this update follows one whose mark a read does not show, or that wrote none.

    CloudFormation says what the one before wanted. If the last mark wanted something else, that one was
    cancelled, and it may be at work.
    """
    request = claim.request
    if before is None or before.request_id == request.request_id or not before.units or not request.old_units:
        return False
    same = request.old_model == request.model and request.old_service == request.service
    return same and before.units != str(request.old_units)


def is_behind(tags: Mapping[str, str], written: Mark, claim: Claim) -> bool:
    """Say whether a read may be out of date: it shows less than this request wrote, and no later request.

    The services do not promise how soon a tag that was written can be read.
    """
    # Only what this resource has let go of is news, perhaps by another delivery of this request. What another
    # one has noted may be older than what this request wrote.
    for later in (own_closing(tags, claim), own_former_mark(tags, claim)):
        if later and later.issued >= written.issued:
            return False
    shown = Mark.parse(tags.get(Tag.HOURS if claim.request.scheduled else Tag.REQUEST))
    if shown is None:
        return True
    if shown.request_id == written.request_id:
        # Of two deliveries one may have failed and the other not. Which mark is the later one shows in time.
        differ = written.state.settled and shown.state is not written.state
        return differ or shown.progress < written.progress
    return shown.issued < written.issued


# --- hosting ------------------------------------------------------------------------------------------------


def judge(tags: Mapping[str, str], claim: Claim, phase: Phase) -> Verdict:
    """Say where a request that wants to host the model stands with it."""
    if claim.request.scheduled:
        return _judge_schedule(tags, claim)
    if (own := own_closing(tags, claim)) and own.issued >= claim.request.issued:
        return Verdict(Standing.SUPERSEDED)
    if Tag.STACK in tags:
        if not is_own_stacks(tags, claim):
            return Verdict(Standing.FOREIGN, reason=_owned_by(tags))
        if is_gone(tags, claim):
            return Verdict(Standing.SUPERSEDED)
        if not owns(tags, claim):
            return _judge_move(tags, claim)
        return _among_own(Mark.parse(tags.get(Tag.REQUEST)), claim)
    closing = Closing.parse(tags.get(Tag.CLOSED))
    if closing and closing.issued >= claim.request.issued:
        # Somebody let go after this request was made: this is a late delivery, or it lost a race. The tag may
        # be another stack's even if our own stack had closed the model too: the later one wrote over it.
        reason = "another stack gave it up after this request was made"
        return Verdict(Standing.FOREIGN, reason=reason, closed=True)
    if phase in ACTIVE and not claim.request.adopts:
        return Verdict(Standing.FOREIGN, reason=f"it is {phase.value} and no stack owns it")
    return Verdict(Standing.FREE)


def is_gone(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether the resource's own Delete has noted that it is gone; it may not have seen this request."""
    mark, resource = _released(tags), tags.get(Tag.FORMER_LOGICAL_ID)
    return mark is not None and resource == claim.request.logical_id and mark.issued >= claim.request.issued


def has_left(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether this very request has noted that its resource is gone."""
    mark = _released(tags)
    return mark is not None and mark.request_id == claim.request.request_id


def has_let_go(tags: Mapping[str, str], claim: Claim) -> bool:
    """Say whether this very request closed the model, or noted that its resource is gone."""
    return has_left(tags, claim) or (Tag.STACK not in tags and closed_by_request(tags, claim))


def _judge_move(tags: Mapping[str, str], claim: Claim) -> Verdict:
    """Say where a request stands with a model of another resource of its stack: a construct was renamed.

    If the owner's mark is older than this request, an earlier deploy left it, and the request may take over.
    If it is younger, this is a late delivery, or two resources declare the same model: it may not.
    """
    request, mark, mine = claim.request, Mark.parse(tags.get(Tag.REQUEST)), own_former_mark(tags, claim)
    if mark is None:
        return Verdict(Standing.FREE)
    if mark.state.letting_go:
        return Verdict(Standing.BUSY, mark)
    if mark.issued < request.issued:
        return Verdict(Standing.FREE, mark)
    if mine and (
        mine.issued > request.issued or (mine.request_id == request.request_id and mine.state.settled)
    ):
        return Verdict(Standing.SUPERSEDED)
    return Verdict(Standing.FOREIGN, reason=_owned_by(tags))


def _judge_schedule(tags: Mapping[str, str], claim: Claim) -> Verdict:
    """Say where a scheduled start or stop stands; a request of CloudFormation always goes before it."""
    request, hours = Mark.parse(tags.get(Tag.REQUEST)), Mark.parse(tags.get(Tag.HOURS))
    if not owns(tags, claim) or request is None or request.declared_as != claim.declared_as:
        return Verdict(Standing.SUPERSEDED)
    if own_closing(tags, claim):
        return Verdict(Standing.SUPERSEDED)
    if hours and hours.request_id == claim.request.request_id:
        held = hours.under == request.request_id
        return Verdict(Standing.HELD if held else Standing.SUPERSEDED, hours)
    if not lease_hours.may_act(tags, claim, request):
        return Verdict(Standing.SUPERSEDED)
    return Verdict(Standing.FREE, lease_hours.hours_of(tags))


def _among_own(mark: Mark | None, claim: Claim) -> Verdict:
    """Say where a request stands with a model that its own resource owns."""
    request = claim.request
    if mark is None:
        return Verdict(Standing.FREE)
    if mark.request_id == request.request_id:
        return Verdict(Standing.HELD, mark)
    if mark.issued > request.issued:
        return Verdict(Standing.SUPERSEDED)
    if (
        mark.issued == request.issued
        and request.type != "Delete"
        and (mark.type == "Delete" or mark.state is State.DONE)
    ):
        # In the same second a Delete wins; otherwise a finished request wins.
        return Verdict(Standing.SUPERSEDED)
    return Verdict(Standing.FREE, mark)


def _owned_by(tags: Mapping[str, str]) -> str:
    return f"it is owned by {tags.get(Tag.LOGICAL_ID, 'a resource')} of stack {tags[Tag.STACK]}"


# --- letting go ---------------------------------------------------------------------------------------------


def judge_release(tags: Mapping[str, str], claim: Claim) -> Verdict:
    """Say where a request that gives the model up (a Delete, or a rollback) stands with it."""
    is_ours = closed_by_request(tags, claim)
    if Tag.STACK not in tags:
        return Verdict(Standing.RELEASED if is_ours else Standing.UNOWNED)
    if not is_own_stacks(tags, claim):
        return Verdict(Standing.FOREIGN)
    mark = Mark.parse(tags.get(Tag.REQUEST))
    if not owns(tags, claim):
        mine = own_former_mark(tags, claim)
        later = mine and mine.state is not State.RELEASED and mine.issued > claim.request.issued
        return Verdict(Standing.SUPERSEDED) if later else Verdict(Standing.MOVED, mark)
    if mark is None or mark.declared_as != claim.declared_as:
        return Verdict(Standing.RELEASED)
    if is_ours and mark.issued <= claim.request.issued:
        # Even if the mark is another request's: this one has closed the model, so that one cannot act on it.
        return Verdict(Standing.HELD, mark)
    return _among_own(mark, claim)


def must_return(former: Former | None, owner: Mark, claim: Claim) -> bool:
    """Say whether a Delete must give the model back to the resource of the same stack that had it before.

    When CloudFormation rolls back a rename, it deletes the new resource and sends nothing to the old one.
    When the rename succeeds, it deletes the old one, whose Delete sets the old mark to RELEASED.
    """
    if former is None or former.mark.state is State.RELEASED:
        return False
    return claim.request.issued - owner.issued < RETURN_WITHIN


def lacks_room(tags: Mapping[str, str]) -> str:
    """Say what is wrong with a model on which not all tags of the lease have room; else nothing.

    Without the closing tag a Delete could not let go of it safely.
    """
    own = len(set(tags) - set(Tag.ALL))
    if own + len(Tag.ALL) <= TAGS_MAX:
        return ""
    most = TAGS_MAX - len(Tag.ALL)
    return (
        f"must have at most {most} tags beside the {len(Tag.ALL)} of its lease, but it has {own}: remove some"
    )


# --- writing ------------------------------------------------------------------------------------------------


def first_mark(claim: Claim, tags: Mapping[str, str], before: Mark | None, units: str = "") -> Mark:
    """Return the mark with which a request takes the lease.

    A model that runs on keeps its HostedAt, and every model what is remembered of its last start.
    """
    asked, request = claim.request, Mark.parse(tags.get(Tag.REQUEST))
    last = lease_hours.hours_of(tags) or (request if asked.scheduled else before)
    hosted_at = last.hosted_at if last else ""
    mark = Mark(asked.issued, asked.type, asked.request_id, State.HELD, claim.declared_as, hosted_at, units)
    for found in (last, before):
        if found and found.last_start.seconds:
            mark = replace(mark, last_start=replace(found.last_start, sent=None))
            break
    if asked.scheduled and request:
        return replace(mark, units=request.units, under=request.request_id)
    return replace(mark, has_hours=asked.has_hours)


def owner_tags(claim: Claim, mark: Mark) -> dict[str, str]:
    """Return the tags that carry a mark. A schedule writes no owner: it never claims a model."""
    if claim.request.scheduled:
        return {Tag.HOURS: str(mark)}
    return {
        Tag.STACK: claim.request.stack_id,
        Tag.LOGICAL_ID: claim.request.logical_id,
        Tag.REQUEST: str(mark),
    }


def former_tags(tags: Mapping[str, str], claim: Claim) -> dict[str, str]:
    """Return the tags about the former owner that go with taking the lease.

    They are for a rename's rollback. If another resource of the stack had the model, they say what to give
    back. If an earlier request of the same resource had it, the deploy with the rename is over, and an update
    sets the former owner's mark to RELEASED.
    """
    mark, former = Mark.parse(tags.get(Tag.REQUEST)), former_of(tags)
    if claim.request.scheduled or mark is None or not is_own_stacks(tags, claim):
        return {}
    if not owns(tags, claim):
        mark = mark.at(*_condition(tags, mark))
        return {Tag.FORMER_LOGICAL_ID: tags[Tag.LOGICAL_ID], Tag.FORMER_REQUEST: str(mark)}
    if claim.request.type == "Update" and former and former.mark.state is not State.RELEASED:
        return {Tag.FORMER_REQUEST: str(former.mark.at(State.RELEASED))}
    return {}


def _condition(tags: Mapping[str, str], mark: Mark) -> tuple[State, str]:
    """Return the state and HostedAt of an owner's model, after what its schedules have done since."""
    hours = lease_hours.hours_of(tags)
    if hours is None or not mark.state.settled:
        return mark.state, mark.hosted_at
    return (State.ASLEEP if lease_hours.is_asleep(tags) else State.DONE), hours.hosted_at or mark.hosted_at


def released_tags(claim: Claim) -> dict[str, str]:
    """Return the tags that say that a resource is gone, whose model another one of its stack owns now.

    A late delivery of an older request of that resource then does not take the model back.
    """
    mark = first_mark(claim, {}, None).at(State.RELEASED)
    return {Tag.FORMER_LOGICAL_ID: claim.request.logical_id, Tag.FORMER_REQUEST: str(mark)}


def returning_tags(claim: Claim, former: Former, runs: bool, hosted_at: str) -> dict[str, str]:
    """Return the tags that give the model back: the former owner's mark as it was, and ours as RELEASED."""
    state = former.mark.state
    if not state.settled or (runs and state.asleep):
        state = State.DONE if runs else State.FAILED
    mark = former.mark.at(state, hosted_at or former.mark.hosted_at)
    return {**released_tags(claim), Tag.LOGICAL_ID: former.logical_id, Tag.REQUEST: str(mark)}


def closing_tag(claim: Claim) -> dict[str, str]:
    """Return the tag that a request leaves on a model when it lets go of it."""
    request = claim.request
    return {Tag.CLOSED: str(Closing(request.issued, request.request_id, claim.resource, claim.stack))}
