"""PURE: the words in which ``next_move`` is asked and answers.

``Task`` is what a request wants of a model, ``Progress`` what it remembers, ``View`` what it knows in this
cycle. The rest are the moves that it can make.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from .ends import Done, End, Failed, Superseded
from .lease import Former
from .marks import Mark
from .model import Sighting, Units
from .polling import NOTHING, LastStart
from .request import Claim
from .steps import Running

#: For how long a read may show less than was written. The services promise nothing; up to a minute is seen.
READS_BEHIND_SECONDS = 75.0
#: For how long a status may be older than a start that was accepted: nothing is promised of it, either.
STATUS_BEHIND_SECONDS = 15.0
#: A new policy, or new credentials, can take two minutes to apply everywhere. After this time the permission
#: is taken to be missing.
POLICY_BEHIND_SECONDS = 120.0
#: A call is over after this: the SDK's connect and read time-outs, and a margin.
CALL_SECONDS = 15.0


class Goal(Enum):
    """What a request wants of a model: to host it (or let it sleep until its hours), or to let go of it."""

    HOST = "host"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Task:
    """One model, and what a request wants of it.

    ``running`` and ``stopped`` are the service's statuses for "ready to use" and "not billed". ``replaces``
    says whether the request is an update that puts this model in the place of another. ``in_place``: the
    service changes units while the model serves. ``fenced``: the service itself refuses what the lease
    forbids; where it does not, a request waits until nobody's call can be under way any more.
    ``came_late``: the event may be a second delivery, of a request that has been answered meanwhile.
    ``patience`` is 1 on AWS; the local cloud, where nothing is late unless a test wants it, shortens the
    waits by it.
    """

    claim: Claim
    goal: Goal
    running: str
    stopped: str
    replaces: bool = False
    in_place: bool = False
    fenced: bool = True
    came_late: bool = False
    patience: float = 1.0

    @property
    def reads_behind(self) -> float:
        """For how many seconds a read may show less than was written."""
        return READS_BEHIND_SECONDS * self.patience

    @property
    def status_behind(self) -> float:
        """For how many seconds a status may be older than a start."""
        return STATUS_BEHIND_SECONDS * self.patience

    @property
    def policy_behind(self) -> float:
        """For how many seconds a permission may be refused that the role has."""
        return POLICY_BEHIND_SECONDS * self.patience

    @property
    def in_flight(self) -> float:
        """After how many seconds nothing of a superseded request comes any more.

        For so long its reads may hide from it that it is superseded; then its last call must end.
        """
        return self.reads_behind + CALL_SECONDS

    @property
    def wanted(self) -> Running:
        request = self.claim.request
        return Running(
            request.units.minimum,
            request.units.maximum,
            may_resize=request.type == "Update",
            any_units=request.scheduled,
            in_place=self.in_place,
            asked=request.issued.timestamp(),
        )


class StartCall(Enum):
    """What became of this request's call of Start."""

    UNSENT = "unsent"
    LOST = "lost"  # no answer came, or the service could not take it just then
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Failing:
    """A failure that is not yet noted in the lease, where a repeat of the request will find it.

    ``since`` is in epoch seconds. ``aborts``: the time is out, so stop the model if this request started it.
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
        What it last wrote into the lease, or found there of its own; None: it has not held the lease.
    written
        When this invocation last wrote a mark or a closing tag, epoch seconds; 0: it has not.
    shown
        When a read, or a refused Start, last showed that another delivery of this request came further; 0:
        none has.
    read_since
        When this invocation first read the tags, epoch seconds; 0: it has not.
    start
        What became of its call of Start.
    started_at
        When this invocation's Start was accepted, epoch seconds; 0: it sent none.
    seen_down
        When a look last showed the model neither running nor about to be, epoch seconds; 0: none has.
    stop_refused
        Whether the service refused to stop a model that serves nothing, or that this failing request stops.
    not_before
        Epoch seconds until which to do nothing, not even look: a call of a superseded request may land, what
        could be read may be out of date, or a scheduled retry waits.
    in_doubt
        Whether to read the lease even if the model can only be waited for: somebody may have written it.
    unfound
        Whether `latest` is declared, and none of the versions that it may mean shows this resource's lease.
    took_from
        The mark of the request that it took over from, until this request's next mark is written.
    former
        Which other resource of its stack has the model, or had it before, and its last mark, as this request
        last read them; None: none.
    former_sleeps, former_start
        Whether the model that an update replaces is asleep, and how long its last start took; None: not asked
        yet.
    behind
        Whether the last read of the tags did not show its mark as it wrote it.
    lag
        For how many seconds after it wrote its mark reads did not show it, as far as was seen; 0: all did.
    claimed
        When it took a model that no stack owned, epoch seconds; 0: it has not.
    crosses
        Whether it took over from a request that may still be at work, and write over its marks unseen.
    other_name
        Whether it took over from its own resource, which declared the same model under another physical ID.
    amiss
        Since when it sees something that a request whose mark does not show yet may explain, epoch seconds;
        0: it does not. Either the model is not as it left it, or another stack has closed it.
    overtaken
        Whether a read showed the mark of a schedule that was due after this one.
    contested
        When a read last showed that another stack owns the model, epoch seconds; 0: none has.
    left
        When it noted that its resource is gone, or a read first showed that another delivery of it had, epoch
        seconds; 0: neither.
    closed
        Whether it wrote a closing tag on a model that nobody owns.
    close_tried
        When it first tried to write that tag, epoch seconds; 0: it has not.
    close_denied
        Whether the policy refused the closing tag, which means that the model was never this resource's.
    reopened
        When it last removed this stack's closing tag, epoch seconds; 0: it has not. A read may show that tag
        for a while, and another stack's may have taken its place.
    denied_since
        When the policy first refused a Start or a change of units, epoch seconds; 0: it has not.
    failing
        A failure that is still to be noted in the lease.
    """

    mark: Mark | None = None
    written: float = 0.0
    shown: float = 0.0
    read_since: float = 0.0
    start: StartCall = StartCall.UNSENT
    started_at: float = 0.0
    seen_down: float = 0.0
    stop_refused: bool = False
    not_before: float = 0.0
    in_doubt: bool = False
    unfound: bool = False
    took_from: Mark | None = None
    former: Former | None = None
    former_sleeps: bool | None = None
    former_start: LastStart = NOTHING
    behind: bool = False
    lag: float = 0.0
    claimed: float = 0.0
    crosses: bool = False
    other_name: bool = False
    amiss: float = 0.0
    overtaken: bool = False
    contested: float = 0.0
    left: float = 0.0
    closed: bool = False
    close_tried: float = 0.0
    reopened: float = 0.0
    denied_since: float = 0.0
    close_denied: bool = False
    failing: Failing | None = None

    @property
    def took_part(self) -> float:
        """When this request last wrote, as far as is known; else when it first read; epoch seconds."""
        return max(self.written, self.shown) or self.read_since


