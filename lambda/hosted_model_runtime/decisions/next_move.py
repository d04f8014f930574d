"""PURE: the next move of a request for one model. The whole story is here, from the first look to the end.

    next_move(task, progress, view, now) -> Move

In come ``task``, what the request wants of the model; ``progress``, all that it remembers; ``view``, what it
knows of the model in this cycle; and ``now``, epoch seconds. Out comes one move.
``invocation/leased_model.py`` carries it out and asks again, until the move is :class:`Pause` or
:class:`Finish`.

A function that is killed, run twice or run late begins here again, with less ``progress``. It gets the right
move all the same, because everything that must not be forgotten is in the lease.

Four rules always hold:

- The lease is read before every step, and a step is written into the lease before it is taken. A read that
  shows what was written shows all that others wrote before it.
- A read that shows less than this request wrote is out of date, and not news: read again.
- A read before this request's first write may be out of date as well. So "it is somebody else's" is
  believed only after a wait, and an event that Lambda delivers late writes nothing before it.
- While a call of the superseded request may still land, do nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..contract import Attribute, Metric, Scheduled, Tag
from . import lease, lease_hours, steps
from .ends import Done, End, Failed, Superseded
from .lease import Standing, Verdict
from .marks import Closing, Mark, State, stamp_of, unstamp
from .model import ACTIVE, Phase, Sighting, Units
from .moves import (
    CALL_SECONDS,
    AskFormer,
    Close,
    Fail,
    Failing,
    Finish,
    Goal,
    LetGo,
    Look,
    Move,
    Note,
    Pause,
    Progress,
    ReadTags,
    Reopen,
    Resize,
    Retry,
    Start,
    StartCall,
    Stop,
    Take,
    Task,
    View,
    WriteTags,
)
from .request import Claim
from .steps import Running, Stopped, Wait

#: For how long to try to note a failure in the lease. After that it is answered without the note.
NOTING_SECONDS = 60.0
STRIPPED = "the model's hosted-model: tags were removed while this request commanded it"
REPORTED = "this request was reported as failed before; the function's log has the reason"


def next_move(task: Task, progress: Progress, view: View, now: float) -> Move:
    """Return the next move; the module's docstring says what comes in."""
    if view.hosted_too:
        # A rollback undoes another name of the model that it hosts: there is nothing to let go of.
        return Finish(Done())
    if progress.failing:
        return _fail(task, progress, progress.failing, view, now)
    if now < progress.not_before:
        return Pause(idle=True, until=progress.not_before)
    move = _towards_goal(task, progress, view, now)
    unsure = _is_late(task, progress, now) or _may_be_another_version(task, progress, now)
    return _rest(task, progress) if unsure and _acts(move) else move


def _towards_goal(task: Task, progress: Progress, view: View, now: float) -> Move:
    seen = view.seen
    if seen is None and not view.acted:
        return Look()
    if task.goal is Goal.RELEASE:
        return _release(task, progress, seen, view, now) if seen else Pause()
    if seen is None:
        return _note_start(task, progress, view) or Pause()
    return _host(task, progress, seen, view, now)


# --- hosting ------------------------------------------------------------------------------------------------


def _host(task: Task, progress: Progress, seen: Sighting, view: View, now: float) -> Move:
    claim, mark = task.claim, progress.mark
    step = _step(task, progress, seen, {}, now)
    if mark and view.tags is None and isinstance(step, Wait) and not progress.in_doubt:
        return _note_start(task, progress, view) or Pause(idle=True)
    if not seen.arn:
        return Finish(_without_model(claim, step))
    if view.tags is None:
        return ReadTags()
    if _reads_are_behind(task, progress, view.tags, now):
        return Pause()
    verdict = _judge(task, progress, view)
    match verdict.standing:
        case Standing.HELD if lease.closed_by_stack(view.tags, claim):
            # A second delivery of an earlier Delete closed it, after this request had taken the lease.
            return Reopen()
        case Standing.HELD if verdict.mark:
            return _command(task, replace(progress, mark=verdict.mark), verdict.mark, seen, view, now)
        case Standing.SUPERSEDED:
            return _superseded(task, progress, seen, view.tags, now)
        case Standing.FOREIGN if mark and Tag.STACK not in view.tags and not verdict.closed:
            return _stripped(claim, mark)
        case Standing.FOREIGN if mark and mark.state.settled and lease.is_own_stacks(view.tags, claim):
            # It had ended before a later deploy gave the model to another resource.
            return Finish(_again(task, mark, seen))
        case Standing.FOREIGN if now < (until := _shows_own(task, progress)):
            return Pause(idle=True, until=until)
        case Standing.FOREIGN:
            return Finish(Failed(_foreign(seen, claim, view.tags, verdict), Metric.FOREIGN))
        case Standing.BUSY:
            return Pause()
        case Standing.FREE if mark and (lost := _lost(task, progress, mark, verdict.mark, view.tags)):
            return Finish(lost)
    return _take(task, progress, seen, view, verdict.mark, now)


