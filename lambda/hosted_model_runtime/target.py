"""One model that a request hosts or gives up: look, judge the lease, decide, act; one cycle at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from . import lease
from .contract import Attribute, Tag
from .lease import Claim, Mark, Standing, State, Verdict
from .reconcile import Done, Fail, Phase, Running, Start, Step, Stop, Stopped, Wait, decide
from .request import Units
from .services.base import Kind, Service, ServiceError, Sighting
from .tokens import client_token


@dataclass(frozen=True, slots=True)
class Settled:
    """A target's end: a failure has a reason, a success has attributes; a superseded one has neither."""

    ok: bool
    reason: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    superseded: bool = False


SUPERSEDED = Settled(ok=False, superseded=True)
#: A call that a superseded request has under way lands within the SDK's connect and read time-outs.
IN_FLIGHT_SECONDS = 15.0
STRIPPED = "the model's hosted-model: tags were removed while this request commanded it"
REPORTED = "this request was reported as failed before; the function's log has the reason"


class Target:
    """What hosting and releasing share: finding the model, and holding its lease."""

    goal: Running | Stopped

    def __init__(
        self, service: Service, model: Mapping[str, str], claim: Claim, now: Callable[[], float]
    ) -> None:
        self.service, self.model, self.claim, self._now = service, model, claim, now
        self.settled: Settled | None = None
        self.last_seen = ""
        self._mark: Mark | None = None
        self._exact: Mapping[str, str] | None = None

    def advance(self) -> None:
        """Take at most one step; afterwards ``settled`` says whether this was the last.

        Raises
        ------
        ServiceError
            When a call failed; the host decides whether to look again.
        """
        if self.settled is None:
            self.settled = self._cycle()

    def give_up(self, reason: str) -> None:
        """Settle at the deadline."""
        raise NotImplementedError

    def fail(self, reason: str) -> None:
        """Settle as failed, because of an error that repeating will not mend."""
        raise NotImplementedError

    def _cycle(self) -> Settled | None:
        raise NotImplementedError

    def _look(self) -> Sighting:
        seen = self.service.describe(self._exact or self._find())
        self.last_seen = f"{seen.observed.name} is {seen.observed.status or seen.observed.phase.value}"
        if seen.arn:
            # From here on `latest` means this very version.
            self._exact = seen.model
        return seen

    def _find(self) -> Mapping[str, str]:
        for seen in self.service.alternatives(self.model):
            if seen.arn and self._is_mine(self.service.tags(seen.arn)):
                return seen.model
        return self.model

    def _is_mine(self, tags: Mapping[str, str]) -> bool:
        return lease.owns(tags, self.claim) and lease.declared_as(tags, self.claim.identity)

    def _judge(self, tags: Mapping[str, str], phase: Phase) -> Verdict:
        raise NotImplementedError

    def _read(self, seen: Sighting) -> tuple[Mapping[str, str], Verdict]:
        tags = self.service.tags(seen.arn)
        return tags, self._judge(tags, seen.observed.phase)

    def _still_held(self, seen: Sighting) -> bool:
        """Read the lease again: another request may have come between."""
        return self._read(seen)[1].standing is Standing.HELD

    def _take(self, seen: Sighting, tags: Mapping[str, str], mark: Mark, closing: bool = False) -> bool:
        """Take command; False when another request came between."""
        self._reopen(seen, tags)
        self._write(seen, mark, lease.closing_tag(self.claim) if closing else {})
        return self._still_held(seen)

    def _reopen(self, seen: Sighting, tags: Mapping[str, str]) -> None:
        if lease.must_reopen(tags, self.claim):
            self.service.untag(seen.arn, [Tag.CLOSED])

    def _write(self, seen: Sighting, mark: Mark, more: Mapping[str, str] | None = None) -> None:
        self.service.tag(seen.arn, {**lease.owner_tags(self.claim, mark), **(more or {})})
        self._mark = mark

    def _token(self, verb: str, seen: Sighting, units: Units | None = None) -> str:
        claim = self.claim
        return client_token(
            claim.stack_id,
            claim.logical_id,
            claim.request_id,
            verb,
            seen.arn,
            units.minimum if units else None,
            units.maximum if units else None,
        )


