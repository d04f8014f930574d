"""What hosting and releasing a model share: finding it, and reading and taking its lease."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from . import lease
from .contract import Tag
from .lease import Claim, Mark, Standing, Verdict
from .reconcile import Phase, Running, Stopped
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
    #: One of ``Metric.REASONS``; empty: none is known.
    code: str = ""


SUPERSEDED = Settled(ok=False, superseded=True)


@dataclass(frozen=True, slots=True)
class Ran:
    """A model that was stopped: since when it was hosted, as its tag says, and until when, epoch seconds."""

    model: Mapping[str, str]
    since: str
    until: float


class Target:
    """What hosting and releasing share: finding the model, and holding its lease."""

    goal: Running | Stopped

    def __init__(
        self, service: Service, model: Mapping[str, str], claim: Claim, now: Callable[[], float]
    ) -> None:
        self.service, self.model, self.claim, self._now = service, model, claim, now
        self.settled: Settled | None = None
        self.last_seen = ""
        #: Whether there is nothing to do but look again, as far as was seen.
        self.waiting = False
        self._mark: Mark | None = None
        self._tags: Mapping[str, str] = {}
        self._exact: Mapping[str, str] | None = None
        self._stop_sent: tuple[float, str] | None = None
        self.ran: Ran | None = None

    @property
    def exact(self) -> Mapping[str, str]:
        """The model with its version's number where that is known: ``latest`` is no version."""
        return self._exact or self.model

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
            self._note_end(seen)
        return seen

    def _stop_model(self, seen: Sighting, verb: str) -> None:
        # Before the call: its response may be lost.
        self._stop_sent = (self._now(), self._mark.hosted_at if self._mark else "")
        self.service.stop(seen, self._token(verb, seen))

    def _note_end(self, seen: Sighting) -> None:
        """Keep how long the model was hosted, once it is seen to stop."""
        if self._stop_sent is None or seen.observed.phase not in (Phase.STOPPING, Phase.STOPPED):
            return
        until, since = self._stop_sent
        self._stop_sent, self.ran = None, Ran(seen.model, since, until) if since else None

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
        self._tags = tags = self.service.tags(seen.arn)
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

    def _stop(self, seen: Sighting) -> bool:
        """Stop the model; True when there is nothing to wait for."""
        try:
            self._stop_model(seen, "Stop")
        except ServiceError as error:
            # A model whose hosting failed serves nothing: where the service will not stop it, it is stopped.
            if error.kind is Kind.CONFLICT and seen.observed.phase is Phase.FAILED:
                return True
            raise
        return False

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