def _step(task: Task, progress: Progress, seen: Sighting, tags: Mapping[str, str], now: float) -> steps.Step:
    if progress.mark and progress.mark.state.asleep:
        return steps.decide(Stopped(), seen.observed)
    former = lease.former_of(tags)
    moved = former is not None and former.mark.state is not State.RELEASED
    # After a rename the request is a Create, but of a model that was deployed before: it may resize it.
    wanted = replace(task.wanted, may_resize=True) if moved else task.wanted
    if task.in_place and wanted.any_units:
        # A deploy may have declared other units while the model slept, and Start took none.
        wanted = replace(_with_units(wanted, _units_of_lease(task, progress.mark)), may_resize=True)
    started = is_started(progress, seen)
    theirs = progress.start is not StartCall.ACCEPTED and seen.phase is Phase.RUNNING and not task.in_place
    if theirs and now >= progress.took_part + task.status_behind:
        # What runs with other units, a request that is superseded has started; or it ran so before another
        # delivery of this request stopped it and started it again.
        started = started and wanted.satisfied_by(seen.observed)
    return steps.decide(wanted, seen.observed, started)


def _with_units(wanted: Running, units: Units) -> Running:
    return replace(wanted, min_units=units.minimum, max_units=units.maximum, any_units=False)


def _units_of_lease(task: Task, mark: Mark | None) -> Units:
    """Return the units to host with. Only a deploy changes them: a schedule takes those of its lease."""
    units = task.claim.request.units
    return (Units.parse(mark.units) if mark and task.claim.request.scheduled else None) or units


def is_started(progress: Progress, seen: Sighting) -> bool:
    """Say whether the service accepted a Start of this very request, from any of its invocations."""
    if progress.start is StartCall.ACCEPTED:
        return True
    if progress.mark is None:
        return False
    if progress.mark.state is State.STARTED:
        return True
    before = {State.STARTING_STOPPED: Phase.STOPPED, State.STARTING_FAILED: Phase.FAILED}
    expected = before.get(progress.mark.state)
    if expected is None or seen.phase is expected:
        return False
    # Our Start was refused with a Conflict, so somebody else's start came first: we may resize the model.
    return not (progress.start is StartCall.REFUSED and seen.phase is Phase.RUNNING)


def _take(
    task: Task, progress: Progress, seen: Sighting, view: View, before: Mark | None, now: float
) -> Move:
    """Take the lease, unless the model cannot be hosted as it is."""
    claim, tags = task.claim, view.tags or {}
    if view.took:
        # It was taken in this cycle, and somebody wrote over it at once: wait, do not write over theirs.
        return Pause()
    moves = before is not None and not lease.owns(tags, claim)
    told = before is None or (before.state.settled and _fits(task, before, seen))
    if moves and not told and _may_be_out_of_date(task, progress, now):
        # A construct is renamed after its request has ended. How that ended must be noted, for a rollback: a
        # late delivery of it has nothing more to say then.
        return _rest(task, progress)
    step = steps.decide(replace(task.wanted, may_resize=True) if moves else task.wanted, seen.observed)
    if isinstance(step, steps.Fail) and claim.request.type != Scheduled.STOP:
        return Finish(Failed(step.reason, Metric.INVALID))
    if not lease.owns(tags, claim) and (wrong := lease.lacks_room(tags)):
        return Finish(Failed(f"{seen.observed.name} {wrong}", Metric.INVALID))
    nothing_to_do = {Scheduled.START: steps.Done, Scheduled.STOP: steps.Start}.get(claim.request.type)
    if nothing_to_do and isinstance(step, nothing_to_do) and _may_be_out_of_date(task, progress, now):
        # A schedule of the minute before may be at work, and its mark does not show.
        return _rest(task, progress)
    sleeps = _sleeps(task, progress, tags, moves)
    if sleeps is None:
        return AskFormer()
    mark = lease.first_mark(claim, tags, before, str(claim.request.units))
    if not mark.last_start.seconds:
        mark = replace(mark, last_start=progress.former_start.of_another)
    # Without a fence another stack that saw the model free, too, may write over this claim.
    unfenced = Tag.STACK not in tags and not task.fenced
    in_flight = lease.is_in_flight(tags, before) or lease.misses_update(before, claim) or unfenced
    if sleeps:
        mark = mark.at(State.SLEEPING)
    elif isinstance(step, steps.Start) and not in_flight:
        mark = mark.starting(seen.phase, now)
    more = lease.former_tags(tags, claim)
    return Take(mark, more, before, _must_reopen(task, progress, tags, now), in_flight)


def _fits(task: Task, mark: Mark, seen: Sighting) -> bool:
    """Say whether a model runs with the units that its owner's mark tells; a mark may be out of date."""
    units = Units.parse(mark.units)
    return (
        units is None
        or seen.phase is not Phase.RUNNING
        or _with_units(task.wanted, units).satisfied_by(seen.observed)
    )


def _sleeps(task: Task, progress: Progress, tags: Mapping[str, str], moves: bool) -> bool | None:
    """Say whether the model is to be stopped, because its hours are over; None: ask about the replaced one.

    A deploy leaves a sleeping model asleep.
    """
    request = task.claim.request
    if request.scheduled:
        return request.type == Scheduled.STOP
    had_it = moves or lease.owns(tags, task.claim)
    if task.replaces and not had_it and progress.former_sleeps is None:
        return None
    if not request.has_hours or not (moves or request.type == "Update"):
        return False
    if had_it:
        return lease_hours.is_asleep(tags)
    return bool(progress.former_sleeps)