class Hosting(Target):
    """Goal: the model runs with these units, and this request commands it."""

    goal: Running

    def __init__(
        self,
        service: Service,
        model: Mapping[str, str],
        claim: Claim,
        now: Callable[[], float],
        units: Units,
    ) -> None:
        super().__init__(service, model, claim, now)
        self.units = units
        self.goal = Running(units.minimum, units.maximum, may_resize=claim.type == "Update")
        self._accepted = self._refused = False
        self._quiet_until = 0.0

    def _judge(self, tags: Mapping[str, str], phase: Phase) -> Verdict:
        return lease.judge(tags, self.claim, phase)

    def _cycle(self) -> Settled | None:
        seen = self._look()
        step = decide(self.goal, seen.observed, self._started(seen))
        if self._mark and (isinstance(step, Wait) or self._now() < self._quiet_until):
            self._note_start(seen)
            return None
        if not seen.arn:
            return self._failure(step.reason if isinstance(step, Fail) else "", None)
        tags, verdict = self._read(seen)
        match verdict.standing:
            case Standing.SUPERSEDED:
                return SUPERSEDED
            case Standing.FOREIGN:
                return Settled(ok=False, reason=_foreign(seen, verdict))
            case Standing.HELD if verdict.mark:
                return self._command(seen, verdict.mark)
            case Standing.FREE if self._mark and (lost := self._lost_to(verdict.mark)):
                return lost
        return self._begin(seen, tags, verdict.mark)

    def _begin(self, seen: Sighting, tags: Mapping[str, str], before: Mark | None) -> Settled | None:
        """Take the lease, unless the model is in no condition to be hosted."""
        step = decide(self.goal, seen.observed, started=False)
        if isinstance(step, Fail):
            return Settled(ok=False, reason=step.reason)
        mark = lease.first_mark(self.claim, before)
        in_flight = before is not None and not before.state.settled
        if isinstance(step, Start) and not in_flight:
            mark = _intent(mark, seen)
        if not self._take(seen, tags, mark):
            return None
        if in_flight:
            # The request that was superseded may have a call under way: let it land before trusting a look.
            self._quiet_until = self._now() + IN_FLIGHT_SECONDS
            return None
        return self._command(seen, mark)

    def _command(self, seen: Sighting, mark: Mark) -> Settled | None:
        """Take the next step; the lease was read in this cycle, and it is this request's."""
        self._mark = mark
        if mark.state.settled:
            return self._again(seen, mark)
        match decide(self.goal, seen.observed, self._started(seen)):
            case Start():
                self._start(seen, mark)
            case Stop():
                self.service.stop(seen, self._token("Stop", seen))
            case Done():
                return self._done(seen, mark)
            case Fail(reason):
                return self._failure(reason, seen)
        return None

    def _start(self, seen: Sighting, mark: Mark) -> None:
        intent = _intent(mark, seen)
        if mark != intent:
            # Written first: whoever comes after a kill and finds another phase knows that the start happened.
            self._write(seen, intent)
            if not self._still_held(seen):
                return
        try:
            self.service.start(seen, self.units, self._token("Start", seen, self.units))
        except ServiceError as error:
            self._refused = error.kind is Kind.CONFLICT
            raise
        self._accepted = True
        self._note_start(seen)

    def _note_start(self, seen: Sighting) -> None:
        """Say in the lease that this request's start was accepted; tried again until it is there."""
        if not self._accepted or self._mark is None or self._mark.state is State.STARTED:
            return
        if self._still_held(seen):
            self._write(seen, self._mark.at(State.STARTED))

    def _lost_to(self, mark: Mark | None) -> Settled | None:
        """Say how a request ends that held the lease and does not any more; None: it may take it back."""
        if mark is None:
            return Settled(ok=False, reason=STRIPPED)
        # Of two requests of one second the later one commands; what an older one wrote late is written over.
        return SUPERSEDED if mark.issued == self.claim.issued else None

    def _started(self, seen: Sighting) -> bool:
        if self._accepted:
            return True
        if self._mark is None:
            return False
        if self._mark.state is State.STARTED:
            return True
        before = {State.STARTING_STOPPED: Phase.STOPPED, State.STARTING_FAILED: Phase.FAILED}
        expected = before.get(self._mark.state)
        if expected is None or seen.observed.phase is expected:
            return False
        # A start that was refused was somebody else's: what runs may be resized.
        return not (self._refused and seen.observed.phase is Phase.RUNNING)

    def _done(self, seen: Sighting, mark: Mark) -> Settled | None:
        hosted_at = mark.hosted_at or lease.stamp(datetime.fromtimestamp(self._now(), UTC))
        self._write(seen, mark.at(State.DONE, hosted_at))
        # What is in the tag now is what every repeat of this request will answer.
        kept = self._read(seen)[1]
        if kept.standing is not Standing.HELD or kept.mark is None:
            return None
        return self._success(seen, kept.mark)

    def _again(self, seen: Sighting, mark: Mark) -> Settled:
        if mark.state is State.FAILED:
            return Settled(ok=False, reason=REPORTED)
        return self._success(seen, mark)

    def _success(self, seen: Sighting, mark: Mark) -> Settled:
        return Settled(
            ok=True,
            data={
                Attribute.MODEL_ARN: seen.arn,
                Attribute.MODEL_VERSION: seen.version,
                Attribute.STATUS: self.service.running,
                Attribute.HOSTED_AT: mark.hosted_at,
            },
        )

    def fail(self, reason: str) -> None:
        self.settled = self._failure(reason, self._look() if self._mark else None)

    def _failure(self, reason: str, seen: Sighting | None) -> Settled:
        """Fail, and leave that verdict in the lease for a repeat of this request."""
        if self._mark is None or seen is None or not seen.arn:
            return Settled(ok=False, reason=reason)
        verdict = self._read(seen)[1]
        if verdict.standing is not Standing.HELD or verdict.mark is None:
            return SUPERSEDED
        if verdict.mark.state.settled:
            # Another delivery of this request was quicker.
            return self._again(seen, verdict.mark)
        self._write(seen, verdict.mark.at(State.FAILED))
        return Settled(ok=False, reason=reason)

    def give_up(self, reason: str) -> None:
        """Fail, and stop what this request started: CloudFormation may be told not to roll back."""
        self.settled = Settled(ok=False, reason=reason)
        seen = self._look()
        if not seen.arn:
            return
        verdict = self._read(seen)[1]
        if verdict.standing is Standing.SUPERSEDED:
            self.settled = SUPERSEDED
        if verdict.standing is not Standing.HELD or verdict.mark is None:
            return
        self._mark = verdict.mark
        if self._mark.state.settled:
            self.settled = self._again(seen, self._mark)
            return
        started = self._started(seen)
        self.settled = self._failure(reason, seen)
        if started and seen.observed.phase in (Phase.STARTING, Phase.RUNNING) and self._still_held(seen):
            self.service.stop(seen, self._token("Abort", seen))


