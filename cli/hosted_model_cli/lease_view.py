"""PURE: what a model's tags say to a reader. The one place of the command that knows them.

Their formats are the runtime's: `hosted_model_runtime.decisions.marks` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions.lease_hours import hours_of, is_asleep
from hosted_model_runtime.decisions.marks import Closing, Mark

PREFIX = "hosted-model:"
_TIME = "%Y%m%dT%H%M%SZ"
_STACK = re.compile(r"arn:[^:]+:cloudformation:([^:]+):[^:]*:stack/([^/]+)/.+")


@dataclass(frozen=True)
class LeaseView:
    """Owner and history of a model, from its tags.

    Attributes
    ----------
    stack_id, logical_id
        The owner; empty without one.
    request, hours, closing
        The marks of the last request, of the last scheduled start or stop, and of the last Delete.
    hosted_at
        Since when the model is hosted, by request or by schedule, whichever commands it now.
    asleep
        Whether a schedule, or a deploy outside the model's hours, left it stopped or is stopping it.
    commanding
        The mark that says what has to be: the last schedule's, if no request came after it.
    """

    stack_id: str = ""
    logical_id: str = ""
    request: Mark | None = None
    hours: Mark | None = None
    closing: Closing | None = None
    hosted_at: datetime | None = None
    asleep: bool = False
    commanding: Mark | None = None

    @staticmethod
    def of(tags: Mapping[str, str]) -> LeaseView:
        """Read the tags; what is not ours to read counts as absent."""
        request = Mark.parse(tags.get(Tag.REQUEST))
        commands = hours_of(tags) or request
        return LeaseView(
            stack_id=tags.get(Tag.STACK, ""),
            logical_id=tags.get(Tag.LOGICAL_ID, ""),
            request=request,
            hours=Mark.parse(tags.get(Tag.HOURS)),
            closing=Closing.parse(tags.get(Tag.CLOSED)),
            hosted_at=_time(commands.hosted_at) if commands else None,
            asleep=is_asleep(tags),
            commanding=commands,
        )

    @property
    def owned(self) -> bool:
        """Whether the tags name a stack."""
        return bool(_STACK.fullmatch(self.stack_id))

    @property
    def stack_name(self) -> str:
        """The owner's name; what the tag says where that is no stack's ARN."""
        match = _STACK.fullmatch(self.stack_id)
        return match[2] if match else self.stack_id

    @property
    def stack_region(self) -> str:
        """The owner's region; empty where the tag is no stack's ARN."""
        match = _STACK.fullmatch(self.stack_id)
        return match[1] if match else ""

    @property
    def units(self) -> str:
        """The inference units that are declared, as in 1 or 1-3; empty where no mark tells."""
        return self.request.units if self.request else ""

    def history(self) -> list[tuple[datetime, str]]:
        """What the tags tell of the past, oldest first."""
        found = []
        if self.closing:
            found.append((self.closing.issued, f"let go by a Delete, RequestId {self.closing.request_id}"))
        for mark, whose in ((self.request, "request"), (self.hours, "schedule")):
            if mark:
                said = f"{whose}: {mark.type}, {mark.state.value}, RequestId {mark.request_id}"
                found.append((mark.issued, said))
        if self.hosted_at:
            found.append((self.hosted_at, "hosted"))
        return sorted(found)


def removable(tags: Mapping[str, str]) -> list[str]:
    """Return the keys of a lease whose owner is gone.

    The closing mark stays: it keeps a late delivery of an old request from starting the model.
    """
    return sorted(key for key in tags if key.startswith(PREFIX) and key != Tag.CLOSED)


def lease(tags: Mapping[str, str]) -> dict[str, str]:
    """Return those of the tags that are a lease's."""
    return {key: value for key, value in sorted(tags.items()) if key.startswith(PREFIX)}


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