def _command(task: Task, progress: Progress, mark: Mark, seen: Sighting, view: View, now: float) -> Move:
    """Return the next step towards the goal; the lease was just read, and this request holds it."""
    tags = view.tags or {}
    if mark.state.settled:
        return _settle(task, progress, mark, seen, tags, now)
    if progress.took_from and lease_hours.is_at_work(tags, progress.took_from):
        # A schedule wrote its mark between this request's read and its own mark: its call may be under way.
        return Note(mark if mark.state.asleep else mark.at(State.HELD), quiet=True)
    match _step(task, progress, seen, tags, now):
        case steps.Start() | steps.Resize() | steps.Done() if now < (
            until := _shows_other_claims(task, progress)
        ):
            return Pause(idle=True, until=until)
        case steps.Start() if now < (until := _shows_own_delete(task, progress, tags, now)):
            return Pause(idle=True, until=until, amiss=True)
        case steps.Start():
            intent = mark.starting(seen.phase, now)
            # Written first. If this invocation is killed, the next one tells by the phase whether it started.
            return Note(intent) if mark != intent else _start(task, mark)
        case steps.Stop():
            return Note(mark.at(State.ASLEEP)) if _is_stopped(progress, seen) else Stop()
        case steps.Resize(units):
            # It needs no mark of its own: the service says what it was last asked for, and when.
            return Resize(units)
        case steps.Done() if mark.state.asleep:
            until = _shows_last_start(task, progress.took_from, mark)
            return Pause(idle=True, until=until) if now < until else Note(mark.at(State.ASLEEP))
        case steps.Done() if now < (until := progress.seen_down + task.status_behind):
            # It was down just now: this status may be from before that.
            return Pause(idle=True, until=until)
        case steps.Done():
            return Note(mark.done(now, is_started(progress, seen)))
        case steps.Fail() if view.outrun:
            # Another delivery of this request came further, and this status may be older than what it did.
            return Look()
        case steps.Fail() if _start_may_be_ours(task, progress, now):
            return Pause(idle=True)
        case steps.Fail() if _status_may_be_old(task, progress, mark, now):
            return _note_start(task, progress, view) or Pause()
        case steps.Fail() if _another_delivery_may_have_started(task, mark, seen) and now < (
            until := (progress.amiss or now) + task.reads_behind
        ):
            # Another delivery of this request may have started it, and its units are still to come.
            return Pause(idle=True, until=until, amiss=True)
        case steps.Fail(reason):
            code = Metric.HOSTING_FAILED if seen.phase is Phase.FAILED else Metric.OTHER
            return Fail(Failing(Failed(reason, code), now))
    return _note_start(task, progress, view) or Pause(idle=True)


def _another_delivery_may_have_started(task: Task, mark: Mark, seen: Sighting) -> bool:
    """Say whether a model runs that this delivery has not begun to start: another one may have."""
    return _begins(task) and mark.state is State.HELD and seen.phase is Phase.RUNNING


def _begins(task: Task) -> bool:
    """Say whether the request is the first of its resource that wants this model."""
    return task.claim.request.type == "Create" or task.replaces


def _shows_other_claims(task: Task, progress: Progress) -> float:
    """Return from when on a read shows every claim of another stack that saw the model free; epoch seconds.

    Such a claim was written before that stack could see this one's, and shows as late again. Past a fence it
    gets only while the service itself sees old tags; for how long, ``progress.lag`` tells: mostly 0.
    """
    lag = progress.lag if task.fenced else task.reads_behind
    claims = progress.claimed + 2 * lag + CALL_SECONDS if progress.claimed and lag else 0.0
    return max(claims, _tells_between_stacks(task, progress))


def _shows_own_delete(task: Task, progress: Progress, tags: Mapping[str, str], now: float) -> float:
    """Return from when on this request's own Delete shows, if there is one; epoch seconds.

    Another stack's later closing tag may have taken the place of that Delete's. Then only the Delete's mark
    tells of it, or that the owner's tags are gone. It writes that mark once it has seen this request's.
    """
    closing = Closing.parse(tags.get(Tag.CLOSED))
    if closing is None or closing.stack == task.claim.stack or closing.issued < task.claim.request.issued:
        return 0.0
    return (progress.amiss or now) + 2 * task.in_flight


def _start_may_be_ours(task: Task, progress: Progress, now: float) -> bool:
    """Say whether ours may have met another delivery's Start, whose note does not show yet."""
    return progress.start is StartCall.REFUSED and now < _shows_own(task, progress)


def _status_may_be_old(task: Task, progress: Progress, mark: Mark, now: float) -> bool:
    """Say whether the status may be from before this request's own start, which was just accepted."""
    starts = mark.state in (State.STARTING_STOPPED, State.STARTING_FAILED, State.STARTED)
    noted = progress.took_part if starts else 0.0
    return now < max(noted, progress.started_at) + task.status_behind


