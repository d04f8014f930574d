"""PURE: what a request wants of a model, what it remembers, what it knows, and the moves that it can make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from .ends import End, Failed
from .marks import Mark
from .model import Sighting, Units
from .request import Claim
from .steps import Running


class Goal(Enum):
    """What a request wants of a model: that it runs (or sleeps until its hours), or to let go of it."""

    HOST = "host"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Task:
    """One model, and what a request wants of it.

    ``running`` and ``stopped`` are the service's words for "ready to use" and "not billed". ``replaces`` says
    whether the request is an update that replaces another model.
    """

    claim: Claim
    goal: Goal
    running: str
    stopped: str
    replaces: bool = False

    @property
    def wanted(self) -> Running:
        request = self.claim.request
        return Running(
            request.units.minimum,
            request.units.maximum,
            may_resize=request.type == "Update",
            any_units=request.scheduled,
        )


class StartCall(Enum):
    """What became of this request's call of Start."""

    UNSENT = "unsent"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Failing:
    """A failure that is yet to be left in the lease, for a repeat of the request; since when, epoch seconds.

    ``aborts``: the time is out, and a model that this request started is to be stopped.
    """

    failed: Failed
    since: float
    aborts: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """All that a request remembers between two looks.

    Attributes
    ----------
    mark
        What it last wrote into the lease, or found there as its own; None: it never held it.
    written
        When that was written, epoch seconds.
    start
        What became of its call of Start.
    stop_refused
        Whether the service refused to stop a model whose hosting had failed: such a model serves nothing.
    not_before
        Epoch seconds until which a call of the superseded request may land.
    in_doubt
        Whether the lease must be read even where the model leaves nothing to do but wait.
    took_from
        The mark of the request that it took over from, until it is known that nothing of it is under way.
    former_sleeps
        Whether the model that an update replaces is asleep; None: not asked yet.
    closed
        Whether it left a closing mark on a model that nobody owns.
    close_denied
        Whether the policy refused that mark: nothing there was this resource's.
    failing
        A failure on its way into the lease.
    """

    mark: Mark | None = None
    written: float = 0.0
    start: StartCall = StartCall.UNSENT
    stop_refused: bool = False
    not_before: float = 0.0
    in_doubt: bool = False
    took_from: Mark | None = None
    former_sleeps: bool | None = None
    closed: bool = False
    close_denied: bool = False
    failing: Failing | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What is known of the model in this cycle; None is what must be asked for again.

    ``acted``: a Start or a Stop was sent since the last look. ``took``: the lease was taken in this cycle.
    ``outrun``: the lease says that another delivery of this request came further, perhaps after the look.
    """

    seen: Sighting | None = None
    tags: Mapping[str, str] | None = None
    acted: bool = False
    took: bool = False
    outrun: bool = False


# --- moves --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """Describe the model."""


@dataclass(frozen=True, slots=True)
class ReadTags:
    """Read the model's tags."""


@dataclass(frozen=True, slots=True)
class AskFormer:
    """Find out whether the model that the update replaces is asleep."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, then look again. ``idle``: as far as was seen, there is nothing to do but that."""

    idle: bool = False


@dataclass(frozen=True, slots=True)
class Take:
    """Take command: remove this stack's closing mark if there is one, then write the mark and ``more``."""

    mark: Mark
    more: Mapping[str, str]
    before: Mark | None
    reopens: bool
    in_flight: bool


@dataclass(frozen=True, slots=True)
class Note:
    """Write how far the request came. ``quiet``: something of an earlier one may still be under way."""

    mark: Mark
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """Note that a scheduled start failed, and try again after a while."""

    mark: Mark


@dataclass(frozen=True, slots=True)
class Start:
    """Start the model with these units; ``verb`` makes the ClientToken differ from attempt to attempt."""

    units: Units
    verb: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the model."""


@dataclass(frozen=True, slots=True)
class Close:
    """Leave a closing mark on a model that nobody owns."""

    reopens: bool


@dataclass(frozen=True, slots=True)
class WriteTags:
    """Write tags that are no mark of this request, then wait quietly if ``quiet``, else end."""

    tags: Mapping[str, str]
    end: End
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Fail:
    """Leave this failure in the lease, or try once more."""

    failing: Failing


@dataclass(frozen=True, slots=True)
class LetGo:
    """Remove the lease, and end."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The end."""

    end: End


Move = (
    Look
    | ReadTags
    | AskFormer
    | Pause
    | Take
    | Note
    | Start
    | Stop
    | Fail
    | Retry
    | Close
    | WriteTags
    | LetGo
    | Finish
)
