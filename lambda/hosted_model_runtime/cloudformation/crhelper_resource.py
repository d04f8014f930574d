"""One invocation from event to answer, with crhelper at the edge.

In comes an event in CloudFormation's shape. A registered function turns it into an ``Outcome``, which becomes
the answer, or a line in the log. The relay's rule is removed before the answer is sent, and every answer to a
request carries the same physical ID. A warm function keeps nothing of a request for the next one.

crhelper registers the function for each request type, and sets up the logging. What crhelper 2.0.12 does in a
way that can lose a model is done here instead. Each comment "Hazard" says what crhelper would do;
``docs/crhelper-hazards.md`` shows each of them in a run.
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
from ..invocation.clock import Clock, LambdaClock
from ..invocation.driver import HANDOVER_SECONDS, REDELIVERY_SECONDS, OutOfTimeError
from ..invocation.outcome import Outcome
from ..invocation.relay import RuleRelay
from ..services.base import CLIENT_CONFIG, shared_session
from . import answer
from .events import ISSUED_MARK, POLL_MARK, is_scheduled, issued

logger = logging.getLogger(__name__)

#: An event that is younger than this is Lambda's first delivery; with a margin for clocks that differ.
REPEATED_AFTER_SECONDS = REDELIVERY_SECONDS[0] - 10.0


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a registered function gets beside the event: the clock, and the rule that calls the next one."""

    clock: Clock
    relay: RuleRelay


Handle = Callable[[Mapping[str, Any], Invocation], Outcome]


@cache
def _events() -> Any:
    # Made when a rule is needed, not at cold start: most requests never need one.
    return shared_session().create_client("events", config=CLIENT_CONFIG)