def _settle(
    task: Task, progress: Progress, mark: Mark, seen: Sighting, tags: Mapping[str, str], now: float
) -> Move:
    """End as the lease says, once nobody can act on older tags any more.

    If another resource had the model, or this one under another physical ID, CloudFormation deletes that
    next. Its Delete would stop the model if it read the old tags.
    """
    if progress.crosses and (move := _second_look(task, progress, mark, seen, tags, now)):
        return move
    former = lease.former_of(tags)
    had = former is not None and former.mark.state is not State.RELEASED
    came_back = lease.came_back_lately(tags, task.claim)
    cleans_up = (had or came_back or progress.other_name) and not task.claim.request.scheduled
    if cleans_up and now < (until := _shows_own(task, progress)):
        return Pause(idle=True, until=until)
    return Finish(_again(task, mark, seen))


def _second_look(
    task: Task, progress: Progress, mark: Mark, seen: Sighting, tags: Mapping[str, str], now: float
) -> Move | None:
    """Mend what the superseded request did since; None: there is nothing to mend.

    That one may have written over this one's first mark before it could see that, and then it sees its own.
    It stops when it sees this mark.
    """
    if mark.state is State.FAILED:
        return None
    until = progress.took_part + task.in_flight
    if now < until:
        return Pause(idle=True, until=until)
    if lease_hours.hours_of(tags) and not task.claim.request.scheduled:
        # A schedule has seen this mark, and goes on from it.
        return None
    step = _step(task, progress, seen, tags, now)
    if mark.state.asleep:
        again, amiss = State.SLEEPING, isinstance(step, steps.Stop) and not _is_stopped(progress, seen)
    else:
        again, amiss = State.HELD, not isinstance(step, steps.Done)
    if not amiss:
        return None
    # A later request, or a schedule, may have done that: its mark was written before, and may show late.
    until = (progress.amiss or now) + task.reads_behind
    return Note(mark.at(again)) if now >= until else Pause(idle=True, until=until, amiss=True)


def _stripped(claim: Claim, mark: Mark) -> Move:
    """Fail, because the tags are gone. The model runs because this request started it.

    With the failure in a lease of its own, the rollback's Delete finds the model, and stops it. Nothing may
    be left where somebody has closed the model since: this request's own Delete may have done so before.
    """
    return WriteTags(lease.owner_tags(claim, mark.at(State.FAILED)), Failed(STRIPPED))


def _superseded(task: Task, progress: Progress, seen: Sighting, tags: Mapping[str, str], now: float) -> Move:
    """End in silence, and take back a mark that was written after a Delete had let go of the model."""
    request = task.claim.request
    if request.scheduled and not lease.owns(tags, task.claim) and _may_be_out_of_date(task, progress, now):
        # What a deploy has just written may not show yet.
        return _rest(task, progress)
    if progress.written and (later := lease_hours.overtaken_by(tags, task.claim)) and later.state.settled:
        # This one wrote over it before it could see it. The next deploy goes by the later schedule's mark.
        return WriteTags({Tag.HOURS: str(later)}, Superseded())
    if progress.overtaken and now < progress.written + task.reads_behind:
        return Pause()
    closing, mine = lease.own_closing(tags, task.claim), lease.own_mark(tags, task.claim)
    if closing is None or request.scheduled or seen.phase in ACTIVE:
        return Finish(Superseded())
    # What was written before the Delete was made, the Delete has seen before it let go.
    unseen = progress.written >= closing.issued.timestamp() if progress.written else mine
    # What this request may have started is left to the Delete, which finds it by this mark. So is the mark,
    # if the Delete still goes on: it may see the mark late, and be seen late itself.
    until = max(progress.took_part, closing.issued.timestamp()) + 2 * task.reads_behind
    if unseen and now < until:
        return Pause(idle=True, until=until, parting=Superseded())
    return LetGo(Superseded()) if unseen and mine else Finish(Superseded())


def _start(task: Task, mark: Mark) -> Start:
    units = _units_of_lease(task, mark)
    return Start(units, "Start" if mark.attempt == 1 else f"Start {mark.attempt}")


def _note_start(task: Task, progress: Progress, view: View) -> Move | None:
    """Note in the lease that this request's Start was accepted; None: it is noted, or none was."""
    mark = progress.mark
    # Of one whose answer was lost, the status tells. Once its Delete has stopped the model, nothing does.
    shows = progress.start is StartCall.LOST and view.seen and view.seen.phase is Phase.STARTING
    if not (progress.start is StartCall.ACCEPTED or shows) or mark is None or mark.state is State.STARTED:
        return None
    if view.tags is None:
        return ReadTags()
    judged = _judge(task, progress, view)
    return Note(mark.at(State.STARTED)) if judged.standing is Standing.HELD else None


# --- failing ------------------------------------------------------------------------------------------------


