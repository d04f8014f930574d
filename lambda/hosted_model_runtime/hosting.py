"""Hosting: the model runs with the units that the request declares, and the request commands it.

Outside its hosting hours it is stopped instead, and stays its owner's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from . import lease
from .contract import Attribute, Metric, Scheduled
from .lease import Claim, Mark, Standing, State, Verdict
from .reconcile import Done, Fail, Phase, Running, Start, Step, Stop, Stopped, Wait, decide
from .request import Units
from .services.base import Kind, Service, ServiceError, Sighting
from .target import SUPERSEDED, Settled, Target

#: A call that a superseded request has under way lands within the SDK's connect and read time-outs.
IN_FLIGHT_SECONDS = 15.0
STRIPPED = "the model's hosted-model: tags were removed while this request commanded it"
REPORTED = "this request was reported as failed before; the function's log has the reason"


class Former(Target):
    """The model that an update replaces."""

    def is_asleep(self) -> bool:
        """Say whether this resource left it stopped because its hours are over."""
        seen = self._look()
        if not seen.arn:
            return False
        tags = self.service.tags(seen.arn)
        return self._is_mine(tags) and lease.is_asleep(tags)


class Hosting(Target):
    """Goal: the model runs with these units, and this request commands it; or it sleeps until its hours."""

    goal: Running

    def __init__(
        self,
        service: Service,
        model: Mapping[str, str],
        claim: Claim,
        now: Callable[[], float],
        units: Units,
        former: Former | None = None,
    ) -> None:
        super().__init__(service, model, claim, now)
        self.units, self._former = units, former
        self.goal = Running(
            units.minimum, units.maximum, may_resize=claim.type == "Update", any_units=claim.scheduled
        )
        self._accepted = self._refused = self._unsure = False
        self._quiet_until = 0.0

    def _judge(self, tags: Mapping[str, str], phase: Phase) -> Verdict:
        return lease.judge(tags, self.claim, phase)

    def _cycle(self) -> Settled | None:
        seen = self._look()
        step = self._step(seen)
        self.waiting = isinstance(step, Wait)
        if self._mark and (self._is_quiet() or (isinstance(step, Wait) and not self._unsure)):
            self._note_start(seen)
            return None
        self._unsure = False
        if not seen.arn and self.claim.type == Scheduled.STOP:
            return SUPERSEDED
        if not seen.arn:
            return self._failure(step.reason if isinstance(step, Fail) else "", None)
        tags, verdict = self._read(seen)
        match verdict.standing:
            case Standing.SUPERSEDED:
                return SUPERSEDED
            case Standing.FOREIGN:
                return Settled(ok=False, reason=_foreign(seen, verdict), code=Metric.FOREIGN)
            case Standing.HELD if verdict.mark:
                return self._command(seen, verdict.mark)
            case Standing.FREE if self._mark and (lost := self._lost_to(verdict.mark)):
                return lost
        return self._begin(seen, tags, verdict.mark)

    def _is_quiet(self) -> bool:
        return self._now() < self._quiet_until

    def _step(self, seen: Sighting) -> Step:
        if self._mark and self._mark.state.asleep:
            return decide(Stopped(), seen.observed, started=False)
        return decide(self.goal, seen.observed, self._started(seen))

    def _begin(self, seen: Sighting, tags: Mapping[str, str], before: Mark | None) -> Settled | None:
        """Take the lease, unless the model is in no condition to be hosted."""
        step = decide(self.goal, seen.observed, started=False)
        if isinstance(step, Fail) and self.claim.type != Scheduled.STOP:
            return Settled(ok=False, reason=step.reason, code=Metric.INVALID)
        first = mark = lease.first_mark(self.claim, tags, before, str(self.units))
        in_flight = lease.is_in_flight(tags, before)
        if self._sleeps(tags):
            first = mark = first.at(State.SLEEPING)
        elif isinstance(step, Start) and not in_flight:
            mark = _intent(first, seen)
        if not self._take(seen, tags, mark):
            self._unsure = True
            return None
        if in_flight or lease.is_in_flight(self._tags, before):
            # What was superseded may have a call under way: let it land, then look at the model and at the
            # lease again. A schedule may have come just before this request's own mark was there.
            if mark != first:
                self._write(seen, first)
            self._be_quiet(IN_FLIGHT_SECONDS)
            return None
        return self._command(seen, mark)

    def _be_quiet(self, seconds: float) -> None:
        self._quiet_until, self._unsure = self._now() + seconds, True

    def _sleeps(self, tags: Mapping[str, str]) -> bool:
        """Say whether the model is to be stopped: its hours are over, and an update does not wake it."""
        if self.claim.scheduled:
            return self.claim.type == Scheduled.STOP
        if not self.claim.has_hours or self.claim.type != "Update":
            return False
        if lease.owns(tags, self.claim):
            return lease.is_asleep(tags)
        return self._former is not None and self._former.is_asleep()

    def _command(self, seen: Sighting, mark: Mark) -> Settled | None:
        """Take the next step; the lease was read in this cycle, and it is this request's."""
        self._mark = mark
        if mark.state.settled:
            return self._again(seen, mark)
        match self._step(seen):
            case Start():
                self._start(seen, mark)
            case Stop():
                return self._asleep(seen, mark) if self._stop(seen) else None
            case Done() if mark.state.asleep:
                return self._asleep(seen, mark)
            case Done():
                return self._done(seen, mark)
            case Fail(reason):
                return None if self._tries_again(seen) else self._failure(reason, seen, _code(seen))
        return None

    def _start(self, seen: Sighting, mark: Mark) -> None:
        intent = _intent(mark, seen)
        if mark != intent:
            # Written first: whoever comes after a kill and finds another phase knows that the start happened.
            self._write(seen, intent)
            if not self._still_held(seen):
                return
        units = (Units.parse(mark.units) if self.claim.scheduled else None) or self.units
        verb = "Start" if mark.attempt == 1 else f"Start {mark.attempt}"
        try:
            self.service.start(seen, units, self._token(verb, seen, units))
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
        return self._settle(seen, mark.at(State.DONE, hosted_at))

    def _asleep(self, seen: Sighting, mark: Mark) -> Settled | None:
        return self._settle(seen, mark.at(State.ASLEEP))

    def _settle(self, seen: Sighting, mark: Mark) -> Settled | None:
        self._write(seen, mark)
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
                Attribute.STATUS: self.service.stopped if mark.state.asleep else self.service.running,
                Attribute.HOSTED_AT: mark.hosted_at,
            },
        )

    def fail(self, reason: str) -> None:
        seen = self._look() if self._mark else None
        if seen is None or not self._tries_again(seen):
            self.settled = self._failure(reason, seen)

    def _tries_again(self, seen: Sighting) -> bool:
        """Try a scheduled start once more, after a while: nobody is there to ask for it again."""
        if self.claim.type != Scheduled.START or not seen.arn:
            return False
        verdict = self._read(seen)[1]
        mark = verdict.mark if verdict.standing is Standing.HELD else None
        if mark is None or mark.state.settled or mark.attempt >= Scheduled.ATTEMPTS:
            return False
        self._write(seen, replace(mark, attempt=mark.attempt + 1, state=State.HELD, hosted_at=""))
        self._accepted = self._refused = False
        self._be_quiet(Scheduled.RETRY_SECONDS)
        return True

    def _failure(self, reason: str, seen: Sighting | None, code: str = "") -> Settled:
        """Fail, and leave that verdict in the lease for a repeat of this request."""
        if self._mark is None or seen is None or not seen.arn:
            return Settled(ok=False, reason=reason, code=code)
        verdict = self._read(seen)[1]
        if verdict.standing is not Standing.HELD or verdict.mark is None:
            return SUPERSEDED
        if verdict.mark.state.settled:
            # Another delivery of this request was quicker.
            return self._again(seen, verdict.mark)
        self._write(seen, verdict.mark.at(State.FAILED))
        return Settled(ok=False, reason=reason, code=code)

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


def _intent(mark: Mark, seen: Sighting) -> Mark:
    return mark.at(State.starting(seen.observed.phase), hosted_at="")


def _code(seen: Sighting) -> str:
    return Metric.HOSTING_FAILED if seen.observed.phase is Phase.FAILED else Metric.OTHER


def _foreign(seen: Sighting, verdict: Verdict) -> str:
    advice = (
        "remove it from there first, or, if that stack is gone, remove the model's hosted-model: tags"
        if verdict.reason.startswith("it is owned")
        else "stop it, or declare it with on_running=OnRunning.ADOPT"
    )
    return f"{seen.observed.name} is not this stack's to command: {verdict.reason}; {advice}"
