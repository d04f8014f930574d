"""Observe, decide, act, until done, superseded, out of time, or handed over."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from .contract import Metric, OnRunning
from .hosting import Former, Hosting
from .lease import Claim
from .release import Release
from .request import InvalidRequestError, Request
from .schedule import interval, widened
from .services.base import Kind, Service, ServiceError
from .target import Ran, Settled, Target
from .tokens import fingerprint

logger = logging.getLogger(__name__)

#: EventBridge's shortest rate is a minute: a rule put this long before the end of the invocation has its
#: first tick before that end, so that somebody watches all the time.
HANDOVER_SECONDS = 90.0
#: What an invocation keeps back to end in order.
LAST_SECONDS = 8.0
#: A new policy takes some seconds to be known everywhere; longer than this it is simply missing.
DENIED_GRACE_SECONDS = 30.0

#: Lambda repeats a failed asynchronous invocation after one minute, and again after two.
FRESH_SECONDS = 45.0

ADVICE: Mapping[Kind, str] = {
    Kind.QUOTA: "ask for a higher inference-unit quota, or lower min_inference_units or max_inference_units",
    Kind.DENIED: "the function's role needs this permission on the model",
    Kind.INVALID: "correct the property that the service names",
}


CODES: Mapping[Kind, str] = {
    Kind.QUOTA: Metric.QUOTA,
    Kind.DENIED: Metric.DENIED,
    Kind.INVALID: Metric.INVALID,
}


class Relay(Protocol):
    """The EventBridge rule that carries a request from one invocation to the next."""

    def put(self) -> None: ...

    def taken_over(self) -> bool:
        """Say whether the successor has removed the rule that this invocation put."""


class Watch(Protocol):
    """Time: injected, so that tests need not wait."""

    def now(self) -> float:
        """Epoch seconds."""

    def remaining(self) -> float:
        """Seconds until Lambda ends this invocation."""

    def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What metrics need beside the outcome (see ``report.py``); CloudFormation is told none of it.

    Attributes
    ----------
    model
        The model with its version's number; empty where none was looked at.
    code
        Why a request failed, one of ``Metric.REASONS``; empty where no code is known.
    superseded
        Whether a later request commands the model.
    ran
        The models that this invocation saw stop.
    """

    model: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    superseded: bool = False
    ran: tuple[Ran, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What CloudFormation is told."""

    ok: bool
    physical_id: str
    reason: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts, compare=False)


@dataclass(frozen=True, slots=True)
class Silent:
    """A later request commands the model, or CloudFormation no longer waits: say nothing, touch nothing."""

    why: str
    facts: Facts = field(default_factory=Facts, compare=False)


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The successor watches on."""

    facts: Facts = field(default_factory=Facts, compare=False)


Outcome = Answer | Silent | HandedOver


class OutOfTimeError(RuntimeError):
    """The invocation ends and no successor could be arranged: Lambda's own retry goes on."""


@dataclass(slots=True)
class _Trouble:
    """What the last look met, and since when a permission is missing."""

    transient: bool = False
    retry_after: float | None = None
    denied_since: float | None = None
    last: str = ""


class Host:
    """Drives one request in one invocation."""

    def __init__(
        self,
        request: Request,
        connect: Callable[[str], Service],
        watch: Watch,
        relay: Relay,
    ) -> None:
        self.request, self._watch, self._relay = request, watch, relay
        self._connect = connect
        self._trouble, self._width = _Trouble(), 1.0
        self._random = random.Random(request.request_id)  # noqa: S311
        self.physical_id = physical_id(request, connect)
        self._targets = self._plan()
        self._handed_over = False

    def drive(self) -> Outcome:
        """Return the outcome.

        Raises
        ------
        OutOfTimeError
            When the invocation ends before the request did, and the relay's rule could not be put.
        """
        if self._watch.now() >= self.request.expiry:
            return Silent("CloudFormation no longer waits for this request")
        polls = 0
        while True:
            if self._watch.now() >= self.request.deadline:
                self._give_up()
            else:
                self._advance()
            if (outcome := self._outcome()) is not None:
                return replace(outcome, facts=self._facts())
            if self._leaves():
                return HandedOver(self._facts())
            self._watch.sleep(self._pause(polls))
            polls += 1

    def _plan(self) -> list[Target]:
        request = self.request
        service = self._connect(request.service)
        if request.type == "Delete":
            # By what was declared: CloudFormation may send a physical ID that it invented.
            claim = self._claim(_identity(service, request.model))
            return [Release(service, request.model, claim, self._watch.now)]
        claim = self._claim(self.physical_id)
        hosting = Hosting(service, request.model, claim, self._watch.now, request.units, self._former())
        return [hosting, *self._abandoned()]

    def _old(self) -> tuple[Service, Mapping[str, str], str] | None:
        """Return what was declared before an update, or what a rollback undoes, and its identity."""
        request = self.request
        if request.old_model is None or request.old_service is None:
            return None
        try:
            service = self._connect(request.old_service)
            return service, request.old_model, _identity(service, request.old_model)
        except InvalidRequestError:
            return None

    def _former(self) -> Former | None:
        """Return the model that this update replaces."""
        if (old := self._old()) is None:
            return None
        service, model, identity = old
        return Former(service, model, self._claim(identity), self._watch.now)

    def _abandoned(self) -> list[Target]:
        """Return the model of an update that CloudFormation undoes without ever having learnt its ID.

        A rollback of a cancelled update comes with the physical ID from before it: as that does not change,
        CloudFormation sends no Delete for what the cancelled update may have started.
        """
        if (old := self._old()) is None:
            return []
        service, model, identity = old
        if identity == self.physical_id or self.request.physical_id != self.physical_id:
            return []
        return [Release(service, model, self._claim(identity), self._watch.now)]

    def _claim(self, identity: str) -> Claim:
        request = self.request
        return Claim(
            stack_id=request.stack_id,
            logical_id=request.logical_id,
            request_id=request.request_id,
            type=request.type,
            issued=request.issued,
            identity=fingerprint(identity),
            adopt=request.on_running == OnRunning.ADOPT,
            has_hours=request.has_hours,
            fresh=self._watch.now() - request.issued.timestamp() < FRESH_SECONDS,
        )

    def _advance(self) -> None:
        calm = True
        self._trouble.transient, self._trouble.retry_after = False, None
        for target in self._targets:
            try:
                target.advance()
            except ServiceError as error:
                calm = False
                self._meet(target, error)
        self._width = widened(self._width, calm=not self._trouble.transient)
        if calm:
            self._trouble = _Trouble(last=self._trouble.last)

    def _meet(self, target: Target, error: ServiceError) -> None:
        trouble = self._trouble
        trouble.last = str(error)
        logger.warning("%s (%s)", error, error.kind.value)
        if error.kind is Kind.TRANSIENT:
            trouble.transient = True
            trouble.retry_after = error.retry_after
        elif error.kind is Kind.DENIED:
            trouble.denied_since = trouble.denied_since or self._watch.now()
            if self._watch.now() - trouble.denied_since >= DENIED_GRACE_SECONDS:
                self._fail(target, error)
        elif error.kind in (Kind.QUOTA, Kind.INVALID):
            self._fail(target, error)

    def _fail(self, target: Target, error: ServiceError) -> None:
        reason = f"{error}; {ADVICE[error.kind]}"
        try:
            target.fail(reason)
        except ServiceError:
            target.settled = Settled(ok=False, reason=reason)
        _note_code(target, CODES[error.kind])

    def _give_up(self) -> None:
        for target in self._targets:
            if target.settled is not None:
                continue
            seen = f": {target.last_seen}" if target.last_seen else ""
            trouble = f"; last error: {self._trouble.last}" if self._trouble.last else ""
            reason = f"not finished after {self.request.timeout} s (hosting_timeout){seen}{trouble}"
            try:
                target.give_up(reason)
            except ServiceError as error:
                logger.warning("%s (%s)", error, error.kind.value)
            if target.settled is None:
                target.settled = Settled(ok=False, reason=reason)
            _note_code(target, Metric.TIMEOUT)

    def _outcome(self) -> Outcome | None:
        ends = [target.settled for target in self._targets]
        if ends[0] is not None and ends[0].superseded:
            return Silent("a later request commands the model")
        settled = [end for end in ends if end is not None]
        if len(settled) < len(ends):
            return None
        wrong = [end.reason for end in settled if not end.ok and not end.superseded]
        if wrong:
            return Answer(ok=False, physical_id=self.physical_id, reason="; ".join(wrong))
        return Answer(ok=True, physical_id=self.physical_id, data=settled[0].data)

    def _facts(self) -> Facts:
        ends = [target.settled for target in self._targets if target.settled is not None]
        first = self._targets[0]
        return Facts(
            model=first.exact,
            code=next((end.code for end in ends if end.code), ""),
            superseded=first.settled is not None and first.settled.superseded,
            ran=tuple(target.ran for target in self._targets if target.ran),
        )

    def _leaves(self) -> bool:
        remaining = self._watch.remaining()
        if self.request.deadline <= self._watch.now() + remaining - LAST_SECONDS:
            return False
        if self._handed_over and self._relay.taken_over():
            return True
        if remaining <= HANDOVER_SECONDS and not self._handed_over:
            self._handed_over = self._put_rule()
        if remaining > LAST_SECONDS:
            return False
        if not self._handed_over:
            raise OutOfTimeError(f"no rule could be put for request {self.request.request_id}")
        return True

    def _put_rule(self) -> bool:
        try:
            self._relay.put()
        except Exception as error:
            # Tried again at every look until the time is out.
            logger.warning("The relay's rule could not be put: %s", type(error).__name__)
            return False
        return True

    def _pause(self, polls: int) -> float:
        trouble, now = self._trouble, self._watch.now()
        waiting = all(target.waiting for target in self._targets)
        wanted = interval(polls, self._width, self._random.random(), trouble.retry_after, waiting)
        until_deadline = self.request.deadline - now
        return max(0.05, min(wanted, until_deadline, self._watch.remaining() - LAST_SECONDS))


def _note_code(target: Target, code: str) -> None:
    end = target.settled
    if end is not None and not end.ok and not end.superseded and not end.code:
        target.settled = replace(end, code=code)


def physical_id(request: Request, connect: Callable[[str], Service]) -> str:
    """Return the physical ID that every answer to this request carries.

    A Delete answers with the ID it came with; anything else with the identity of what is declared.
    """
    if request.type == "Delete" and request.physical_id:
        return request.physical_id
    return _identity(connect(request.service), request.model)


def _identity(service: Service, model: Mapping[str, str]) -> str:
    try:
        return service.identity(model)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from error