def _fail(task: Task, progress: Progress, failing: Failing, view: View, now: float) -> Move:
    """Note the failure in the lease, where a repeat of the request finds it, or try once more.

    What was noted is read again: the tags may have been older than the end of this request's own Delete.
    """
    failed, request, seen = failing.failed, task.claim.request, view.seen
    if task.goal is Goal.RELEASE:
        return _fail_to_release(task, progress, failing, view, now)
    if progress.mark is None and not failing.aborts:
        return Finish(failed)
    noted = progress.mark is not None and progress.mark.state is State.FAILED
    if noted and not progress.written:
        return Finish(failed)
    if now > failing.since + NOTING_SECONDS and not noted and not request.scheduled:
        return Finish(failed)
    if seen is None and not view.acted:
        return Look()
    if seen and not seen.arn:
        return Finish(failed)
    if view.tags is None:
        return ReadTags()
    if _reads_are_behind(task, progress, view.tags, now):
        return Pause()
    verdict = _judge(task, progress, view)
    if verdict.standing is Standing.SUPERSEDED:
        return _superseded(task, progress, seen, view.tags, now) if seen else Finish(Superseded())
    if verdict.standing is not Standing.HELD or verdict.mark is None:
        return Finish(failed)
    if not noted:
        return _note_failure(task, replace(progress, mark=verdict.mark), verdict.mark, failing, view)
    if verdict.mark.state is State.DONE and seen:
        return Finish(_again(task, verdict.mark, seen))
    if _another_delivery_may_host_it(task, progress, failing, seen, now):
        return Pause()
    return Finish(failed)


def _fail_to_release(task: Task, progress: Progress, failing: Failing, view: View, now: float) -> Move:
    """Fail without a note: the policy lets nobody write on a closed model.

    But if the model never was this resource's, there is nothing that it failed at.
    """
    if progress.mark is None and progress.close_denied:
        return Finish(Done())
    if progress.mark is not None or not failing.aborts:
        return Finish(failing.failed)
    if view.seen is None:
        return Look()
    if not view.seen.arn:
        return Finish(Done())
    if view.tags is None:
        return ReadTags()
    if lease.has_let_go(view.tags, task.claim):
        # Another delivery of this request has, before this one came.
        return Finish(Done())
    if _may_be_out_of_date(task, progress, now):
        return Finish(failing.failed)
    match lease.judge_release(view.tags, task.claim).standing:
        case Standing.HELD | Standing.FREE:
            return Finish(failing.failed)
        case Standing.SUPERSEDED:
            return Finish(Superseded())
    return Finish(Done())


def _another_delivery_may_host_it(
    task: Task, progress: Progress, failing: Failing, seen: Sighting | None, now: float
) -> bool:
    """Say whether the model runs, not by this request's start, and the lease may not tell yet why."""
    runs = seen is not None and seen.phase in (Phase.STARTING, Phase.RUNNING)
    theirs = _begins(task) and progress.start is not StartCall.ACCEPTED
    return runs and theirs and not failing.aborts and now < _shows_own(task, progress)


def _note_failure(task: Task, progress: Progress, mark: Mark, failing: Failing, view: View) -> Move:
    seen = view.seen
    if mark.state.settled and seen:
        # Another delivery of this request has come to an end already: give the same.
        return Finish(_again(task, mark, seen))
    again = task.claim.request.type == Scheduled.START and mark.attempt < Scheduled.ATTEMPTS
    if again and not failing.aborts:
        # No one is there to ask for a scheduled start again.
        return Retry(replace(mark, attempt=mark.attempt + 1, state=State.HELD, hosted_at=""))
    if failing.aborts and seen and not progress.stop_refused and _is_ours_to_stop(progress, seen):
        return Stop()
    return Note(mark.at(State.FAILED))


def _is_ours_to_stop(progress: Progress, seen: Sighting) -> bool:
    # With rollback disabled no Delete follows: what this request started must not run on.
    return seen.phase in (Phase.STARTING, Phase.RUNNING) and is_started(progress, seen)


# --- letting go ---------------------------------------------------------------------------------------------


def _release(task: Task, progress: Progress, seen: Sighting, view: View, now: float) -> Move:
    claim, mark = task.claim, progress.mark
    if not seen.arn:
        return Finish(Done())
    if mark and view.tags is None and isinstance(steps.decide(Stopped(), seen.observed), Wait):
        return Pause(idle=True)
    if view.tags is None:
        return ReadTags()
    if _reads_are_behind(task, progress, view.tags, now):
        return Pause()
    verdict = lease.judge_release(view.tags, claim)
    match verdict.standing:
        case Standing.SUPERSEDED:
            return Finish(Superseded())
        case Standing.UNOWNED:
            return _close(task, progress, seen, view.tags, now)
        case Standing.FOREIGN | Standing.MOVED if now < progress.written + task.reads_behind:
            # What this request wrote does not show yet: its own Create may have had the model since.
            return Pause()
        case Standing.RELEASED if mark and now < (until := progress.written + task.reads_behind):
            # Another delivery of this request has let go, perhaps before this one wrote its mark.
            return Pause(idle=True, until=until, parting=Done())
        case Standing.RELEASED if lease.closed_by_request(view.tags, claim) and _a_mark_may_follow(
            task, progress, now
        ):
            return Pause(parting=Done())
        case Standing.MOVED if not claim.request.is_overdue:
            return _leave(task, progress, view.tags, verdict.mark, now)
        case Standing.HELD | Standing.FREE if now < (until := _tells_between_stacks(task, progress)):
            return Pause(idle=True, until=until)
        case Standing.HELD if verdict.mark:
            return _give_up(task, replace(progress, mark=verdict.mark), verdict.mark, seen, view.tags, now)
        case Standing.FREE if verdict.mark:
            return _take_to_release(task, progress, seen, view, verdict.mark, now)
        case Standing.FOREIGN if _may_be_out_of_date(task, progress, now):
            return _rest(task, progress)
        case Standing.FOREIGN if _a_mark_may_follow(task, progress, now):
            return Pause(parting=Done())
    return Finish(Done())


