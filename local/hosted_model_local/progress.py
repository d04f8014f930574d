"""What a person sees while the cdk command works: models, elapsed time, CloudFormation's events."""

import re
import textwrap
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hosted_model_local import clients
from hosted_model_local.simulator.registry import by_name

_NAMED_TOGETHER = 2
#: Longer than any reason of ours; what is longer is cut between words.
_REASON_CHARACTERS = 1000
_INDENT = " " * 12
#: What CloudFormation adds to a reason; it says nothing to a reader.
_REQUEST_ID = re.compile(r"\s*\(RequestId: [^()]*\)$")


class StackEvents:
    """The events of one stack, each given once, oldest first."""

    def __init__(self, cloudformation: Any, stack_name: str) -> None:
        self._cloudformation = cloudformation
        self._stack = stack_name
        self._seen: set[str] = set()

    def new(self) -> list[dict[str, Any]]:
        """The events since the last call; none while there is no such stack."""
        try:
            events = self._cloudformation.describe_stack_events(StackName=self._stack)["StackEvents"]
        except (BotoCoreError, ClientError):
            return []
        fresh = [one for one in reversed(events) if one["EventId"] not in self._seen]
        self._seen.update(one["EventId"] for one in fresh)
        if fresh:
            # A deleted stack can be asked for by its ID only.
            self._stack = fresh[-1]["StackId"]
        return fresh

    def restart(self, stack_name: str) -> None:
        """Look by name again: a stack of this name may be made anew."""
        self._stack = stack_name


class Progress:
    """A line for each change, on a terminal above a live area of the models; a context manager."""

    def __init__(
        self,
        out: Console,
        title: str,
        *,
        models: Callable[[], Sequence[clients.ModelView]],
        events: StackEvents,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = out
        self._title = title
        self._models = models
        self._events = events
        self._clock = clock
        self._begun = clock()
        self._statuses: dict[str, str] = {}
        self._live: Live | None = None

    def __enter__(self) -> "Progress":
        self._begun = self._clock()
        self._statuses = {one.name: _words(one) for one in self._models()}
        if self._out.is_terminal:
            self._live = Live(console=self._out, refresh_per_second=4, transient=True)
            self._live.start()
        self.look()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return self._clock() - self._begun

    def look(self) -> None:
        """Ask both servers, and show what is new."""
        models = self._models()
        for one in models:
            before, now = self._statuses.get(one.name), _words(one)
            if before != now:
                self._line(f"model {one.name}", f"{before} -> {now}" if before else now)
            self._statuses[one.name] = now
        for said in digest(self._events.new()):
            self._line("CloudFormation", said)
        if self._live:
            self._live.update(self._area(models))

    def _line(self, subject: str, text: str) -> None:
        stamp = datetime.now().astimezone().strftime("%H:%M:%S")
        line = f"  {stamp}  {subject}: {text}"
        if self._out.is_terminal:
            # A pipe gets it as one line, for grep.
            line = textwrap.fill(
                line,
                self._out.width,
                subsequent_indent=_INDENT,
                break_long_words=False,
                break_on_hyphens=False,
            )
        self._out.print(Text(line), soft_wrap=True)

    def _area(self, models: Sequence[clients.ModelView]) -> RenderableType:
        grid = Table.grid(padding=(0, 2))
        for one in models:
            grid.add_row("  ", one.name, _words(one), f"starts {one.starts}")
        return Group(Text(f"  {self._title}: {self.elapsed:.0f} s", style="bold"), grid)


def digest(events: Sequence[dict[str, Any]]) -> list[str]:
    """Stack events that came together, in few lines.

    An IN_PROGRESS that ended within them is left out, and more than two resources with one status are
    counted, as ministack reports unchanged resources as updated, all at once.
    """
    last = {one["LogicalResourceId"]: one["EventId"] for one in events}
    groups: dict[str, list[str]] = {}
    for one in events:
        name, status = one["LogicalResourceId"], one["ResourceStatus"]
        if not status.endswith("IN_PROGRESS") or last[name] == one["EventId"]:
            # CloudFormation puts what the function said behind words of its own.
            reason = one.get("ResourceStatusReason", "").rpartition("Message returned: ")[2]
            reason = textwrap.shorten(_REQUEST_ID.sub("", reason), _REASON_CHARACTERS, placeholder=" …")
            said = f"{status}  {reason}".rstrip() if status.endswith("FAILED") else status
            groups.setdefault(said, []).append(name)
    return [
        f"{', '.join(names) if len(names) <= _NAMED_TOGETHER else f'{len(names)} resources'}  {said}"
        for said, names in groups.items()
    ]


def units(count: int | None) -> str:
    """A number of inference units in words."""
    return f"{count} unit{'' if count == 1 else 's'}"


def _words(model: clients.ModelView) -> str:
    # Services remember the units of a model that is not running; they mean nothing then.
    life = by_name(model.service).lifecycle
    idle = model.status in (life.trained, life.stopped) or model.status in life.unusable
    return model.status if idle or not model.units else f"{model.status}, {units(model.units)}"
