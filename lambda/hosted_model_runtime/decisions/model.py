"""PURE: a model as a service describes it, in words that are the same for every service.

Adapters make these values; decisions read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """A model's condition; each adapter maps its service's statuses to these."""

    ABSENT = "absent"
    UNREADY = "not ready"
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    UPDATING = "updating"
    FAILED = "failed"


#: The phases in which a model serves, or is about to.
ACTIVE = (Phase.RUNNING, Phase.STARTING, Phase.UPDATING)


@dataclass(frozen=True, slots=True)
class Units:
    """Inference units: at least ``minimum`` are billed; without ``maximum`` there is no auto-scaling."""

    minimum: int
    maximum: int | None = None

    def __str__(self) -> str:
        return f"{self.minimum}" if self.maximum is None else f"{self.minimum}-{self.maximum}"

    @staticmethod
    def parse(text: str) -> Units | None:
        """Return the units that a tag carries, or None where it carries none."""
        minimum, _, maximum = text.partition("-")
        try:
            return Units(int(minimum), int(maximum) if maximum else None)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Resizing:
    """The last change of units that a service made, or makes, while the model serves.

    ``since`` is when the service took it, epoch seconds. After one that ``failed`` the old units serve on;
    ``message`` says why.
    """

    units: Units
    since: float
    under_way: bool = False
    failed: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the service says of a model; ``resizing`` only where a service resizes in place."""

    phase: Phase
    name: str
    status: str = ""
    message: str = ""
    min_units: int | None = None
    max_units: int | None = None
    resizing: Resizing | None = None
    #: What the service calls its units, for people.
    unit: str = "inference units"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one look shows of a model. ``arn`` is empty if there is none; ``model`` is its exact name."""

    observed: Observed
    arn: str
    version: str
    model: Mapping[str, str]

    @property
    def phase(self) -> Phase:
        return self.observed.phase