def _tells_between_stacks(task: Task, progress: Progress) -> float:
    """Return from when on a read tells which of two stacks has the model, if both took it; epoch seconds.

    The other one may have started the model before it could see this stack's mark, and noted that over it.
    Then the model is the other one's.
    """
    return progress.contested + 2 * task.in_flight if progress.contested else 0.0


def _a_mark_may_follow(task: Task, progress: Progress, now: float) -> bool:
    """Say whether the request that this one undoes may still write its mark, or has, and it does not show.

    Afterwards nobody could remove that mark: CloudFormation deletes the function's role next.
    """
    until = progress.took_part + task.in_flight + task.reads_behind
    return _undoes_cancelled(task) and now < until


def _undoes_cancelled(task: Task) -> bool:
    """Say whether this request undoes a Create or an Update that was cancelled, and may be at work."""
    return task.claim.undoes_unanswered or task.claim.request.type == "Update"


def _take_to_release(
    task: Task, progress: Progress, seen: Sighting, view: View, before: Mark, now: float
) -> Move:
    """Take the lease, to stop the model or to give it back to the resource that had it before a rename."""
    if view.took:
        return Pause()
    claim, tags = task.claim, view.tags or {}
    returning = lease.must_return(_former(progress, tags, claim), before, claim)
    hosted = before.state is State.DONE and not returning and not lease_hours.is_asleep(tags)
    if hosted and seen.phase is Phase.STOPPED and _may_be_out_of_date(task, progress, now):
        # Another delivery of this request may have stopped it, and let go. Nobody could remove a new mark.
        return _rest(task, progress)
    # Another resource may be rolled back to this model itself. The update that is undone may cover its mark,
    # and then it writes that anew: each of the three shows late.
    until = progress.read_since + 2 * task.reads_behind + task.in_flight
    if (returning or lease.was_taken(tags)) and claim.request.type == "Update" and now < until:
        return Pause(idle=True, until=until)
    mark = lease.first_mark(claim, tags, before).at(State.RETURNING if returning else State.RELEASING)
    # The closing tag goes into the same call: from then on the service itself refuses a start that is still
    # under way. A model that is given back is not closed, because it may have to be started.
    more = {} if returning else lease.closing_tag(claim)
    # A start that was accepted may not show yet, either.
    may_start = seen.phase not in ACTIVE and (before.state.may_start or before.state is State.STARTED)
    waits = returning or may_start or not task.fenced
    in_flight = waits and lease.is_in_flight(tags, before)
    return Take(mark, more, before, _must_reopen(task, progress, tags, now), in_flight)


def _give_up(
    task: Task, progress: Progress, mark: Mark, seen: Sighting, tags: Mapping[str, str], now: float
) -> Move:
    """Stop the model, then remove the lease; it was just read, and this request holds it."""
    former = _former(progress, tags, task.claim)
    before, until = progress.took_from, progress.took_part + task.in_flight
    if former and mark.state is State.RETURNING:
        if now < until and not progress.closed:
            # Another delivery of this request may have taken the model from one that is still at work. Or the
            # whole stack is deleted, after a rollback that failed: the former owner notes that it is gone.
            return Pause(idle=True, until=until)
        if not lease.is_gone_too(former, tags, task.claim) and not _is_not_theirs(task, progress, now):
            return _give_back(task, progress, former, seen, tags, now)
        # The former owner is gone, which an older read did not show: there is nobody to give it back to.
        if not (progress.closed or lease.closed_by_stack(tags, task.claim)):
            return Close(reopens=False)
    step = steps.decide(Stopped(), seen.observed)
    if isinstance(step, Wait):
        return Pause(idle=True)
    if isinstance(step, steps.Stop) and not _is_stopped(progress, seen):
        return Stop()
    if before and not lease.is_in_flight(tags, before):
        # Nothing of that request is under way, so only the status must be young enough. Else wait the whole
        # time: another delivery of that request, or a schedule that wrote its mark just before, may have sent
        # a start. The closing tag stops it once the service sees that.
        until = max(_shows_last_start(task, before, mark), _second_delivery_starts(task, progress, before))
    return Pause(idle=True, until=until) if now < until else LetGo(Done())


def _second_delivery_starts(task: Task, progress: Progress, before: Mark) -> float:
    """Return until when a second delivery of a request that has ended may start the model; epoch seconds.

    Where reads are behind, it may wait to see other claims, and then go by tags that do not show this one.
    """
    return before.issued.timestamp() + 3 * task.reads_behind if progress.lag else 0.0


def _former(progress: Progress, tags: Mapping[str, str], claim: Claim) -> lease.Former | None:
    """Return the resource that had the model before.

    Once this request has given the model back, or left it to its owner, a call under way may write over that:
    its other delivery's, or that of the request which it undoes. Then the tags no longer name that resource.
    """
    return progress.former if lease.has_left(tags, claim) else lease.former_of(tags)


