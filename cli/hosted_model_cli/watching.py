"""``hosted-model watch``: a deploy live, by CloudFormation's events and the models that it moves."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hosted_model_runtime.contract import RESOURCE_TYPE
from hosted_model_runtime.decisions.model import Phase

from . import exits, models, output, regions
from .aws import Cloud, ServiceError
from .models import Model, Target
from .services import REGISTRY
from .stacks import IDLE, is_absent

LOOK_SECONDS = 2.0
#: Finding the stack's models means listing all, from the quota that the function needs too: not often, and
#: for a while oftener once CloudFormation has begun with a hosted model.
FIND_SECONDS = 15.0
FIND_SOON_SECONDS = 4.0
SOON_SECONDS = 30.0
_STACK = "AWS::CloudFormation::Stack"
#: Ends of an operation that did what was asked for; the others are failures and rollbacks.
GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "IMPORT_COMPLETE"})
_EVENTS_SHOWN = 8


class Operation:
    """A stack's operation: its status and its events, each event once, oldest first."""

    def __init__(self, cloud: Cloud, region: str, stack: str) -> None:
        self._cloud, self._region, self._stack = cloud, region, stack
        self._seen: set[str] = set()
        self.stack_id = ""
        self.status = ""
        self.begun = False
        #: By CloudFormation's own clock, as its events tell; None until they do.
        self.began: datetime | None = None
        self.last: datetime | None = None
        self._first = True

    @property
    def running(self) -> bool:
        """Whether CloudFormation is at work."""
        return self.status.endswith("_IN_PROGRESS") and self.status != IDLE

    @property
    def ended(self) -> bool:
        """Whether an operation that was seen is over."""
        return self.begun and not self.running and self.status not in ("", IDLE)

    def look(self) -> list[dict[str, Any]]:
        """Ask for status and events; the events that are new."""
        # Events after the status: an end is told with all that led to it.
        self.status = self._status()
        events = self._events() if self.stack_id else []
        if self._first:
            # What happened before is another operation's.
            before = len(events) - len(_of_last_operation(events)) if self.running else len(events)
            self._seen.update(one["EventId"] for one in events[:before])
            self._first = False
        fresh = [one for one in events if one["EventId"] not in self._seen]
        self._seen.update(one["EventId"] for one in fresh)
        # An operation can begin and end between two looks: then its events tell of it.
        self.begun = self.begun or self.running or any(map(_is_begin, fresh))
        for event in filter(_is_of_stack, fresh):
            if self.began is None and _is_begin(event):
                self.began = event["Timestamp"]
            self.last = event["Timestamp"]
        return fresh

    @property
    def seconds(self) -> float | None:
        """How long the operation took, or has taken so far; None where no event tells when it began."""
        if self.began is None:
            return None
        until = self.last if self.ended and self.last else output.now()
        return max(0.0, (until - self.began).total_seconds())

    def _status(self) -> str:
        name = self.stack_id or self._stack
        try:
            stack = self._cloud.call(self._region, "cloudformation", "DescribeStacks", StackName=name)
        except ServiceError as error:
            if not is_absent(error):
                raise
            return "DELETE_COMPLETE" if self.stack_id else ""
        found = stack["Stacks"][0]
        self.stack_id = str(found["StackId"])
        return str(found["StackStatus"])

    def _events(self) -> list[dict[str, Any]]:
        """The newest events, oldest first: pages are asked for until one holds what was seen."""
        found: list[dict[str, Any]] = []
        pages = self._cloud.pages(
            self._region, "cloudformation", "DescribeStackEvents", StackName=self.stack_id
        )
        try:
            for page in pages:
                found += page["StackEvents"]
                if self._first or any(one["EventId"] in self._seen for one in page["StackEvents"]):
                    break
        except ServiceError as error:
            if not is_absent(error):
                raise
        return found[::-1]


def _is_begin(event: dict[str, Any]) -> bool:
    begins = event["ResourceStatus"].endswith("_IN_PROGRESS") and event["ResourceStatus"] != IDLE
    return bool(begins and _is_of_stack(event))


def _is_of_stack(event: dict[str, Any]) -> bool:
    """Whether an event is the stack's own; a nested stack is a resource of the same type."""
    return bool(event["ResourceType"] == _STACK and event["PhysicalResourceId"] == event["StackId"])


def _of_last_operation(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events since the stack's last end: those of the operation that is under way."""
    for place in range(len(events) - 1, -1, -1):
        one = events[place]
        if _is_of_stack(one) and not one["ResourceStatus"].endswith("_IN_PROGRESS"):
            return events[place + 1 :]
    return events


class Models:
    """The models that carry the stack's tag, looked at again and again."""

    def __init__(self, cloud: Cloud, region: str, clock: Callable[[], float]) -> None:
        self._cloud, self._region, self._clock = cloud, region, clock
        self._known: dict[str, Target] = {}
        #: The services to ask: those that the region is not known to lack.
        self._services = set(REGISTRY)
        self._found_at = self._soon_until = float("-inf")
        self.problems: list[str] = []

    def expect(self, event: dict[str, Any]) -> None:
        """Learn from one of CloudFormation's events that a model may turn up soon."""
        if event["ResourceType"] == RESOURCE_TYPE and event["ResourceStatus"].endswith("_IN_PROGRESS"):
            self._soon_until = self._clock() + SOON_SECONDS

    def look(self, stack_id: str) -> list[Model]:
        """Return the stack's models as they are now."""
        now = self._clock()
        pause = FIND_SOON_SECONDS if now < self._soon_until else FIND_SECONDS
        if stack_id and now - self._found_at >= pause:
            self._find(stack_id)
            self._found_at = now
        return [model for one in self._known.values() if (model := self._one(one))]

    def _one(self, target: Target) -> Model | None:
        try:
            return models.look(self._cloud, target)[1]
        except ServiceError as error:
            self._problem(str(error))
            return None

    def _find(self, stack_id: str) -> None:
        for service in sorted(self._services):
            try:
                for model in models.in_region(self._cloud, self._region, service, models.Depth.RUNNING):
                    if model.lease.stack_id == stack_id:
                        self._known.setdefault(model.arn, models.target(model.arn))
            except ServiceError as error:
                if self._cloud.lacks(self._region, service, error):
                    self._services.remove(service)
                else:
                    self._problem(f"{service}: {error}")

    def _problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)
            output.warn(text)


