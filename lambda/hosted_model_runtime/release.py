"""Release: the model is stopped if this resource owns it, and the lease is gone."""

from __future__ import annotations

from collections.abc import Mapping

from . import lease
from .contract import Tag
from .lease import Standing, Verdict
from .reconcile import Phase, Step, Stop, Stopped, Wait, decide
from .services.base import Kind, ServiceError, Sighting
from .target import SUPERSEDED, Settled, Target


class Release(Target):
    """Goal: the model is stopped if this resource owns it, and the lease is gone."""

    goal = Stopped()
    #: Whether the policy refused the mark on a model that nobody owns.
    _unclaimed = False

    def _judge(self, tags: Mapping[str, str], phase: Phase) -> Verdict:
        return lease.judge_release(tags, self.claim)

    def _cycle(self) -> Settled | None:
        seen = self._look()
        if not seen.arn:
            return Settled(ok=True)
        step = decide(self.goal, seen.observed, started=False)
        self.waiting = isinstance(step, Wait)
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
        taken = self._take(seen, tags, lease.first_mark(self.claim, tags, verdict.mark), closing=True)
        # What was seen before that is no ground for letting go: look again.
        return self._cycle() if taken else None

    def _release(self, seen: Sighting, step: Step) -> Settled | None:
        if isinstance(step, Wait) or (isinstance(step, Stop) and not self._stop(seen)):
            return None
        self.service.untag(seen.arn, Tag.OWNER)
        return Settled(ok=True)

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
            # Perhaps a policy that has not spread yet: a Create that is still under way has the same one.
            self._unclaimed = error.kind is Kind.DENIED
            if error.kind in (Kind.TRANSIENT, Kind.DENIED):
                raise
            return False
        return True

    def fail(self, reason: str) -> None:
        # No verdict is left in the lease: while a model is closed the policy lets nobody write there. After a
        # replacement the policy does not name the old model any more: nothing there was this resource's.
        self.settled = Settled(ok=self._unclaimed, reason=reason)

    give_up = fail