def _is_not_theirs(task: Task, progress: Progress, now: float) -> bool:
    """Say whether the policy shows that the former owner does not declare the model any more.

    The policy permits what the stack declares. The deploy that is undone declared this model: if the policy
    refuses it now, the policy from before is back, and under that one nobody declared the model. That its
    former owner is gone nobody has noted: a resource that retains its old model gets no Delete.
    """
    return 0.0 < progress.denied_since <= now - task.policy_behind


def _shows_last_start(task: Task, before: Mark | None, mark: Mark) -> float:
    """Return when a status is surely younger than the last start that the lease tells of; epoch seconds."""
    if hosted_at := unstamp(mark.hosted_at):
        return hosted_at.timestamp() + task.status_behind
    if before and before.last_start.sent is not None:
        return before.issued.timestamp() + before.last_start.sent + task.status_behind
    return 0.0


def _give_back(
    task: Task, progress: Progress, former: lease.Former, seen: Sighting, tags: Mapping[str, str], now: float
) -> Move:
    """Bring the model to what the former owner declares, then give the lease back."""
    started = progress.start is StartCall.ACCEPTED
    units = Units.parse(former.mark.units)
    wanted: Running | Stopped = Running(1, any_units=True)
    # A schedule may have begun to wake it up before it could see that it had another owner.
    if lease_hours.is_asleep({**tags, Tag.REQUEST: str(former.mark)}):
        wanted = Stopped()
    elif units:
        wanted = replace(_with_units(task.wanted, units), may_resize=True)
    step = steps.decide(wanted, seen.observed, started)
    if started and isinstance(step, steps.Fail) and now < progress.started_at + task.status_behind:
        # The status may be from before that start.
        return Pause()
    match step:
        case steps.Start():
            return Start(units or Units(1), "Return")
        case steps.Resize(again):
            return Resize(again)
        case steps.Stop() if not _is_stopped(progress, seen):
            return Stop()
        case Wait():
            return Pause(idle=True)
    hosted_at = stamp_of(now) if started else ""
    returned = lease.returning_tags(task.claim, former, seen.phase in ACTIVE, hosted_at)
    # What is not trained any more, or is being deleted, nobody can bring back: only the tags are given.
    if isinstance(step, steps.Fail) and seen.phase is not Phase.UNREADY:
        return WriteTags(returned, Failed(step.reason, Metric.HOSTING_FAILED))
    # Not answered before every read shows it: a Delete of the former owner may come next.
    return WriteTags(returned, Done(), wait=task.reads_behind)


def _close(task: Task, progress: Progress, seen: Sighting, tags: Mapping[str, str], now: float) -> Move:
    """Close a model that nobody owns, so that a late delivery of this resource's Create does not take it.

    A model that runs without an owner is somebody's: it is left alone, unless the request adopts.
    """
    claim = task.claim
    closing = Closing.parse(tags.get(Tag.CLOSED))
    # A later request has closed it, or another delivery of this request, whose mark it saw, has let go.
    if (closing and closing.issued > claim.request.issued) or progress.mark:
        may_follow = not progress.mark and _a_mark_may_follow(task, progress, now)
        return Pause(parting=Done()) if may_follow else Finish(Done())
    if seen.phase in ACTIVE and not claim.request.adopts:
        if _may_be_out_of_date(task, progress, now):
            return _rest(task, progress)
        # If its Create has started it meanwhile, the mark was written by now, and shows by then.
        until = progress.read_since + 2 * task.reads_behind
        return Pause(idle=True, until=until) if _undoes_cancelled(task) and now < until else Finish(Done())
    if progress.closed:
        return Pause() if now < progress.written + task.reads_behind else Finish(Done())
    return Close(_must_reopen(task, progress, tags, now))


def _leave(task: Task, progress: Progress, tags: Mapping[str, str], owner: Mark | None, now: float) -> Move:
    """Leave the model to the resource of the stack that owns it now, and note that this one is gone.

    If no Create of this one has answered, one may be about to take it: wait, and look again.
    """
    claim = task.claim
    former = lease.former_of(tags)
    mine = former is not None and former.logical_id == claim.request.logical_id
    released = former is not None and former.mark.state is State.RELEASED
    if lease.is_gone(tags, claim):
        # Not what an earlier Delete left: a Create that was made since is not held back by that. If another
        # delivery has just noted it, that one may have given the model back: not answered before it shows.
        until = progress.left + task.reads_behind
        return Pause(idle=True, until=until) if now < until else Finish(Done())
    undoes = _undoes_cancelled(task)
    if mine and not released and not undoes:
        if owner and owner.state is State.RETURNING:
            # The whole stack is deleted: the model comes back to this resource, which then stops it.
            return Pause(idle=True)
        return WriteTags(lease.released_tags(claim), Done())
    # What this request undoes may have taken the model already, or do so before it sees this. Then the note
    # would cover from whom it has the model, and to whom that goes back.
    until = progress.read_since + task.reads_behind + (task.in_flight if undoes else 0.0)
    third = former is not None and not mine and not released
    later = owner is not None and owner.issued > claim.request.issued and (released or not mine)
    if third or later:
        # The owner has the model from a third resource, and may have to give it back: keep that note. Or it
        # is of a later deploy, and needs no note to keep the model from older requests. As none of this
        # request keeps what it undoes from taking the model, wait until that shows.
        return Pause(idle=True, until=until) if undoes and now < until else Finish(Done())
    if progress.left or progress.mark:
        return Finish(Done())
    if now < until:
        return Pause(idle=True, until=until)
    return WriteTags(lease.released_tags(claim), Done(), wait=task.in_flight)


