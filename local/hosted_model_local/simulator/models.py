"""A hosted model: its statuses, what it bills, and where all models are kept.

Nothing here runs by itself: a model is brought up to date whenever somebody looks at it, and passes through
every status at the exact moment that it was due.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field, replace

from .lag import MAX_LAG_SECONDS, Lag, Tags


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """One service's words for the statuses of a model.

    ``billed`` are the statuses in which a model that was running goes on billing; ``unusable`` those in which
    there is no trained model to start.
    """

    service: str
    arn_format: str
    statuses: frozenset[str]
    trained: str
    starting: str
    running: str
    failed: str
    stopping: str
    stopped: str
    startable: frozenset[str]
    stoppable: frozenset[str]
    billed: frozenset[str]
    unusable: frozenset[str]
    messages: dict[str, str]
    project_arn_format: str = ""
    #: Statuses before ``starting`` and ``stopping``, where the service has them.
    start_pending: str = ""
    stop_pending: str = ""
    #: What a failed start leaves as its reason, where ``failed`` is the same as ``stopped``.
    failure: str = ""


def partition(region: str) -> str:
    """The ARN partition of a region."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


#: The part of a start's or a stop's time that is spent pending, where a service has such statuses.
PENDING_SHARE = 0.25


@dataclass(slots=True)
class Resizing:
    """A change of units and settings while the model serves; times are seconds since the epoch."""

    units: int
    settings: dict[str, object]
    began: float
    due: float
    fails: bool
    ended: float | None = None


@dataclass(slots=True)
class SimulatedModel:
    """One version of a model in one account and region.

    Times are seconds since the epoch, durations seconds. ``starts`` and ``stops`` count calls that took
    effect; changes by the control API are not among them.
    """

    lifecycle: Lifecycle
    project: str
    version: str
    account: str
    region: str
    created: float
    status: str
    since: float
    status_message: str = ""
    failure_message: str | None = None
    start_seconds: float = 20.0
    stop_seconds: float = 5.0
    start_outcome: str = ""
    stop_while_starting: bool = False
    min_inference_units: int | None = None
    max_inference_units: int | None = None
    tag_lag: Lag | None = None
    settings: dict[str, object] = field(default_factory=dict)
    resize_seconds: float = 5.0
    resize_fails: bool = False
    resizing: Resizing | None = None
    starts: int = 0
    stops: int = 0
    resizes: int = 0
    history: list[tuple[float, str]] = field(default_factory=list)
    project_timestamp: int = 1_600_000_000_000
    version_timestamp: int = 1_600_000_000_001
    _tags: Tags = field(default_factory=Tags)
    _past: list[tuple[float, SimulatedModel]] = field(default_factory=list)
    _billed: float = 0.0
    _billing_since: float | None = None
    _due: float | None = None

    @classmethod
    def create(
        cls, lifecycle: Lifecycle, project: str, version: str, account: str, region: str, now: float
    ) -> SimulatedModel:
        """A trained model that does not run."""
        model = cls(lifecycle, project, version, account, region, now, lifecycle.trained, now)
        model.start_outcome = lifecycle.running
        model.status_message = lifecycle.messages.get(model.status, "")
        model.history.append((now, model.status))
        model._remember(now)
        return model

    @property
    def tags(self) -> dict[str, str]:
        """The tags as they were written last."""
        return self._tags.current

    def write_tags(self, tags: dict[str, str], now: float) -> None:
        """Replace all tags."""
        self._tags.write(tags, now)

    def begin_with_tags(self, tags: dict[str, str]) -> None:
        """Make these the tags that a new model always had."""
        self._tags.begin_with(tags)

    def tags_at(self, when: float) -> dict[str, str]:
        """The tags as they were at a time, at most an hour ago."""
        return self._tags.at(when)

    def at(self, when: float) -> SimulatedModel:
        """The model as it was at a time, at most an hour ago, to be described and not to be changed."""
        first = self._past[0][1] if self._past else self
        return next((past for since, past in reversed(self._past) if since <= when), first)

    def begin_with_status(self, status: str, now: float) -> None:
        """Make this the first status of a new model."""
        self.history.clear()
        self._past.clear()
        if status == self.status:
            self.history.append((now, status))
            self._remember(now)
        else:
            self._enter(status, now)

    def _remember(self, now: float) -> None:
        past = copy(self)
        past.resizing = replace(self.resizing) if self.resizing else None
        past._past = []
        self._past.append((now, past))
        while len(self._past) > 1 and self._past[1][0] < now - MAX_LAG_SECONDS:
            del self._past[0]

    @property
    def arn(self) -> str:
        """The model's ARN."""
        return self._format(self.lifecycle.arn_format)

    @property
    def project_arn(self) -> str:
        """The ARN of the model's project; empty where the service has none that matters here."""
        return self._format(self.lifecycle.project_arn_format)

    def _format(self, arn_format: str) -> str:
        return arn_format.format(
            partition=partition(self.region),
            region=self.region,
            account=self.account,
            project=self.project,
            version=self.version,
            project_timestamp=self.project_timestamp,
            version_timestamp=self.version_timestamp,
        )

    @property
    def units(self) -> int:
        """The most inference units that the model can come to use."""
        return max(self.min_inference_units or 1, self.max_inference_units or 1)

    def advance(self, now: float) -> SimulatedModel:
        """Bring the status up to date; a status is entered when it was due, not when somebody looked."""
        life = self.lifecycle
        while self._due is not None and self._due <= now:
            after = {
                life.start_pending: life.starting,
                life.starting: self.start_outcome,
                life.stop_pending: life.stopping,
            }
            self._enter(after.get(self.status, life.stopped), self._due)
        if self.resizing and self.resizing.ended is None and self.resizing.due <= now:
            self._end_resizing(self.resizing)
        return self

    def _end_resizing(self, resizing: Resizing) -> None:
        resizing.ended = resizing.due
        if not resizing.fails:
            self.set_units(resizing.units, self.max_inference_units, resizing.due)
            self.settings = resizing.settings
        self._remember(resizing.due)

    @property
    def is_starting(self) -> bool:
        """Whether a start is under way."""
        return self.status in (self.lifecycle.start_pending, self.lifecycle.starting)

    @property
    def is_resizing(self) -> bool:
        """Whether a change of units is under way."""
        return self.resizing is not None and self.resizing.ended is None

    def can_start(self) -> bool:
        """Whether the service accepts a start now."""
        return self.status in self.lifecycle.startable

    def can_stop(self) -> bool:
        """Whether the service accepts a stop now."""
        if self.is_starting:
            return self.stop_while_starting
        return self.status in self.lifecycle.stoppable

    def start(self, now: float, low: int, high: int | None) -> None:
        """A start that takes effect."""
        self.min_inference_units, self.max_inference_units = low, high
        self.starts += 1
        self._enter(self.lifecycle.start_pending or self.lifecycle.starting, now)

    def resize(self, now: float, units: int, settings: dict[str, object]) -> None:
        """A change of units that takes effect while the model serves."""
        self.resizes += 1
        self.resizing = Resizing(units, settings, now, now + self.resize_seconds, self.resize_fails)
        self._remember(now)

    def stop(self, now: float) -> None:
        """A stop that takes effect; billing ends here."""
        self.stops += 1
        self._enter(self.lifecycle.stop_pending or self.lifecycle.stopping, now)

    def set_status(self, status: str, now: float) -> None:
        """A change from outside the API; the status that the model has already is no change."""
        if status != self.status:
            self._enter(status, now)

    def set_units(self, low: int | None, high: int | None, now: float) -> None:
        """Other units, from now on; what was used before is billed as it was."""
        if self._billing_since is not None:
            self._billed, self._billing_since = self.billed_unit_seconds(now), now
        self.min_inference_units, self.max_inference_units = low, high
        self._remember(now)

    def reschedule(self, now: float) -> None:
        """Apply changed durations to a start or a stop under way; nothing becomes due in the past."""
        if self._due is not None:
            self._due = max(now, self.since + (self._lasts(self.status) or 0.0))

    def _lasts(self, status: str) -> float | None:
        """How long a status lasts by itself; None: until somebody ends it."""
        life = self.lifecycle
        for pending, under_way, seconds in (
            (life.start_pending, life.starting, self.start_seconds),
            (life.stop_pending, life.stopping, self.stop_seconds),
        ):
            if status and status == pending:
                return seconds * PENDING_SHARE
            if status == under_way:
                return seconds * (1 - PENDING_SHARE) if pending else seconds
        return None

    def billed_unit_seconds(self, now: float) -> float:
        """Seconds of running so far, each times the minimum inference units of its moment."""
        if self._billing_since is None:
            return self._billed
        return self._billed + max(0.0, now - self._billing_since) * (self.min_inference_units or 1)

    def _enter(self, status: str, at: float) -> None:
        life = self.lifecycle
        # Where a start that fails leaves the model stopped, only the status before tells the two apart.
        failed = status == life.failed and (life.failed != life.stopped or self.status == life.starting)
        if self.min_inference_units is None and status in (life.starting, life.running):
            self.min_inference_units = 1
        if self._billing_since is not None and status not in life.billed:
            self._billed, self._billing_since = self.billed_unit_seconds(at), None
        if self._billing_since is None and status == life.running:
            self._billing_since = at
        self.status, self.since = status, at
        self.history.append((at, status))
        self.status_message = life.messages.get(status, "")
        if failed:
            reason = life.failure or self.status_message
            self.status_message = reason if self.failure_message is None else self.failure_message
        lasts = self._lasts(status)
        self._due = None if lasts is None else at + lasts
        self._remember(at)


