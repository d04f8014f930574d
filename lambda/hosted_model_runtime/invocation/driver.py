"""Drives one request through one invocation: look, move, wait, and again.

In comes a request, with what it needs: adapters, a clock, a relay. Out comes an ``Outcome``: the request has
ended, or the next invocation goes on. A failure is answered before CloudFormation stops waiting, and an
invocation ends without an end only if a successor is arranged or Lambda is told to try again.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..contract import Metric
from ..decisions.ends import Done, Failed, HandedOver, Superseded
from ..decisions.moves import Goal, Task
from ..decisions.polling import LONGEST, NOTHING, first_wait, interval, step_interval, widened
from ..decisions.request import Claim, InvalidRequestError, Request
from ..decisions.tokens import fingerprint
from ..services.base import Kind, ResizesInPlace, Service, ServiceError
from .clock import Clock
from .leased_model import LeasedModel
from .outcome import Facts, Outcome

logger = logging.getLogger(__name__)

#: Lambda delivers an event within a second or two. One that comes later is a retry, a second delivery, or
#: waited in a queue: by then the request may have been answered, and its stack deleted.
LATE_SECONDS = 5.0
#: A rule of EventBridge's shortest rate, a minute, ticks for the first time 60 to 120 s after it is put. So
#: many seconds before the invocation ends it is put, and once more if that tick is lost.
HANDOVER_SECONDS = (150.0, 25.0)
#: A rule that was removed is not put again before the previous invocation has seen that it is gone.
SEEN_SECONDS = 6.0
#: The end is far while it is more than two ticks of the rule away.
FAR_SECONDS = 120.0
#: What an invocation keeps for its last steps: to leave, or to answer.
LAST_SECONDS = 8.0
#: This long before CloudFormation stops waiting, a failure is answered even if the lease has no note of it.
#: The answer's four attempts can take as long.
LAST_CALL_SECONDS = 20.0
#: Lambda delivers an event three times at most: again a minute and two minutes after a delivery that failed.
REDELIVERY_SECONDS = (60.0, 120.0)

ADVICE: Mapping[Kind, str] = {
    # Of models that run at once, or of units: the services have one error for both.
    Kind.QUOTA: "ask for a higher quota of what the service names, or use less of it: stop another model "
    "where it is models, lower min_inference_units or max_inference_units where it is units",
    Kind.DENIED: "the function's role needs this permission on the model",
    Kind.INVALID: "correct the property that the service names",
}

CODES: Mapping[Kind, str] = {
    Kind.QUOTA: Metric.QUOTA,
    Kind.DENIED: Metric.DENIED,
    Kind.INVALID: Metric.INVALID,
}


class Relay(Protocol):
    """The EventBridge rule that carries a request from one invocation to the next.

    ``ticked`` says whether it brought the event of this invocation.
    """

    ticked: bool

    def put(self) -> None: ...

    def taken_over(self) -> bool:
        """Say whether the next invocation has begun: it removes the rule that this one put, or leaves."""

    def leave(self) -> bool:
        """Let the rule tick on, and say that nobody waits for it; False: it cannot be relied on."""

    def remove(self) -> bool: ...

    def supersede(self, request_id: str) -> None:
        """Remove the rule of a request that this one took a model from."""


class OutOfTimeError(RuntimeError):
    """The invocation ends, and no next one has begun. It fails, so that Lambda delivers the event again."""


@dataclass(slots=True)
class _Trouble:
    """The errors of the last look, and since when which calls are refused for want of permission."""

    transient: bool = False
    retry_after: float | None = None
    denied: dict[str, float] = field(default_factory=dict)
    last: str = ""


class Driver:
    """One request in one invocation."""

    def __init__(
        self,
        request: Request,
        connect: Callable[[str], Service],
        clock: Clock,
        relay: Relay,
        models: int = 1,
        patience: float = 1.0,
    ) -> None:
        self.request, self._clock, self._relay, self._connect = request, clock, relay, connect
        self._trouble, self._width, self._patience = _Trouble(), 1.0, patience
        self._random = random.Random(request.request_id)  # noqa: S311
        self.physical_id = physical_id(request, connect)
        self._models = self._plan()
        self._puts = 0
        #: Whether the rule was put because the end is far; when this tick removed it, to go on itself.
        self._put_early, self._went_on = False, 0.0
        self._models_of_stack, self._looked_at, self._calm = models, clock.now(), True
        self._deadline, self._why_so_early = request.deadline, ""
        self._is_last_delivery = self._looks_like_the_last_delivery()

    def drive(self) -> Outcome:
        """Return the outcome.

        Raises
        ------
        OutOfTimeError
            When the invocation ends before the request did, and no next one has begun.
        """
        lets_go = self._models[0].task.goal is Goal.RELEASE
        if self._clock.now() >= self.request.expiry or (self.request.is_overdue and not lets_go):
            return self._ended(Superseded("CloudFormation no longer waits for this request"))
        wait = first_wait(self._models_of_stack, self._random.random())
        if wait and not self._relay.ticked:
            self._clock.sleep(wait)
        polls = 0
        while True:
            self._advance()
            if (end := self._end()) is not None:
                return self._ended(end)
            if self._leaves():
                return self._ended(HandedOver())
            self._clock.sleep(self._pause(polls))
            polls += 1

    # --- what the request is about --------------------------------------------------------------------------

    def _plan(self) -> list[LeasedModel]:
        """Return the models that the request is about, that of its own properties first."""
        request = self.request
        service = self._connect(request.service)
        if request.type == "Delete":
            # The properties name the model, not the physical ID: CloudFormation may have invented that.
            declared = _declared_id(service, request.model)
            return [self._leased(service, request.model, declared, Goal.RELEASE)]
        old = self._old()
        if old is None or old[2] == self.physical_id:
            return [self._leased(service, request.model, self.physical_id, Goal.HOST)]
        replaced = self._leased(*old, Goal.HOST)
        models = [self._leased(service, request.model, self.physical_id, Goal.HOST, replaced)]
        if request.physical_id == self.physical_id:
            # This rolls back an update that was cancelled before it answered: the physical ID is still that
            # from before it. CloudFormation sees no replacement, and sends no Delete for the model that the
            # cancelled update may have started. So this request lets go of that one, too.
            released = self._leased(*old, Goal.RELEASE, hosts=models[0].arn)
            models = [released] if request.is_overdue else [*models, released]
        return models

    def _old(self) -> tuple[Service, Mapping[str, str], str] | None:
        """Return what was declared before an update, or what a rollback undoes, and its physical ID."""
        request = self.request
        if request.old_model is None or request.old_service is None:
            return None
        try:
            service = self._connect(request.old_service)
            return service, request.old_model, _declared_id(service, request.old_model)
        except InvalidRequestError:
            return None

    def _leased(
        self,
        service: Service,
        model: Mapping[str, str],
        declared_id: str,
        goal: Goal,
        replaced: LeasedModel | None = None,
        hosts: Callable[[], str] = lambda: "",
    ) -> LeasedModel:
        claim = Claim(self.request, fingerprint(declared_id))
        task = Task(
            claim,
            goal,
            service.running,
            service.stopped,
            replaces=replaced is not None,
            in_place=isinstance(service, ResizesInPlace),
            fenced=service.fenced,
            came_late=self._clock.now() > self.request.issued.timestamp() + LATE_SECONDS,
            patience=self._patience,
        )
        former = replaced.as_former if replaced else lambda: (False, NOTHING)
        return LeasedModel(service, model, task, self._clock.now, former, self._relay.supersede, hosts)

    # --- one look -------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        self._trouble.transient, self._trouble.retry_after = False, None
        self._looked_at = self._clock.now()
        calm = True
        first = self._models[0]
        for model in self._models:
            # What a rollback gives up may be the model that it hosts, under another name: it waits for the
            # lease of that one.
            waits = model is not first and first.end is None and first.progress.mark is None
            if model.end is None and not waits:
                calm = self._advance_one(model) and calm
        self._calm = calm
        self._width = widened(self._width, calm=not self._trouble.transient)
        if calm:
            self._trouble.denied.clear()

    def _advance_one(self, model: LeasedModel) -> bool:
        """Make one model's next moves; False when a call failed."""
        late = self._clock.now() >= self._deadline
        if late:
            model.fail(self._timed_out(model), Metric.TIMEOUT, aborts=True)
        try:
            model.advance()
        except ServiceError as error:
            self._meet(model, error)
            return False
        finally:
            if late and self._is_last_call():
                model.give_up()
        return True

    def _is_last_call(self) -> bool:
        last_call = self.request.expiry - LAST_CALL_SECONDS
        return self._clock.now() >= last_call or self._clock.remaining() <= LAST_SECONDS

    def _meet(self, model: LeasedModel, error: ServiceError) -> None:
        trouble, now = self._trouble, self._clock.now()
        trouble.last = str(error)
        if error.kind in ADVICE:
            trouble.last = f"{trouble.last.rstrip('. ')}; {ADVICE[error.kind]}"
        logger.warning("%s (%s)", error, error.kind.value)
        if error.kind is Kind.TRANSIENT:
            trouble.transient, trouble.retry_after = True, error.retry_after
        if error.kind is Kind.DENIED:
            # Each call by itself: where a policy has spread, it may be the fence that refuses the next one.
            since = trouble.denied.setdefault(error.call, now)
            if now - since < self._grace(model):
                return
        if error.kind in ADVICE and model.progress.failing is None:
            model.fail(trouble.last, CODES[error.kind])
            self._advance_one(model)

    def _grace(self, model: LeasedModel) -> float:
        """Return how long to wait for a permission: to let go, until the deadline, lest the model runs on.

        But if only its closing tag is refused, the model was never its own.
        """
        lets_go = model.task.goal is Goal.RELEASE and not model.progress.close_denied
        return float("inf") if lets_go else model.task.policy_behind

    def _timed_out(self, model: LeasedModel) -> str:
        seen = f": {model.last_seen}" if model.last_seen else ""
        trouble = f"; last error: {self._trouble.last}" if self._trouble.last else ""
        why = self._why_so_early or f"not finished after {self.request.timeout} s (hosting_timeout)"
        return f"{why}{seen}{trouble}"

    # --- the end --------------------------------------------------------------------------------------------

    def _end(self) -> Done | Failed | Superseded | None:
        first = self._models[0].end
        if self._clock.remaining() <= LAST_SECONDS:
            first = first or self._models[0].parting
        if isinstance(first, Superseded):
            return first
        ends = [first, *(model.end for model in self._models[1:])]
        if None in ends:
            return None
        failures = [end for end in ends if isinstance(end, Failed)]
        if failures:
            reasons = [end.reason.rstrip(". ") for end in failures[:-1]] + [failures[-1].reason]
            return Failed("; ".join(reasons), failures[0].code)
        return first

    def _ended(self, end: Done | Failed | Superseded | HandedOver) -> Outcome:
        first = self._models[0]
        hosted = tuple(model.hosted for model in self._models if model.hosted)
        marks = [model.progress.mark for model in self._models]
        early = any(mark and mark.last_start.seconds > FAR_SECONDS for mark in marks)
        facts = Facts(first.model, isinstance(first.end, Superseded), hosted, early)
        return Outcome(end, self.physical_id, facts)

    # --- time -----------------------------------------------------------------------------------------------

    def _is_far(self) -> bool:
        """Say whether the end of every start that is waited for is so far that ticks are soon enough."""
        now = self._clock.now()
        starts = [model.start for model in self._models if model.end is None]
        if not self._calm or any(model.progress.failing for model in self._models):
            return False
        far = min([start.far if start else 0.0 for start in starts] + [self._deadline - now])
        # Until a tick has come, this invocation stays. Then it must have been worth a rule.
        return far > (FAR_SECONDS if self._relay.ticked else 2 * FAR_SECONDS)

    def _leaves_early(self) -> bool:
        """Leave to the rule's ticks while the end is far.

        Only a tick does that: it shows that ticks come. Until then the invocation that put the rule stays.
        """
        if self._is_far():
            if self._relay.ticked and not self._put_early and self._relay.leave():
                return True
            self._put_early = self._put_early or self._put_rule()
        elif self._relay.ticked and not self._went_on:
            self._went_on = self._clock.now()
            # This tells the previous invocation that it can leave: it goes on until then.
            self._relay.remove()
        return False

    def _leaves(self) -> bool:
        """Say whether the next invocation has begun, or is to come later; have it called before the end."""
        if self._leaves_early():
            return True
        remaining = self._clock.remaining()
        if self._models[0].parting:
            # What only tidies up needs no successor: its stack, and its function, may go at any moment.
            if (self._puts or self._put_early) and self._relay.remove():
                self._puts, self._put_early = 0, False
            return False
        if self._deadline <= self._clock.now() + remaining - LAST_SECONDS:
            return False
        if (self._puts or self._put_early) and self._relay.taken_over():
            return True
        unseen = self._clock.now() < self._went_on + SEEN_SECONDS
        if self._puts < len(HANDOVER_SECONDS) and remaining <= HANDOVER_SECONDS[self._puts] and not unseen:
            self._puts += self._put_rule()
        if remaining <= LAST_CALL_SECONDS and self._is_last_delivery:
            self._deadline = self._clock.now()
            self._why_so_early = "given up early, because no other invocation came to go on"
        if remaining > LAST_SECONDS:
            return False
        raise OutOfTimeError(f"no invocation has begun to go on with request {self.request.request_id}")

    def _looks_like_the_last_delivery(self) -> bool:
        """Say whether, by the event's age, this is the last of Lambda's three deliveries."""
        age = self._clock.now() - self.request.issued.timestamp()
        return not self._relay.ticked and age >= 2 * self._clock.remaining() + sum(REDELIVERY_SECONDS)

    def _put_rule(self) -> bool:
        try:
            self._relay.put()
        except Exception as error:
            # The next look tries again, until the time is out.
            logger.warning("The relay's rule could not be put: %s", type(error).__name__)
            return False
        return True

    def _pause(self, polls: int) -> float:
        trouble, now = self._trouble, self._clock.now()
        idle = all(model.idle for model in self._models)
        starts = [model.start for model in self._models]
        # After trouble, the next look must tell soon whether it is over.
        look = min(start.interval if start and self._calm else step_interval(polls) for start in starts)
        if self._puts:
            # While it hands over, it must see soon that the next invocation has begun.
            look = min(look, LONGEST)
        draw, models = self._random.random(), self._models_of_stack
        wanted = interval(look, self._width, draw, trouble.retry_after, idle, models, self._calm)
        # From look to look, not from the end of one to the next: so models that share the quota keep apart.
        if models > 1:
            wanted -= now - self._looked_at
        if rests := [model.rest for model in self._models if model.rest]:
            at_work = [model for model in self._models if model.end is None and not model.rest]
            wanted = min(rests + ([wanted] if at_work or self._puts else []))
        end = self._deadline if now < self._deadline else self.request.expiry - LAST_CALL_SECONDS
        # Not past the moments at which the rule is put.
        left = [self._clock.remaining() - moment for moment in (*HANDOVER_SECONDS, LAST_SECONDS)]
        return max(0.05, min(wanted, end - now, *(seconds for seconds in left if seconds > 0.0)))


def physical_id(request: Request, connect: Callable[[str], Service]) -> str:
    """Return the physical ID that every answer to this request carries.

    A Delete answers with the ID it came with; anything else with the identity of what is declared.
    """
    if request.type == "Delete" and request.physical_id:
        return request.physical_id
    return _declared_id(connect(request.service), request.model)


def _declared_id(service: Service, model: Mapping[str, str]) -> str:
    try:
        return service.physical_id(model)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from error
