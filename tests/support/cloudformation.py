"""CloudFormation as a custom resource meets it: what it sends, what it waits for, what it makes of answers.

Follows "How custom resources work" and "Custom resource request objects", AWS CloudFormation User Guide, and
what is known beyond it: a failed create is followed by a Delete; a resource that fails beside ours brings a
Delete, or a rollback Update, while our request still runs; a physical ID that changes means a replacement.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hosted_model_runtime.cloudformation.events import from_schedule
from support.cases import ServiceCase
from support.world import FUNCTION_ARN, AnswerRecord, World

SECRET = "0123456789abcdefpresigned"
#: Where CloudFormation waits for answers in us-east-1.
ANSWERS = "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com"
Script = Generator[Callable[[], bool], None, None]
#: How many seconds Lambda's deliveries of one event are apart at the most.
APART = (0.5, 2.0, 20.0)


@dataclass
class Sent:
    """One request that CloudFormation made."""

    event: dict[str, Any]
    issued: float
    expiry: float
    answers: list[AnswerRecord] = field(default_factory=list)
    abandoned: bool = False
    #: When nobody listens any more: CloudFormation has cancelled it, or its stack is gone.
    over: float = float("inf")

    @property
    def answer(self) -> Mapping[str, Any] | None:
        return self.answers[0].body if self.answers else None

    def cancel(self, now: float) -> None:
        """Let CloudFormation go on without its answer."""
        self.abandoned, self.over = not self.answers, min(self.over, now)

    @property
    def ok(self) -> bool:
        return bool(self.answer) and self.answers[0].body["Status"] == "SUCCESS"


def stack_id(name: str, generation: str = "") -> str:
    """Return the ID of a stack; one that is made anew under its name has another generation."""
    digest = uuid.uuid5(uuid.NAMESPACE_DNS, name + generation)
    return f"arn:aws:cloudformation:us-east-1:000000000000:stack/{name}/{digest}"


class CustomResource:
    """One hosted model of a stack: the requests for it, and what its schedules ask."""

    def __init__(self, world: World, name: str, stack: str, logical_id: str) -> None:
        self.world, self.name, self.id, self.logical_id = world, name, stack, logical_id
        self.requests: list[Sent] = []
        #: The RequestIds of what schedules asked for, and when the last of them was due.
        self.scheduled: set[str] = set()
        self.due = 0.0
        world.on_answer.append(self._take)

    def send(
        self,
        kind: str,
        properties: Mapping[str, Any],
        *,
        physical_id: str | None = None,
        old: Mapping[str, Any] | None = None,
        deliveries: int = 1,
        function_arn: str = FUNCTION_ARN,
    ) -> Sent:
        """Make a request and invoke the function with it, as often as Lambda happens to deliver it."""
        number = len(self.requests)
        now = self.world.now
        if kind != "Delete" and self.requests:
            # Between two requests for one resource CloudFormation takes longer than a second.
            now = max(now, int(self.requests[-1].issued) + 1.0)
        date = datetime.fromtimestamp(int(now), UTC).strftime("%Y%m%dT%H%M%SZ")
        event: dict[str, Any] = {
            "RequestType": kind,
            "RequestId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.id}/{self.logical_id}/{number}")),
            "StackId": self.id,
            "LogicalResourceId": self.logical_id,
            "ResourceType": "Custom::HostedModel",
            "ServiceToken": function_arn,
            "ResponseURL": f"{ANSWERS}/{self.name}/{self.logical_id}/{number}?X-Amz-Date={date}"
            f"&X-Amz-Expires=7200&X-Amz-Signature={SECRET}",
            "ResourceProperties": dict(properties),
        }
        if physical_id is not None:
            event["PhysicalResourceId"] = physical_id
        if old is not None:
            event["OldResourceProperties"] = dict(old)
        timeout = int(properties.get("HostingTimeoutSeconds", "3600"))
        sent = Sent(event, now, int(now) + timeout)
        self.requests.append(sent)
        self._deliver(event, deliveries, function_arn)
        # Somebody waits: time goes on to the expiry even if nothing else happens.
        self.world.at(sent.expiry, lambda: None)
        return sent

    def _deliver(self, event: dict[str, Any], deliveries: int, function_arn: str = FUNCTION_ARN) -> None:
        for copy in range(max(deliveries, self.world.deliveries)):
            apart = copy * self.world.random.choice(APART) * self.world.random.random()
            self.world.after(apart, lambda: self.world.deliver(self.id, event, function_arn))

    def _take(self, record: AnswerRecord) -> None:
        for sent in self.requests:
            if sent.event["ResponseURL"] == record.url:
                sent.answers.append(record)

    def settled(self, sent: Sent) -> Callable[[], bool]:
        return lambda: bool(sent.answers) or self.world.now >= sent.expiry

    def next_due(self, moment: float) -> tuple[float, float]:
        """Return when a schedule is due next, from a moment on, and when it comes.

        EventBridge Scheduler is on time within a minute. A model has two minutes between two of them, where
        the constructs warn of less than five.
        """
        self.due = max(-(-moment // 60) * 60, self.due + 120.0)
        return self.due, self.due + 60.0 * self.world.random.random()

    def asked_by_schedule(
        self, event: dict[str, Any], deliveries: int, function_arn: str = FUNCTION_ARN
    ) -> None:
        """EventBridge Scheduler invokes the function with what a schedule of the resource carries."""
        self.scheduled.add(from_schedule(event)["RequestId"])
        self._deliver(event, deliveries, function_arn)


class Stack(CustomResource):
    """One stack with one hosted model; its operations are scripts that yield what they wait for."""

    def __init__(
        self, world: World, case: ServiceCase, name: str = "Stack", logical_id: str = "Model"
    ) -> None:
        super().__init__(world, name, stack_id(name), logical_id)
        self.case = case
        self.properties: dict[str, Any] | None = None
        self.physical_id = ""
        self.left_over: list[tuple[dict[str, Any], str]] = []
        self.status = "NONE"

    def schedule(
        self,
        goal: str,
        deliveries: int = 1,
        properties: Mapping[str, Any] | None = None,
        due: float | None = None,
    ) -> None:
        """A schedule comes that was due now, or when it says."""
        when = datetime.fromtimestamp(int(self.world.now if due is None else due), UTC)
        event = {
            "HostedModel": goal,
            "ScheduledTime": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "StackId": self.id,
            "LogicalResourceId": self.logical_id,
            "ResourceProperties": dict(properties or self.properties or {}),
        }
        self.asked_by_schedule(event, deliveries)

    # --- operations -------------------------------------------------------------------------------------

    def create(
        self,
        properties: dict[str, Any],
        *,
        interrupt: float | None = None,
        rollback: bool = True,
        deliveries: int = 1,
    ) -> Script:
        """CreateStack; ``interrupt`` is when something else in the stack fails."""
        sent = self.send("Create", properties, deliveries=deliveries)
        if interrupt is not None:
            yield self._elapsed(sent, interrupt)
            sent.cancel(self.world.now)
        else:
            yield self.settled(sent)
        if sent.ok and interrupt is None:
            self.properties, self.physical_id = properties, sent.answers[0].body["PhysicalResourceId"]
            self.status = "CREATE_COMPLETE"
            return
        self.status = "CREATE_FAILED"
        if not rollback:
            self.properties = properties
            return
        invented = f"{self.name}-{self.logical_id}-1A2B3C4D5E6F"
        physical_id = sent.answers[0].body["PhysicalResourceId"] if sent.answers else invented
        yield from self._delete(properties, physical_id)
        self.status = "ROLLBACK_COMPLETE" if self.status == "DELETED" else "ROLLBACK_FAILED"

    def update(
        self,
        properties: dict[str, Any],
        *,
        fails_beside: bool = False,
        cancel: float | None = None,
        learns_failed_id: bool = False,
        deliveries: int = 1,
    ) -> Script:
        """UpdateStack; ``fails_beside``: another resource fails afterwards; ``cancel``: while this one runs.

        ``learns_failed_id``: whether CloudFormation keeps the physical ID of a FAILED answer.
        """
        old, old_id = self.properties, self.physical_id
        assert old is not None
        sent = self.send("Update", properties, physical_id=old_id, old=old, deliveries=deliveries)
        if cancel is not None:
            yield self._elapsed(sent, cancel)
            sent.cancel(self.world.now)
        else:
            yield self.settled(sent)
        # What CloudFormation does between two requests for one resource takes it longer than a second.
        pause = self.world.now + 1.0
        self.world.at(pause, lambda: None)
        yield lambda: self.world.now >= pause
        new_id = sent.answers[0].body["PhysicalResourceId"] if sent.answers else old_id
        if sent.ok and not fails_beside and cancel is None:
            self.properties, self.physical_id, self.status = properties, new_id, "UPDATE_COMPLETE"
            if new_id != old_id:
                yield from self._delete(old, old_id, cleanup=True)
            return
        known_id = new_id if sent.ok or (sent.answers and learns_failed_id) else old_id
        back = self.send("Update", old, physical_id=known_id, old=properties, deliveries=deliveries)
        yield self.settled(back)
        self.status = "UPDATE_ROLLBACK_COMPLETE" if back.ok else "UPDATE_ROLLBACK_FAILED"
        if known_id == old_id:
            return
        if back.ok:
            yield from self._delete(properties, known_id, cleanup=True)
        else:
            # Both are on CloudFormation's books until the stack is deleted.
            self.left_over.append((properties, known_id))

    def delete(self, *, deliveries: int = 1) -> Script:
        """DeleteStack."""
        assert self.properties is not None
        for properties, physical_id in self.left_over:
            yield from self._delete(properties, physical_id, cleanup=True)
        yield from self._delete(self.properties, self.physical_id, deliveries=deliveries)

    def _delete(
        self, properties: dict[str, Any], physical_id: str, *, cleanup: bool = False, deliveries: int = 1
    ) -> Script:
        sent = self.send("Delete", properties, physical_id=physical_id, deliveries=deliveries)
        yield self.settled(sent)
        if cleanup:
            # A failed Delete is abandoned here: CloudFormation goes on.
            return
        self.status = "DELETED" if sent.ok else "DELETE_FAILED"
        if sent.ok:
            self.properties = None

    def a_while(self, seconds: float) -> Script:
        """Nothing is asked."""
        yield self._until(self.world.now + seconds)

    def hours(self, goal: str, seconds: float = 400.0, deliveries: int = 1) -> Script:
        """A schedule's time has come; waits long enough for Lambda's retries.

        It comes when the tags of the deploy before can be read: until then it gives way to that deploy.
        """
        if self.world.lateness.tags:
            yield self._until(self.world.now + self.world.lateness.tags)
        self.schedule(goal, deliveries)
        yield self._until(self.world.now + seconds)

    def _elapsed(self, sent: Sent, seconds: float) -> Callable[[], bool]:
        return self._until(sent.issued + seconds)

    def _until(self, end: float) -> Callable[[], bool]:
        self.world.at(end, lambda: None)
        return lambda: self.world.now >= end


def play(world: World, *scripts: Script) -> None:
    """Run scripts side by side until all have ended."""
    waiting: list[tuple[Script, Callable[[], bool]]] = []

    def advance(script: Script) -> None:
        condition = next(script, None)
        if condition is not None:
            waiting.append((script, condition))

    for script in scripts:
        advance(script)
    while waiting:
        ready = [item for item in waiting if item[1]()]
        if ready:
            for item in ready:
                waiting.remove(item)
                advance(item[0])
            continue
        world.run(until=lambda: any(condition() for _, condition in waiting))
        if not any(condition() for _, condition in waiting):
            raise AssertionError("everybody waits, and nothing will happen any more")