ProjectKey = tuple[str, str, str, str]


class SimulatedModels:
    """All models, by service, account, region and project; what is handed out is up to date."""

    __slots__ = ("_projects",)

    def __init__(self) -> None:
        self._projects: dict[ProjectKey, dict[str, SimulatedModel]] = {}

    def get(self, project: ProjectKey, version: str, now: float) -> SimulatedModel | None:
        """One version, or None."""
        model = self._projects.get(project, {}).get(version)
        return None if model is None else model.advance(now)

    def versions(self, project: ProjectKey, now: float) -> list[SimulatedModel]:
        """The versions of a project, in the order in which they were made."""
        return [model.advance(now) for model in self._projects.get(project, {}).values()]

    def add(self, model: SimulatedModel) -> None:
        """Keep a new model."""
        key = (model.lifecycle.service, model.account, model.region, model.project)
        self._projects.setdefault(key, {})[model.version] = model

    def remove(self, project: ProjectKey, version: str) -> bool:
        """Forget a model; with its last version, a project is gone. Whether there was one."""
        versions = self._projects.get(project, {})
        found = versions.pop(version, None) is not None
        if found and not versions:
            del self._projects[project]
        return found

    def all(self, now: float) -> Iterator[SimulatedModel]:
        """Every model."""
        for versions in self._projects.values():
            for model in versions.values():
                yield model.advance(now)

    def active(self, service: str, account: str, region: str, now: float) -> list[SimulatedModel]:
        """The models of one account and region that start or run."""
        return [
            model
            for model in self.all(now)
            if (model.lifecycle.service, model.account, model.region) == (service, account, region)
            and (model.is_starting or model.status in model.lifecycle.billed)
        ]

    def clear(self) -> None:
        """Forget everything."""
        self._projects.clear()