@dataclass(frozen=True, slots=True)
class View:
    """What is known of the model in this cycle; None: not asked yet, or out of date.

    ``acted``: a Start or a Stop was sent since the last look. ``took``: the lease was taken in this cycle.
    ``outrun``: the lease says that another delivery of this request came further, perhaps since the look.
    ``hosted_too``: the request hosts this very model under another name.
    """

    seen: Sighting | None = None
    tags: Mapping[str, str] | None = None
    acted: bool = False
    took: bool = False
    outrun: bool = False
    hosted_too: bool = False


# --- moves --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """Describe the model."""


@dataclass(frozen=True, slots=True)
class ReadTags:
    """Read the model's tags."""


@dataclass(frozen=True, slots=True)
class AskFormer:
    """Find out whether the model that the update replaces is asleep, and how long its last start took."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, then look again.

    ``idle``: as far as was seen, the model can only be waited for. ``until``: do not even look before that,
    epoch seconds. ``parting``: the request's end is known, and it waits only to tidy up; it ends so at the
    latest when its invocation does. ``amiss``: see :class:`Progress`.
    """

    idle: bool = False
    until: float = 0.0
    parting: Done | Superseded | None = None
    amiss: bool = False


@dataclass(frozen=True, slots=True)
class Take:
    """Take the lease: write ``mark`` and the tags ``more``.

    ``before`` is the mark that it replaces. ``reopens``: first remove this stack's closing tag.
    ``in_flight``: a call of the superseded request may still land, or a claim of another stack where
    nothing refuses it, so do nothing for a while.
    """

    mark: Mark
    more: Mapping[str, str]
    before: Mark | None
    reopens: bool
    in_flight: bool


@dataclass(frozen=True, slots=True)
class Note:
    """Write how far the request came.

    ``quiet``: then wait, as a call of an earlier one may still land.
    """

    mark: Mark
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """Note that an attempt of a scheduled start failed; the next one comes after a wait."""

    mark: Mark


@dataclass(frozen=True, slots=True)
class Start:
    """Start the model with these units; ``verb`` gives each attempt a ClientToken of its own."""

    units: Units
    verb: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the model."""


@dataclass(frozen=True, slots=True)
class Resize:
    """Change the units of the model while it serves."""

    units: Units


@dataclass(frozen=True, slots=True)
class Close:
    """Write a closing tag on a model that nobody owns; ``reopens``: remove the one that is there first."""

    reopens: bool


@dataclass(frozen=True, slots=True)
class Reopen:
    """Remove the closing tag, by which the service denies this stack its writes."""


@dataclass(frozen=True, slots=True)
class WriteTags:
    """Write tags about another resource's hold on the model, then end; with ``wait``, look again instead.

    ``wait`` is in seconds.
    """

    tags: Mapping[str, str]
    end: End
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Fail:
    """Remember this failure: the next moves note it in the lease, or try once more."""

    failing: Failing


@dataclass(frozen=True, slots=True)
class LetGo:
    """Remove the lease from the model, and end."""

    end: Done | Superseded


@dataclass(frozen=True, slots=True)
class Finish:
    """The request has ended for this model."""

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
    | Resize
    | Fail
    | Retry
    | Close
    | Reopen
    | WriteTags
    | LetGo
    | Finish
)