# --- shared -------------------------------------------------------------------------------------------------


def _judge(task: Task, progress: Progress, view: View) -> Verdict:
    phase = view.seen.phase if view.seen else Phase.STOPPED
    verdict = lease.judge(view.tags or {}, task.claim, phase)
    if progress.overtaken and verdict.standing is Standing.HELD:
        # This read is older than the one that showed the later schedule's mark.
        return Verdict(Standing.SUPERSEDED)
    return verdict


def _reads_are_behind(task: Task, progress: Progress, tags: Mapping[str, str], now: float) -> bool:
    if progress.mark is None or now >= _shows_own(task, progress):
        return False
    return lease.is_behind(tags, progress.mark, task.claim)


def _must_reopen(task: Task, progress: Progress, tags: Mapping[str, str], now: float) -> bool:
    """Say whether to remove this stack's closing tag: once, as long as a read may still show it."""
    return lease.closed_by_stack(tags, task.claim) and now >= progress.reopened + task.reads_behind


def _may_be_out_of_date(task: Task, progress: Progress, now: float) -> bool:
    """Say whether a read may miss what was written before this invocation began to read."""
    return now < progress.read_since + task.reads_behind


def _shows_own(task: Task, progress: Progress) -> float:
    """Return from when on a read shows all that this request wrote, and what was before; epoch seconds."""
    return progress.took_part + task.reads_behind


def _rest(task: Task, progress: Progress) -> Pause:
    return Pause(idle=True, until=progress.read_since + task.reads_behind)


def _is_late(task: Task, progress: Progress, now: float) -> bool:
    """Say whether the event came late, and nothing that was written since need show yet."""
    return task.came_late and not progress.written and _may_be_out_of_date(task, progress, now)


def _may_be_another_version(task: Task, progress: Progress, now: float) -> bool:
    """Say whether the resource may have leased another version of `latest`, and that does not show yet."""
    first = task.claim.request.type == "Create"
    return progress.unfound and not first and _may_be_out_of_date(task, progress, now)


def _acts(move: Move) -> bool:
    """Say whether a move would do harm to somebody who has taken the model since."""
    if isinstance(move, Note):
        return move.mark.state.may_start
    return isinstance(move, Take | Start | Stop | Resize | Close | WriteTags | LetGo)


def _is_stopped(progress: Progress, seen: Sighting) -> bool:
    # A model whose hosting failed serves nothing. If the service refuses to stop it, it counts as stopped.
    return progress.stop_refused and seen.phase is Phase.FAILED


def _lost(
    task: Task, progress: Progress, mark: Mark, shown: Mark | None, tags: Mapping[str, str]
) -> End | None:
    """Say how a request ends that has lost the lease; None: it may take it back."""
    if shown is None:
        return Failed(STRIPPED)
    covered = progress.crosses or lease.was_taken(tags) or task.claim.request.type != "Create"
    if not lease.owns(tags, task.claim) and shown.state.settled and not covered:
        # This Create's own Delete has given the model back to whom it had been taken from.
        return Superseded()
    if shown.under:
        # An earlier schedule wrote late, over this one: take it back. After a later one it would not be free.
        return None
    # From the same second: the one that wrote last commands. From an older one: it wrote late, take it back.
    return Superseded() if shown.issued == mark.issued else None


def _again(task: Task, mark: Mark, seen: Sighting) -> End:
    """Return the end that the lease has noted for this request, so that every delivery gives the same."""
    if mark.state is State.FAILED:
        return Failed(REPORTED)
    return Done(
        {
            Attribute.MODEL_ARN: seen.arn,
            Attribute.MODEL_VERSION: seen.version,
            Attribute.STATUS: task.stopped if mark.state.asleep else task.running,
            Attribute.HOSTED_AT: mark.hosted_at,
        }
    )


def _without_model(claim: Claim, step: steps.Step) -> End:
    if claim.request.type == Scheduled.STOP:
        return Superseded("there is no model any more")
    return Failed(step.reason if isinstance(step, steps.Fail) else "the model is gone", Metric.OTHER)


def _foreign(seen: Sighting, claim: Claim, tags: Mapping[str, str], verdict: Verdict) -> str:
    if verdict.closed:
        advice = "deploy again"
    elif Tag.STACK not in tags:
        advice = "stop it, or declare it with on_running=OnRunning.ADOPT"
    elif lease.is_own_stacks(tags, claim):
        advice = "a model has one owner: declare it once"
    else:
        advice = (
            "remove it from there first, or, if that stack is gone, remove the model's hosted-model: tags"
        )
    return f"{seen.observed.name} is not this stack's to command: {verdict.reason}; {advice}"
