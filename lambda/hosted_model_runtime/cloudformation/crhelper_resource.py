"""crhelper at the edge: it registers what answers each request type, and sets up the logging.

What crhelper 2.0.12 cannot do without losing a model is done here; each such method names the hazard that it
closes, and ``docs/crhelper-hazards.md`` shows each of them in a run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from crhelper import CfnResource, log_helper

from ..contract import Env, Metric, Property
from ..decisions.ends import Done, Failed, HandedOver, Superseded
from ..decisions.request import InvalidRequestError
from ..invocation import emf, metrics
from ..invocation.clock import Clock, LambdaClock
from ..invocation.driver import HANDOVER_SECONDS, OutOfTimeError
from ..invocation.outcome import Outcome
from ..invocation.relay import RuleRelay
from ..services.base import CLIENT_CONFIG, shared_session
from . import answer
from .events import ISSUED_MARK, POLL_MARK, is_scheduled, issued

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a registered function gets beside the event: the time that is left, and how to go on after it."""

    clock: Clock
    relay: RuleRelay


Handle = Callable[[Mapping[str, Any], Invocation], Outcome]


@cache
def _events() -> Any:
    # Made when a rule is needed, not at cold start: most requests never need one.
    return shared_session().create_client("events", config=CLIENT_CONFIG)


