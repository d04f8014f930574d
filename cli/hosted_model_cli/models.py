"""Models as the services list them, with the tags that say whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial

from hosted_model_runtime.decisions.model import Observed, Phase, Sighting

from .aws import Cloud, Kind, ServiceError
from .lease_view import LeaseView
from .services import REGISTRY, Place

#: What bills, is about to, or did a moment ago; and what was to be hosted and could not be.
AWAKE = frozenset({Phase.STARTING, Phase.RUNNING, Phase.UPDATING, Phase.STOPPING, Phase.FAILED})
ASLEEP = frozenset({Phase.STOPPED})
#: The phases in which the time since HostedAt is billed.
BILLED = frozenset({Phase.RUNNING, Phase.UPDATING})


class Depth(Enum):
    """How many models are to be seen: what is awake, also what a lease names, or all that could run."""

    RUNNING = "running"
    OWNED = "owned"
    ALL = "all"


@dataclass(frozen=True)
class Target:
    """A model that somebody names; `model` is what the runtime's adapter takes.

    `arn` is empty where a stack names it: then the service tells the ARN, if there is such a model.
    """

    service: str
    region: str
    arn: str
    model: Mapping[str, str]


@dataclass(frozen=True)
class Model:
    """A model as it is now."""

    service: str
    region: str
    project: str
    version: str
    arn: str
    seen: Observed
    tags: Mapping[str, str]

    @property
    def name(self) -> str:
        """Project and version, as people write them."""
        return f"{self.project}/{self.version}"

    @property
    def lease(self) -> LeaseView:
        """What its tags say."""
        return LeaseView.of(self.tags)

    def names(self) -> dict[str, str]:
        """Which one it is, as in the members of a JSON document."""
        return {
            "service": self.service,
            "region": self.region,
            "project": self.project,
            "model_version": self.version,
            "arn": self.arn,
        }

    @property
    def unit_range(self) -> str:
        """Inference units as in 1 or 1-3; empty where the model does not run, as they mean nothing then."""
        low, high = self.seen.min_units, self.seen.max_units
        if low is None or self.seen.phase not in AWAKE:
            return ""
        return f"{low}" if high in (None, low) else f"{low}-{high}"

    @property
    def units(self) -> str:
        """The same in words."""
        said = self.unit_range.replace("-", " to ")
        return f"{said} unit{'' if said == '1' else 's'}" if said else ""


def target(arn: str) -> Target:
    """Return what a model's ARN names.

    Raises
    ------
    ValueError
        It is no ARN of a model of these services.
    """
    for row in REGISTRY.values():
        if model := row.model(arn):
            return Target(row.name, arn.split(":")[3], arn, model)
    titles = " or ".join(row.title for row in REGISTRY.values())
    raise ValueError(f"{arn!r} is no ARN of a model of {titles}")


def of_physical_id(physical_id: str, stack_id: str, region: str) -> Target | None:
    """Return what a stack's resource stands for; None where CloudFormation made its physical ID up."""
    _, partition, _, _, account, _ = stack_id.split(":", 5)
    row = REGISTRY.get(physical_id.partition("/")[0])
    model = row.declared(physical_id, Place(partition, region, account)) if row else None
    return Target(row.name, region, "", model) if row and model else None


def look(cloud: Cloud, wanted: Target) -> tuple[Sighting, Model]:
    """Return a model as it is now, with its tags; an absent one has none."""
    adapter = cloud.adapter(wanted.region, wanted.service)
    sighting = cloud.patiently(lambda: adapter.describe(wanted.model))
    there = sighting.observed.phase is not Phase.ABSENT
    tags = cloud.patiently(lambda: adapter.tags(sighting.arn)) if there else {}
    project, _ = REGISTRY[wanted.service].names(wanted.model)
    # The sighting's version is a number where ``latest`` was declared.
    found = Model(
        wanted.service,
        wanted.region,
        project,
        sighting.version,
        sighting.arn or wanted.arn,
        sighting.observed,
        tags,
    )
    return sighting, found


def in_region(cloud: Cloud, region: str, service: str, depth: Depth) -> Iterator[Model]:
    """Yield the models of one service in one region that are to be seen; raises ServiceError."""
    phases = AWAKE if depth is Depth.RUNNING else AWAKE | ASLEEP
    for arn, phase in REGISTRY[service].listed(partial(cloud.pages, region, service)):
        if phase not in phases:
            continue
        wanted = target(arn)
        try:
            # Most stopped models are nobody's, and need no more than this one question.
            if phase in ASLEEP and depth is Depth.OWNED and not _is_owned(cloud, wanted):
                continue
            model = look(cloud, wanted)[1]
        except ServiceError as error:
            if error.kind is not Kind.ABSENT:
                raise
            continue
        if model.seen.phase in phases:
            yield model


def _is_owned(cloud: Cloud, wanted: Target) -> bool:
    adapter = cloud.adapter(wanted.region, wanted.service)
    return LeaseView.of(cloud.patiently(lambda: adapter.tags(wanted.arn))).owned
