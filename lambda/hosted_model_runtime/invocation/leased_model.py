"""Carries out what ``next_move`` decides, for one request and one model.

In come a task and the service's adapter. Each move becomes calls of the adapter, and what they tell is
remembered in ``Progress`` for the next decision. Nothing is decided here but what an error of a call means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..contract import Scheduled, Tag
from ..decisions import lease, lease_hours, moves, polling
from ..decisions.ends import Done, End, Failed, Superseded
from ..decisions.marks import Mark, State
from ..decisions.model import ACTIVE, Phase, Sighting, Units
from ..decisions.moves import Failing, Pause, Progress, StartCall, Task, View
from ..decisions.next_move import next_move
from ..decisions.polling import NOTHING, LastStart
from ..decisions.tokens import client_token
from ..services.base import Kind, ResizesInPlace, Service, ServiceError
from .outcome import Hosted


class LeasedModel:
    """One model under one request: what the request remembers of it, and its end once there is one."""

    def __init__(
        self,
        service: Service,
        model: Mapping[str, str],
        task: Task,
        now: Callable[[], float],
        former: Callable[[], tuple[bool, LastStart]] = lambda: (False, NOTHING),
        supersede: Callable[[str], None] = lambda request_id: None,
        hosts: Callable[[], str] = lambda: "",
    ) -> None:
        self.task, self.progress = task, Progress()
        self.end: End | None = None
        #: How it ends at the latest with this invocation: nobody waits for what is left to do.
        self.parting: Done | Superseded | None = None
        self.last_seen = ""
        #: Whether there is nothing to do but look again, as far as was seen.
        self.idle = False
        self.hosted: Hosted | None = None
        self._service, self._declared, self._now = service, model, now
        self._former, self._supersede, self._hosts = former, supersede, hosts
        self._seen: Sighting | None = None
        self._stop_sent: tuple[float, str] | None = None
        #: How many Stops it has tokens for so far, and when the service took the last of them.
        self._stops, self._stop_taken = 1, 0.0

    @property
    def model(self) -> Mapping[str, str]:
        """The model's name; after the first look with the version's number instead of ``latest``."""
        return self._seen.model if self._seen else self._declared

    def advance(self) -> None:
        """Make moves until there is nothing to do but wait, or the end is known.

        Raises
        ------
        ServiceError
            When a call failed. What was done before it is remembered: call this again to go on.
        """
        view = View()
        if 0.0 < self.progress.not_before <= self._now():
            # The rest is over: now there may be a step to take.
            self.idle = False
            self._remember(not_before=0.0)
        while self.end is None:
            move = next_move(self.task, self.progress, view, self._now())
            if isinstance(move, Pause):
                self.idle = move.idle
                if self._now() >= self.progress.not_before:
                    self.parting = move.parting
                self._remember(not_before=move.until or self.progress.not_before)
                if view.seen:
                    since = self.progress.amiss or self._now()
                    self._remember(amiss=since if move.amiss else 0.0)
                return
            try:
                view = self._make(move, view)
            except ServiceError as error:
                if error.kind is Kind.DENIED and isinstance(move, moves.Start | moves.Resize):
                    self._remember(denied_since=self.progress.denied_since or self._now())
                if not self._is_final(error):
                    raise
                self.end = self._finally()

    def fail(self, reason: str, code: str, aborts: bool = False) -> None:
        """Remember a failure. From now on the moves note it in the lease, and then end."""
        failing = self.progress.failing or Failing(Failed(reason, code), self._now())
        self._remember(failing=replace(failing, aborts=aborts))

    def give_up(self) -> None:
        """End with the failure, though the lease has no note of it."""
        if self.end is None:
            self.end = self._finally()

    def _is_final(self, error: ServiceError) -> bool:
        """Say whether to end with the failure although this error keeps it out of the lease."""
        failing = self.progress.failing
        if failing is None or failing.aborts or self.task.claim.request.scheduled:
            return False
        return error.kind is not Kind.TRANSIENT

    def _finally(self) -> End:
        failing = self.progress.failing
        if failing is None:
            raise RuntimeError("only what failed is given up")
        return failing.failed

    def as_former(self) -> tuple[bool, LastStart]:
        """Say whether the model is stopped because its hours are over, and how long its last start took.

        Only of a model that is this resource's; of another one nothing is said.
        """
        seen, claim = self._look(), self.task.claim
        tags = self._service.tags(seen.arn) if seen.arn else {}
        if not (lease.owns(tags, claim) and lease.owns_as_declared(tags, claim)):
            return False, NOTHING
        mark = lease_hours.hours_of(tags) or Mark.parse(tags.get(Tag.REQUEST))
        return lease_hours.is_asleep(tags), mark.last_start if mark else NOTHING

    def arn(self) -> str:
        """Return the model's ARN; empty if there is no model."""
        return (self._seen or self._look()).arn

    @property
    def rest(self) -> float:
        """Seconds for which it does not even look."""
        return max(0.0, self.progress.not_before - self._now()) if self.end is None else 0.0

    @property
    def start(self) -> polling.Start | None:
        """The start that is waited for, if this request sent it."""
        mark, seen = self.progress.mark, self._seen
        if not self.idle or mark is None or seen is None or seen.phase is not Phase.STARTING:
            return None
        if (sent := mark.last_start.sent) is None:
            return None
        return polling.Start(self._now() - mark.issued.timestamp() - sent, mark.last_start)

    # --- moves ----------------------------------------------------------------------------------------------

    def _make(self, move: moves.Move, view: View) -> View:
        match move:
            case moves.Look():
                seen = self._look()
                hosted_too = seen.arn != "" and seen.arn == self._hosts()
                return replace(view, seen=seen, tags=None, outrun=False, hosted_too=hosted_too)
            case moves.ReadTags():
                tags = self._service.tags(self._arn)
                return replace(view, tags=tags, outrun=self._learn(tags) or view.outrun)
            case moves.AskFormer():
                self._ask_former()
            case moves.Take():
                return self._take(move, view)
            case moves.Note(mark, quiet):
                self._write(mark)
                if quiet:
                    self._be_quiet(self.task.in_flight)
                return replace(view, tags=self._after(mark, view))
            case moves.Start(units, verb):
                return self._start(units, verb)
            case moves.Stop():
                return self._stop()
            case moves.Resize(units):
                return self._resize(units)
            case moves.Fail(failing):
                self._remember(failing=failing)
            case moves.Retry(mark):
                self._write(mark)
                self._remember(start=StartCall.UNSENT, failing=None)
                self._be_quiet(Scheduled.RETRY_SECONDS)
                return replace(view, tags=None)
            case moves.Close(reopens):
                return self._close(reopens)
            case moves.Reopen():
                return replace(view, tags=self._reopen(view.tags or {}))
            case moves.WriteTags(tags, end, wait):
                self._service.tag(self._arn, tags)
                self._remember(written=self._now(), left=self._now())
                if wait:
                    self._be_quiet(wait)
                else:
                    self.end = end
                return replace(view, tags=None)
            case moves.LetGo(end):
                self._service.untag(self._arn, Tag.OWNER)
                self.end = end
            case moves.Finish(end):
                self.end = end
        return view

    def _look(self) -> Sighting:
        known = self.progress
        find = self._seen is None or (known.unfound and known.mark is None and not known.closed)
        seen = self._service.describe(self._find() if find else self.model)
        self.last_seen = f"{seen.observed.name} is {seen.observed.status or seen.phase.value}"
        if seen.arn:
            # Once it is leased, every look is at this very version, whatever `latest` means by then.
            self._seen = seen
            if seen.phase not in ACTIVE:
                self._remember(seen_down=self._now())
            self._note_hosting(seen)
        return seen

    def _find(self) -> Mapping[str, str]:
        """Return the model to look at: where `latest` is declared, the version that this resource leased."""
        unfound = False
        for seen in self._service.alternatives(self._declared):
            if seen.arn and lease.owns_as_declared(self._service.tags(seen.arn), self.task.claim):
                self._remember(unfound=False)
                return seen.model
            unfound = True
        self._remember(unfound=unfound)
        return self._declared

    def _learn(self, tags: Mapping[str, str]) -> bool:
        """Remember what the tags tell; say whether another delivery of this request came further."""
        claim, known, now = self.task.claim, self.progress, self._now()
        found = self._found(tags)
        former = lease.former_of(tags) if lease.owns(tags, claim) else lease.other_owner(tags, claim)
        behind = known.mark is not None and lease.own_mark(tags, claim) != known.mark
        lag = min(now - known.took_part, self.task.reads_behind) if behind or known.behind else 0.0
        self._remember(
            in_doubt=False,
            read_since=known.read_since or now,
            behind=behind,
            lag=max(known.lag, lag),
            left=known.left or (now if lease.has_left(tags, claim) else 0.0),
            overtaken=known.overtaken or lease_hours.overtaken_by(tags, claim) is not None,
            contested=now if lease.is_another_stacks(tags, claim) else known.contested,
            former=former or known.former,
            **found,
        )
        return bool(found)

    def _found(self, tags: Mapping[str, str]) -> dict[str, object]:
        """Return what to remember if the lease shows that another delivery of this request came further."""
        shown, mark = lease.own_mark(tags, self.task.claim), self.progress.mark
        if shown and mark and mark.state is State.FAILED and shown.state is State.STARTED:
            # What this one failed at, another one has started since: how that ends is not known yet.
            ours = self.progress.start is StartCall.ACCEPTED
            return {} if ours else {"shown": self._now()}
        if shown is None or (mark and mark.progress >= shown.progress):
            return {}
        return {"mark": shown, "shown": self._now()}

    def _after(self, mark: Mark, view: View) -> Mapping[str, str] | None:
        """Return the tags after a mark was written, if it ends the request; None: they must be read anew.

        Where a read was behind in this request, the mark is read again before the answer.
        """
        unsure = self.progress.lag > 0.0 or self.progress.crosses
        if view.tags is None or mark.state is not State.DONE or unsure:
            return None
        return {**view.tags, **lease.owner_tags(self.task.claim, mark)}

    def _ask_former(self) -> None:
        try:
            sleeps, last = self._former()
        except ServiceError:
            if self.task.claim.request.has_hours:
                raise
            # It would only have told how long a start may take.
            sleeps, last = False, NOTHING
        self._remember(former_sleeps=sleeps, former_start=last)

    def _reopen(self, tags: Mapping[str, str]) -> Mapping[str, str]:
        """Remove this stack's closing tag, and what it disproves; returns the tags that are left."""
        keys = lease.keys_to_reopen(tags, self.task.claim)
        self._service.untag(self._arn, keys)
        self._remember(reopened=self._now())
        return {key: value for key, value in tags.items() if key not in keys}

    def _take(self, take: moves.Take, view: View) -> View:
        if take.reopens:
            self._reopen(view.tags or {})
        for key in (Tag.REQUEST, Tag.HOURS):
            # Nobody may be there to remove its rule. Before its mark is gone: a repeat of this request must
            # find the RequestId if this one is killed in between.
            before = Mark.parse((view.tags or {}).get(key))
            if before and not before.state.settled and before.request_id != take.mark.request_id:
                self._supersede(before.request_id)
        try:
            self._write(take.mark, take.more)
        except ServiceError as error:
            if error.kind not in (Kind.QUOTA, Kind.INVALID) or Tag.CLOSED not in take.more:
                raise
            # No further tag has room on the model. Let go of it all the same, without what fences late calls.
            self._write(take.mark)
            take = replace(take, in_flight=True)
        if take.in_flight:
            self._be_quiet(self.task.in_flight)
        known = self.progress
        self._remember(
            in_doubt=True,
            claimed=known.claimed if Tag.STACK in (view.tags or {}) else self._now(),
            crosses=known.crosses or (take.in_flight and take.before is not None),
            took_from=None if take.in_flight else take.before,
            other_name=known.other_name or lease.has_other_name(view.tags or {}, self.task.claim),
        )
        # Whoever lets go looks again: a start may have landed between its last look and this mark.
        seen = view.seen if self.task.goal is moves.Goal.HOST else None
        return View(seen=seen, took=True)

    def _start(self, units: Units, verb: str) -> View:
        try:
            self._service.start(self._known, units, self._token(verb, units))
        except ServiceError as error:
            if error.kind is Kind.CONFLICT:
                self._remember(start=StartCall.REFUSED, shown=self._now())
            if error.kind is Kind.TRANSIENT:
                self._remember(start=StartCall.LOST)
            raise
        self._remember(start=StartCall.ACCEPTED, started_at=self._now())
        return View(acted=True)

    def _stop(self) -> View:
        # Remembered before the call, because its response may be lost.
        self._stop_sent = (self._now(), self.progress.mark.hosted_at if self.progress.mark else "")
        failing = self.progress.failing
        if 0.0 < self._stop_taken <= self._now() - self.task.status_behind:
            # Somebody has started the model since: the old token would make this a repeat that does nothing.
            self._stops, self._stop_taken = self._stops + 1, 0.0
        verb = "Abort" if failing else "Stop"
        token = self._token(verb if self._stops == 1 else f"{verb} {self._stops}")
        try:
            self._service.stop(self._known, token)
        except ServiceError as error:
            refused = error.kind is Kind.CONFLICT and self._known.phase is Phase.FAILED
            if error.kind is Kind.TRANSIENT or not (refused or failing):
                raise
            self._remember(stop_refused=True)
            return View(seen=self._known)
        self._stop_taken = self._stop_taken or self._now()
        return View(acted=True)

    def _resize(self, units: Units) -> View:
        if not isinstance(self._service, ResizesInPlace):
            raise TypeError(f"{self._service.name} does not resize in place")
        self._service.resize(self._known, units, self._token("Resize", units))
        return View(acted=True)

    def _close(self, reopens: bool) -> View:
        """Write the closing tag.

        A refusal is tried again: the policy may not have spread yet, and a Create of this resource that is
        still under way may be waiting for the same policy.
        """
        self._remember(close_tried=self.progress.close_tried or self._now())
        try:
            if reopens:
                self._service.untag(self._arn, [Tag.CLOSED])
                self._remember(reopened=self._now())
            self._service.tag(self._arn, lease.closing_tag(self.task.claim))
        except ServiceError as error:
            self._remember(close_denied=error.kind is Kind.DENIED)
            # A conflict is over in seconds, or it lasts as long as a training, which nobody can start.
            passes = (
                error.kind is Kind.CONFLICT
                and self._now() < self.progress.close_tried + self.task.reads_behind
            )
            if passes or error.kind in (Kind.TRANSIENT, Kind.DENIED):
                raise
            self.end = Done()
        self._remember(closed=True, written=self._now())
        # Look again: a Create that is still under way may have taken the lease in the meantime.
        return View()

    # --- what they share ------------------------------------------------------------------------------------

    @property
    def _known(self) -> Sighting:
        if self._seen is None:
            raise RuntimeError("a model is looked at before anything is done with it")
        return self._seen

    @property
    def _arn(self) -> str:
        return self._known.arn

    def _remember(self, **changes: object) -> None:
        self.progress = replace(self.progress, **changes)  # type: ignore[arg-type]

    def _be_quiet(self, seconds: float) -> None:
        self._remember(not_before=self._now() + seconds, in_doubt=True)

    def _write(self, mark: Mark, more: Mapping[str, str] | None = None) -> None:
        self._service.tag(self._arn, {**lease.owner_tags(self.task.claim, mark), **(more or {})})
        self._remember(mark=mark, written=self._now(), took_from=None)

    def _note_hosting(self, seen: Sighting) -> None:
        """Note for the metrics how long the model was hosted, once it is seen stopping or stopped."""
        if self._stop_sent is None or seen.phase not in (Phase.STOPPING, Phase.STOPPED):
            return
        until, since = self._stop_sent
        self._stop_sent, self.hosted = None, Hosted(seen.model, since, until) if since else None

    def _token(self, verb: str, units: Units | None = None) -> str:
        request = self.task.claim.request
        return client_token(
            request.stack_id,
            request.logical_id,
            request.request_id,
            verb,
            self._arn,
            units.minimum if units else None,
            units.maximum if units else None,
        )
