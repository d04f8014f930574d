"""crhelper's ``CfnResource``, hardened: each override names the hazard of crhelper 2.0.12 that it closes."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from crhelper import CfnResource, log_helper

from . import answer, metrics, report
from .contract import Env, Metric
from .host import HANDOVER_SECONDS, Answer, Facts, HandedOver, Outcome, OutOfTimeError, Silent
from .relay import RuleRelay
from .request import ISSUED_MARK, POLL_MARK, InvalidRequestError, is_scheduled, issued
from .services.base import CLIENT_CONFIG, shared_session
from .watch import LambdaWatch

logger = logging.getLogger(__name__)

Reconcile = Callable[[Mapping[str, Any], Any], Outcome]


@cache
def _events() -> Any:
    # Made when a rule is needed, not at cold start: most requests never need one.
    return shared_session().create_client("events", config=CLIENT_CONFIG)


class HostedModelResource(CfnResource):  # type: ignore[misc]
    """Answers CloudFormation's requests with what a registered function returns: an ``Outcome``."""

    # Hazard: three SDK clients at import, none of which this resource needs then; DEBUG by default, which
    # logs the event with its presigned ResponseURL; a Delete that sleeps for two minutes.
    def __init__(self, identity: Callable[[Mapping[str, Any]], str], log_level: str = "INFO") -> None:
        # Not super().__init__: it would make the clients. A test holds these names against crhelper's own.
        self._create_func = self._update_func = self._delete_func = None
        self._poll_create_func = self._poll_update_func = self._poll_delete_func = None
        self._log_level, self._boto_level, self._json_logging = log_level, "ERROR", True
        self._timer = self._init_failed = self._sam_local = self._ssl_verify = self._context = None
        self._polling_interval, self._sleep_on_delete = 1, 0
        self._send_response, self.NoEcho = False, False
        self.Status = self.Reason = self.PhysicalResourceId = self.StackId = self.RequestId = ""
        self.LogicalResourceId = self._response_url = ""
        self._region = os.environ.get("AWS_REGION")
        self.Data: dict[str, str] = {}
        self._event: dict[str, Any] = {}
        self._identity = identity
        self._outcome: Outcome | None = None
        self._span = 0.0
        self.watch: LambdaWatch = LambdaWatch(None)
        self.relay: RuleRelay

    def every_request(self, func: Reconcile) -> Reconcile:
        """Register one function for all requests and their ticks: a reconciler needs no more."""
        for register in (self.create, self.update, self.delete):
            register(func)
        for register in (self.poll_create, self.poll_update, self.poll_delete):
            register(func)
        # crhelper finds a function by the request's type; a schedule's requests are the same work.
        self._start_func = self._stop_func = self._poll_start_func = self._poll_stop_func = func
        return func

    # Hazard: whatever goes wrong after the work is done (removing a rule, say) is answered with FAILED.
    # Here an error that is nobody's answer ends the invocation, and Lambda delivers the event again.
    def __call__(self, event: dict[str, Any], context: Any) -> None:
        self._log_setup(event, context)
        self._crhelper_init(event, context)
        self._polling_init(event)
        if self._send_response:
            self._cfn_response(event)

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

    # Hazard: NoEcho, Data and a failed initialisation of one request stick to the next in a warm function.
    def _crhelper_init(self, event: dict[str, Any], context: Any) -> bool:
        self.NoEcho, self._init_failed, self._outcome = False, None, None
        self.watch = LambdaWatch(context)
        self.relay = self._relay(event, context)
        self._span = self.watch.remaining()
        if POLL_MARK in event:
            # The predecessor polls until it sees this rule gone.
            self.relay.remove()
        return bool(super()._crhelper_init(copy.copy(event), context))

    # Hazard: half a second before the time is out a timer answers FAILED with an empty physical ID and leaves
    # the rule. The host looks at the remaining time by itself, and no single call can outlast its margin.
    def _set_timeout(self) -> None:
        return

    # Hazard: what the function returns becomes the physical ID (True becomes a random one, an error an empty
    # one). Here it is an Outcome, and the physical ID is the identity of what is declared, on every answer.
    def _wrap_function(self, func: Reconcile) -> None:
        try:
            self._outcome = func(self._event, self._context)
        except OutOfTimeError:
            raise
        except InvalidRequestError as error:
            # The properties are wrong: a Delete of them has nothing that a request could have started.
            ok, facts = self._event["RequestType"] == "Delete", Facts(code=Metric.INVALID)
            self._outcome = Answer(ok, self._known_id(), str(error), facts=facts)
        except Exception as error:
            logger.exception("Unexpected")
            self._outcome = Answer(False, self._known_id(), f"unexpected {type(error).__name__}: {error}")

    # Hazard: set-up or tear-down that fails half-way leaves the rule, or turns a hosted model into FAILED; a
    # tick after the end answers once more, differently.
    def _polling_init(self, event: Mapping[str, Any]) -> None:
        outcome = self._outcome
        if isinstance(outcome, HandedOver):
            logger.info("Handed over")
            self._measure(outcome)
            return
        if self._may_have_rule():
            # Before the answer: once CloudFormation has it, this function may be deleted.
            self.relay.remove()
        if isinstance(outcome, Silent):
            logger.info("Silent: %s", outcome.why)
            self._measure(outcome)
            return
        self._send_response = True

    # Hazard: an absent physical ID is replaced by a random one, which CloudFormation takes for a replacement.
    def _cfn_response(self, event: Mapping[str, Any]) -> None:
        if not isinstance(self._outcome, Answer):
            raise TypeError(f"no answer: {self._outcome!r}")
        self._send()

    # Hazard: the answer may exceed 4096 bytes, keeps the end of a Reason instead of its beginning, carries
    # internals in Data; it is sent without a time-out, retried for ever, its HTTP status ignored.
    def _send(self, status: str | None = None, reason: str = "", send_response: object = None) -> None:
        outcome = self._outcome
        if not isinstance(outcome, Answer):
            raise TypeError(f"no answer: {outcome!r}")
        if is_scheduled(self._event):
            # Nobody waits for an answer: the log and the metrics tell.
            level = logging.INFO if outcome.ok else logging.ERROR
            logger.log(level, "Scheduled %s: %s", self._event["RequestType"], outcome.reason or "done")
            self._measure(outcome)
            return
        logger.info("Answer: %s %s", "SUCCESS" if outcome.ok else "FAILED", outcome.reason)
        fields = {
            "Status": "SUCCESS" if outcome.ok else "FAILED",
            "Reason": outcome.reason,
            "PhysicalResourceId": outcome.physical_id,
            "StackId": self.StackId,
            "RequestId": self.RequestId,
            "LogicalResourceId": self.LogicalResourceId,
            "NoEcho": False,
            "Data": dict(outcome.data),
        }
        answer.put(self._response_url, answer.body(fields), self.watch.sleep)
        # Not before: an answer that is not taken is given once more by the next invocation.
        self._measure(outcome)

    def _measure(self, outcome: Outcome) -> None:
        """Write metrics; nothing that goes wrong here changes what CloudFormation is told."""
        try:
            for line in report.report(self._event, outcome, self.watch.now()):
                metrics.emit(line)
        except Exception as error:
            logger.warning("Not measured: %s", type(error).__name__)

    # Hazard: a random rule name, so that a retried event puts a second rule; a name that can pass the 64
    # characters that EventBridge takes; one AddPermission a resource, which fills the function's policy and
    # needs the right to change it (the construct grants one static permission instead).
    def _relay(self, event: Mapping[str, Any], context: Any) -> RuleRelay:
        message = {**event, POLL_MARK: True, ISSUED_MARK: int(issued(event, self.watch.now()).timestamp())}
        arn = ":".join(context.invoked_function_arn.split(":")[:7])
        return RuleRelay(_events, f"{os.environ[Env.RULE_PREFIX]}{event['RequestId']}", arn, message)

    def _may_have_rule(self) -> bool:
        if POLL_MARK in self._event or self.relay.was_put:
            return True
        # A delivery that was killed may have put one, but not before a whole invocation had nearly passed.
        age = self.watch.now() - issued(self._event, self.watch.now()).timestamp()
        return age >= self._span - HANDOVER_SECONDS

    def _known_id(self) -> str:
        try:
            return self._identity(self._event)
        except InvalidRequestError:
            return str(
                self._event.get("PhysicalResourceId") or f"hosted-model/{self._event['LogicalResourceId']}"
            )