@dataclass
class Screen:
    """A live area on a terminal, one line for each change elsewhere."""

    title: str
    clock: Callable[[], float]
    latest: deque[str] = field(default_factory=lambda: deque(maxlen=_EVENTS_SHOWN))
    #: By ARN: the model's condition, when it was seen first, and whether that was its beginning.
    phases: dict[str, tuple[str, float, bool]] = field(default_factory=dict)

    def __enter__(self) -> Screen:
        self.begun = self.clock()
        self.out = output.console()
        self.live = Live(console=self.out, refresh_per_second=4) if self.out.is_terminal else None
        if self.live:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self.live.stop()

    def say(self, text: str, when: datetime | None = None, *, keep: bool = False) -> None:
        """Tell of one change; one that is kept stays on a terminal when the live area moves on."""
        said = f"{output.clock(when)}  {text}"
        if self.live and not keep:
            self.latest.append(said)
        else:
            output.line(self.out, said, "red" if self.live else "")

    def event(self, event: dict[str, Any]) -> None:
        """Tell of one of CloudFormation's events."""
        # CloudFormation puts what the function said behind words of its own.
        reason = str(event.get("ResourceStatusReason") or "").rpartition("Message returned: ")[2]
        status = event["ResourceStatus"]
        said = f"{event['LogicalResourceId']}  {status}"
        failed = status.endswith("FAILED")
        self.say(f"{said}  {reason}" if failed and reason else said, event["Timestamp"], keep=failed)

    def show(self, found: Sequence[Model], operation: Operation) -> None:
        """Tell of the models that are in another phase than before, and draw anew."""
        for model in found:
            before = self.phases.get(model.arn)
            now = ", ".join(filter(None, (model.seen.status, model.units)))
            if before and before[0] == now:
                continue
            lasted = f" ({self._lasted(*before)})" if before else ""
            self.phases[model.arn] = (now, self.clock(), before is not None)
            message = f": {model.seen.message}" if model.seen.phase is Phase.FAILED else ""
            self.say(f"model {model.name}  {now}{message}{lasted}", keep=bool(message))
        self.draw(found, operation)

    def draw(self, found: Sequence[Model], operation: Operation) -> None:
        """Draw the live area anew."""
        if self.live:
            self.live.update(self._area(found, operation))

    def _lasted(self, condition: str, since: float, whole: bool) -> str:
        spent = output.elapsed(self.clock() - since)
        return f"{condition} for {'' if whole else 'at least '}{spent}"

    def _area(self, found: Sequence[Model], operation: Operation) -> RenderableType:
        head = Text(f"{self.title}  {_standing(operation, self.clock() - self.begun)}", style="bold")
        grid = Table.grid(padding=(0, 2))
        for model in found:
            said, when, _ = self.phases[model.arn]
            grid.add_row(model.name, said, output.elapsed(self.clock() - when))
        return Group(head, grid, *(Text(each, style="dim", overflow="fold") for each in self.latest))


def _nothing_began(operation: Operation, stack: str, region: str, timeout: float) -> str:
    missing = "" if operation.stack_id else ": there is no such stack"
    return f"no operation of {stack} in {region} began within {output.elapsed(timeout)}{missing}"


def _standing(operation: Operation, waited: float) -> str:
    if operation.begun:
        seconds = operation.seconds
        return f"{operation.status}  {output.elapsed(waited if seconds is None else seconds)}"
    return f"waiting for an operation{'' if operation.status else ': there is no such stack yet'}"


def watch(
    cloud: Cloud,
    stack: str,
    *,
    region: str | None = None,
    timeout: float = 600,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Show a stack's operation until it ends; wait for one where none runs. The exit code.

    Parameters
    ----------
    timeout
        Seconds to wait for an operation to begin.
    """
    region = regions.of_stack(cloud, stack, region)
    operation, found = Operation(cloud, region, stack), Models(cloud, region, clock)
    begun = clock()
    with Screen(stack, clock) as screen:
        screen_waits = False
        while True:
            for event in operation.look():
                screen.event(event)
                found.expect(event)
            if operation.begun:
                screen.show(found.look(operation.stack_id), operation)
            if operation.ended:
                break
            if not operation.begun and clock() - begun >= timeout:
                output.fail(_nothing_began(operation, stack, region, timeout))
                return exits.FAILED
            if not operation.begun and not screen_waits:
                missing = "" if operation.stack_id else ": there is no such stack yet"
                screen.say(f"waiting for an operation of {stack} in {region}{missing}")
                screen.draw([], operation)
                screen_waits = True
            cloud.wait(LOOK_SECONDS)
        seconds = clock() - begun if operation.seconds is None else operation.seconds
        screen.say(f"{stack}  {operation.status} after {output.elapsed(seconds)}", keep=True)
    return exits.OK if operation.status in GOOD else exits.FAILED