class HostedModelResource(CfnResource):  # type: ignore[misc]
    """Answers CloudFormation's requests with what a registered function returns: an ``Outcome``."""

    # Hazard: three SDK clients at import, none of which this resource needs then; DEBUG by default, which
    # logs the event with its presigned ResponseURL; a Delete that sleeps for two minutes.
    def __init__(self, physical_id: Callable[[Mapping[str, Any]], str], log_level: str = "INFO") -> None:
        # Not super().__init__: it would make the clients.
        self._log_level, self._boto_level, self._json_logging = log_level, "ERROR", True
        self._event: Mapping[str, Any] = {}
        self._physical_id = physical_id

    def every_request(self, func: Handle) -> Handle:
        """Register one function for all requests and their ticks: a reconciler needs no more."""
        for register in (self.create, self.update, self.delete):
            register(func)
        for register in (self.poll_create, self.poll_update, self.poll_delete):
            register(func)
        # crhelper finds a function by the request's type; a schedule's requests are the same work.
        self._start_func = self._stop_func = self._poll_start_func = self._poll_stop_func = func
        return func

    # Hazard: whatever goes wrong after the work is done (removing a rule, say) is answered with FAILED; a
    # tick after the end answers once more, differently; NoEcho, Data and a failed initialisation of one
    # request stick to the next. Here nothing of a request is kept, and an error that is nobody's answer ends
    # the invocation, so that Lambda delivers the event again.
    # Hazard: half a second before the time is out a timer answers FAILED with an empty physical ID. The
    # driver looks at the remaining time by itself, and no single call can outlast its margin.
    def __call__(self, event: dict[str, Any], context: Any) -> None:
        self._log_setup(event, context)
        clock = LambdaClock(context)
        relay, began, span = self._relay(event, context, clock), clock.now(), clock.remaining()
        if POLL_MARK in event:
            # The predecessor watches until it sees this rule gone.
            relay.remove()
        outcome = self._handle(event, Invocation(clock, relay))
        handed_over = isinstance(outcome.end, HandedOver)
        if not handed_over and (relay.was_put or _may_have_left_a_rule(event, began, span, clock)):
            # Before the answer: once CloudFormation has it, this function may be deleted.
            relay.remove()
        self._tell(event, outcome, clock)
        # Not before: an answer that is not taken is given once more by the next invocation.
        _measure(event, outcome, clock)

    # Hazard: the debug line of every invocation carries the ResponseURL, whatever level the root logger has.
    def _log_setup(self, event: Mapping[str, Any], context: Any) -> None:
        log_helper.setup(
            self._log_level,
            boto_level=self._boto_level,
            RequestType=event["RequestType"],
            StackId=event["StackId"],
            RequestId=event["RequestId"],
            LogicalResourceId=event["LogicalResourceId"],
            aws_request_id=context.aws_request_id,
        )
        logging.getLogger("crhelper").setLevel(logging.WARNING)

    # Hazard: what the function returns becomes the physical ID (True becomes a random one, an error an empty
    # one, an absent one a random one, which CloudFormation takes for a replacement). Here it is an Outcome,
    # and the physical ID is that of what is declared, on every answer.
    def _handle(self, event: Mapping[str, Any], invocation: Invocation) -> Outcome:
        self._event = event
        try:
            outcome: Outcome = self._get_func()(event, invocation)
        except OutOfTimeError:
            raise
        except InvalidRequestError as error:
            # The properties are wrong: a Delete of them has nothing that a request could have started.
            failed = Failed(str(error), Metric.INVALID)
            return Outcome(Done() if event["RequestType"] == "Delete" else failed, self._known_id(event))
        except Exception as error:
            logger.exception("Unexpected")
            return Outcome(Failed(f"unexpected {type(error).__name__}: {error}"), self._known_id(event))
        return outcome

    # Hazard: the answer may exceed 4096 bytes, keeps the end of a Reason instead of its beginning, carries
    # internals in Data; it is sent without a time-out, retried for ever, its HTTP status ignored.
    def _tell(self, event: Mapping[str, Any], outcome: Outcome, clock: Clock) -> None:
        match outcome.end:
            case HandedOver():
                logger.info("Handed over")
                return
            case Superseded(why):
                logger.info("Silent: %s", why)
                return
            case Done(data):
                status, reason = "SUCCESS", ""
            case Failed(reason):
                status, data = "FAILED", {}
        if is_scheduled(event):
            # Nobody waits for an answer: the log and the metrics tell.
            level = logging.INFO if status == "SUCCESS" else logging.ERROR
            logger.log(level, "Scheduled %s: %s", event["RequestType"], reason or "done")
            return
        logger.info("Answer: %s %s", status, reason)
        fields = {
            "Status": status,
            "Reason": reason,
            "PhysicalResourceId": outcome.physical_id,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "NoEcho": False,
            "Data": dict(data),
        }
        answer.put(event["ResponseURL"], answer.body(fields), clock.sleep)

    # Hazard: a random rule name, so that a retried event puts a second rule; a name that can pass the 64
    # characters that EventBridge takes; one AddPermission a resource, which fills the function's policy and
    # needs the right to change it (the construct grants one static permission instead).
    def _relay(self, event: Mapping[str, Any], context: Any, clock: Clock) -> RuleRelay:
        message = {**event, POLL_MARK: True, ISSUED_MARK: int(issued(event, clock.now()).timestamp())}
        arn = ":".join(context.invoked_function_arn.split(":")[:7])
        return RuleRelay(_events, f"{os.environ[Env.RULE_PREFIX]}{event['RequestId']}", arn, message)

    def _known_id(self, event: Mapping[str, Any]) -> str:
        try:
            return self._physical_id(event)
        except InvalidRequestError:
            return str(event.get("PhysicalResourceId") or f"hosted-model/{event['LogicalResourceId']}")


def _may_have_left_a_rule(event: Mapping[str, Any], began: float, span: float, clock: Clock) -> bool:
    """Say whether an earlier delivery, killed since, may have put the rule: it does so near its end."""
    if POLL_MARK in event:
        return True
    return clock.now() - issued(event, began).timestamp() >= span - HANDOVER_SECONDS


def _measure(event: Mapping[str, Any], outcome: Outcome, clock: Clock) -> None:
    """Write metrics; nothing that goes wrong here changes what CloudFormation is told."""
    now = clock.now()
    try:
        properties = event["ResourceProperties"]
        service, model = properties[Property.SERVICE], properties[Property.MODEL]
        for line in metrics.lines(service, model, issued(event, now).timestamp(), outcome, now):
            emf.emit(line)
    except Exception as error:
        logger.warning("Not measured: %s", type(error).__name__)