class Release(Target):
    """Goal: the model is stopped if this resource owns it, and the lease is gone."""

    goal = Stopped()

    def _judge(self, tags: Mapping[str, str], phase: Phase) -> Verdict:
        return lease.judge_release(tags, self.claim)

    def _cycle(self) -> Settled | None:
        seen = self._look()
        if not seen.arn:
            return Settled(ok=True)
        step = decide(self.goal, seen.observed, started=False)
        if isinstance(step, Wait) and self._mark:
            return None
        tags, verdict = self._read(seen)
        match verdict.standing:
            case Standing.SUPERSEDED:
                return SUPERSEDED
            case Standing.RELEASED:
                return Settled(ok=True)
            case Standing.UNOWNED:
                # A Create that is still under way may have taken the lease meanwhile: look again.
                return self._cycle() if self._close_unowned(seen, tags) else Settled(ok=True)
            case Standing.HELD:
                self._mark = verdict.mark
                return self._release(seen, step)
        # Closing in the same call: from now on the service itself refuses a start that is still under way.
        taken = self._take(seen, tags, lease.first_mark(self.claim, verdict.mark), closing=True)
        # What was seen before that is no ground for letting go: look again.
        return self._cycle() if taken else None

    def _release(self, seen: Sighting, step: Step) -> Settled | None:
        if isinstance(step, Wait) or (isinstance(step, Stop) and not self._stop(seen)):
            return None
        self.service.untag(seen.arn, Tag.OWNER)
        return Settled(ok=True)

    def _stop(self, seen: Sighting) -> bool:
        """Stop the model; True when there is nothing to wait for."""
        try:
            self.service.stop(seen, self._token("Stop", seen))
        except ServiceError as error:
            # A model whose hosting failed serves nothing: where the service will not stop it, it is stopped.
            if error.kind is Kind.CONFLICT and seen.observed.phase is Phase.FAILED:
                return True
            raise
        return False

    def _close_unowned(self, seen: Sighting, tags: Mapping[str, str]) -> bool:
        """Leave a mark for a Create that was killed before it took the lease and is delivered once more.

        A model that runs with no owner is somebody's: it is not tagged unless adopting was asked for.
        """
        closing = lease.Closing.parse(tags.get(Tag.CLOSED))
        if closing and closing.issued > self.claim.issued:
            return False
        if seen.observed.phase in lease.RUNNING and not self.claim.adopt:
            return False
        try:
            self._reopen(seen, tags)
            self.service.tag(seen.arn, lease.closing_tag(self.claim))
        except ServiceError as error:
            if error.kind is Kind.TRANSIENT:
                raise
            # After a replacement the policy no longer names the old model, and nothing here is ours.
            return False
        return True

    def fail(self, reason: str) -> None:
        # No verdict is left in the lease: while a model is closed the policy lets nobody write there.
        self.settled = Settled(ok=False, reason=reason)

    give_up = fail


def _intent(mark: Mark, seen: Sighting) -> Mark:
    return mark.at(State.starting(seen.observed.phase), hosted_at="")


def _foreign(seen: Sighting, verdict: Verdict) -> str:
    advice = (
        "remove it from there first, or, if that stack is gone, remove the model's hosted-model: tags"
        if verdict.reason.startswith("it is owned")
        else "stop it, or declare it with on_running=OnRunning.ADOPT"
    )
    return f"{seen.observed.name} is not this stack's to command: {verdict.reason}; {advice}"
