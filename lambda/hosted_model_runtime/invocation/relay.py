"""The relay: an EventBridge rule that invokes the function again, with the same request.

In comes the event to pass on. The rule fires every minute until the invocation that it started removes it.
Its name is made of the RequestId: a retried request finds its own rule instead of putting a second one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

logger = logging.getLogger(__name__)

TARGET_ID = "1"
#: EventBridge's floor (Creating a rule that runs on a schedule, Amazon EventBridge User Guide).
SCHEDULE = "rate(1 minute)"
#: The rule's description: whether the invocation that put it goes on until the next one has begun, or nobody
#: is there between two ticks.
WAITED_FOR = "Brings a hosted model's CloudFormation request to its next invocation"
LEFT = "Brings a hosted model's CloudFormation request back every minute"
_ATTEMPTS = 3


class RuleRelay:
    """The driver's ``Relay``, as one rule named after the RequestId."""

    def __init__(
        self,
        events: Callable[[], Any],
        name: str,
        function_arn: str,
        message: Mapping[str, Any],
        ticked: bool = False,
        invocation: str = "",
    ) -> None:
        self._events, self.name, self._function_arn, self._message = events, name, function_arn, message
        #: It tells the rule that this invocation put from one that its successor put at once.
        self._waited_for = f"{WAITED_FOR} ({invocation})"
        self.ticked, self.was_put = ticked, False
        self._superseded: set[str] = set()

    def put(self) -> None:
        """Put the rule and its target. EventBridge's errors pass through; putting again repairs both."""
        self._put(self._waited_for)

    def _put(self, description: str) -> None:
        self.was_put = True
        events = self._events()
        events.put_rule(
            Name=self.name,
            ScheduleExpression=SCHEDULE,
            State="ENABLED",
            Description=description,
        )
        failed = events.put_targets(
            Rule=self.name,
            Targets=[{"Id": TARGET_ID, "Arn": self._function_arn, "Input": json.dumps(self._message)}],
        )
        if failed.get("FailedEntryCount"):
            raise RuntimeError("EventBridge took no target")

    def taken_over(self) -> bool:
        """Say whether the next invocation has begun: it removes the rule, puts it anew, or has left, too."""
        try:
            found = self._events().describe_rule(Name=self.name)
        except Exception as error:
            return _is_absent(error)
        return bool(found.get("Description") != self._waited_for)

    def leave(self) -> bool:
        """Let the rule that brought this invocation tick on, and say that nobody waits for it.

        False: the rule is gone, or EventBridge does not say so.
        """
        try:
            found = self._events().describe_rule(Name=self.name)
            if found.get("Description") != LEFT:
                self._put(LEFT)
        except Exception as error:
            logger.warning("The relay's rule is not left: %s", type(error).__name__)
            return False
        return True

    def supersede(self, request_id: str) -> None:
        """Remove the rule of a request that this one took the model from: nobody may be there to do it."""
        name = f"{self.name.removesuffix(str(self._message.get('RequestId')))}{request_id}"
        if name != self.name:
            self._superseded.add(name)
            self._remove(name)

    def remove(self) -> bool:
        """Remove target and rule; True when nothing is left.

        A failure does not change the answer. The rule then ticks once more, and all that is left to do for
        that tick is to remove it.
        """
        # A superseded request may have put its rule once more before it saw that.
        for name in sorted(self._superseded):
            self._remove(name)
        return self._remove(self.name)

    def _remove(self, name: str) -> bool:
        events = self._events()
        return self._quietly(lambda: events.remove_targets(Rule=name, Ids=[TARGET_ID])) and (
            self._quietly(lambda: events.delete_rule(Name=name))
        )

    def _quietly(self, call: Callable[[], Any]) -> bool:
        for _ in range(_ATTEMPTS):
            try:
                call()
            except Exception as error:
                if _is_absent(error):
                    return True
                logger.warning("The relay's rule could not be removed: %s", type(error).__name__)
            else:
                return True
        return False


def _is_absent(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] == "ResourceNotFoundException"