class HostedModelResource(CfnResource):  # type: ignore[misc]
    """Answers CloudFormation's requests with what a registered function returns: an ``Outcome``."""

    # Hazard: crhelper makes three SDK clients at import, before any is needed; it logs at DEBUG by default,
    # and so the event with its presigned ResponseURL; it sleeps for two minutes on every Delete.
    def __init__(self, physical_id: Callable[[Mapping[str, Any]], str], log_level: str = "INFO") -> None:
        # Not super().__init__: it would make the clients.
        self._log_level, self._physical_id = log_level, physical_id

    def every_request(self, func: Handle) -> Handle:
        """Register one function for every request type and for the ticks that continue it."""
        for register in (self.create, self.update, self.delete):
            register(func)
        for register in (self.poll_create, self.poll_update, self.poll_delete):
            register(func)
        # crhelper looks for the function by the request's type, which is Start or Stop for a schedule.
        self._start_func = self._stop_func = self._poll_start_func = self._poll_stop_func = func
        return func

    # Hazard: crhelper answers FAILED if anything goes wrong after the work is done, such as removing a rule.
    # A tick that comes late is answered once more, and differently. NoEcho, Data and a failed initialisation
    # stay for the next request. Here nothing is kept from a request, and an error that is no answer to it
    # ends the invocation: Lambda then delivers the event again.
    # Hazard: half a second before the time is out, crhelper's timer answers FAILED with an empty physical ID.
    # Here there is no timer: the driver watches the remaining time, and every call ends within its margin.
    def __call__(self, event: dict[str, Any], context: Any) -> None:
        self._log_setup(event, context)
        clock = LambdaClock(context)
        relay, began, span = self._relay(event, context, clock), clock.now(), clock.remaining()
        outcome = self._handle(event, Invocation(clock, relay))
        handed_over = isinstance(outcome.end, HandedOver)
        was_put = relay.was_put or outcome.facts.may_leave_early
        if not handed_over and (was_put or _may_have_left_a_rule(event, began, span, clock)):
            # Before the answer: once CloudFormation has it, this function may be deleted.
            relay.remove()
        self._tell(event, outcome, clock)
        # After the answer: if CloudFormation does not take it, the retry answers, and counts, again.
        _measure(event, outcome, clock)

    # Hazard: crhelper's own logger writes the event, and so the ResponseURL, at DEBUG in every invocation,
    # whatever level the root logger has.
    def _log_setup(self, event: Mapping[str, Any], context: Any) -> None:
        log_helper.setup(
            self._log_level,
            boto_level="ERROR",
            RequestType=event["RequestType"],
            StackId=event["StackId"],
            RequestId=event["RequestId"],
            LogicalResourceId=event["LogicalResourceId"],
            aws_request_id=context.aws_request_id,
        )
        logging.getLogger("crhelper").setLevel(logging.WARNING)

    # Hazard: crhelper makes the physical ID of what the function returns: a random one of True or of nothing,
    # an empty one of an error. CloudFormation takes another ID for a replacement. Here the function returns
    # an Outcome, and every answer carries the physical ID of what is declared.
    def _handle(self, event: Mapping[str, Any], invocation: Invocation) -> Outcome:
        self._event = event
        try:
            outcome: Outcome = self._get_func()(event, invocation)
        except OutOfTimeError:
            raise
        except InvalidRequestError as error:
            failed = Failed(str(error), Metric.INVALID)
            if event["RequestType"] == "Delete" and not _may_have_hosted(event):
                # No request with these properties can have started a model, so there is none to stop.
                return Outcome(Done(), self._known_id(event))
            return Outcome(failed, self._known_id(event))
        except Exception as error:
            logger.exception("Unexpected")
            return Outcome(Failed(f"unexpected {type(error).__name__}: {error}"), self._known_id(event))
        return outcome

    # Hazard: crhelper's answer can exceed 4096 bytes, keeps the end of a long Reason instead of its beginning
    # and has internals in Data. It is sent without a time-out and repeated for ever; its HTTP status is
    # ignored.
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
            # No one waits for an answer to a schedule: the log and the metrics tell how it ended.
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

    # Hazard: crhelper's rule has a random name, so a retried event puts a second rule; the name can be longer
    # than the 64 characters that EventBridge takes. For each resource it adds a permission to the function's
    # policy: the function needs the right to do so, and the policy fills up. Here the RequestId names the
    # rule, and the construct grants one permission for all rules.
    def _relay(self, event: Mapping[str, Any], context: Any, clock: Clock) -> RuleRelay:
        message = {**event, POLL_MARK: True, ISSUED_MARK: int(issued(event, clock.now()).timestamp())}
        arn = ":".join(context.invoked_function_arn.split(":")[:7])
        name = f"{os.environ[Env.RULE_PREFIX]}{event['RequestId']}"
        return RuleRelay(_events, name, arn, message, POLL_MARK in event, context.aws_request_id)

    def _known_id(self, event: Mapping[str, Any]) -> str:
        try:
            return self._physical_id(event)
        except InvalidRequestError:
            return str(event.get("PhysicalResourceId") or f"hosted-model/{event['LogicalResourceId']}")


def _may_have_hosted(event: Mapping[str, Any]) -> bool:
    """Say whether code that understood these properties answered for a model: its physical ID tells.

    A rollback brings back older code before it deletes what the newer one has made.
    """
    service = (event.get("ResourceProperties") or {}).get(Property.SERVICE)
    return str(event.get("PhysicalResourceId")).startswith(f"{service}/")


def _may_have_left_a_rule(event: Mapping[str, Any], began: float, span: float, clock: Clock) -> bool:
    """Say whether an earlier invocation for this request may have put the rule and was then killed.

    Each puts it in the last ``HANDOVER_SECONDS``, or earlier if it knows that the end is far.
    """
    if POLL_MARK in event or began - issued(event, began).timestamp() >= REPEATED_AFTER_SECONDS:
        return True
    return clock.now() - issued(event, began).timestamp() >= span - HANDOVER_SECONDS[0]


def _measure(event: Mapping[str, Any], outcome: Outcome, clock: Clock) -> None:
    """Write the metrics. The answer is sent already, so an error here is logged and changes nothing."""
    # Not at cold start: the answer should not wait for it.
    from ..invocation import emf, metrics

    now = clock.now()
    try:
        properties = event["ResourceProperties"]
        service, model = properties[Property.SERVICE], properties[Property.MODEL]
        for line in metrics.lines(service, model, issued(event, now).timestamp(), outcome, now):
            emf.emit(line)
    except Exception as error:
        logger.warning("Not measured: %s", type(error).__name__)
