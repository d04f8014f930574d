"""Models as the services list them, with the tags that say whose they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from hosted_model_runtime.reconcile import Observed, Phase
from hosted_model_runtime.services.base import Sighting

from .aws import Cloud, Kind, ServiceError
from .lease_view import LeaseView
from .services import REGISTRY

#: What bills, is about to, or did a moment ago; and what was to be hosted and could not be.
AWAKE = frozenset({Phase.STARTING, Phase.RUNNING, Phase.UPDATING, Phase.STOPPING, Phase.FAILED})
ASLEEP = frozenset({Phase.STOPPED})
#: The phases in which the time since HostedAt is billed.
BILLED = frozenset({Phase.RUNNING, Phase.UPDATING})


@dataclass(frozen=True)
class Target:
    """A model that an ARN names; `model` is what the runtime's adapter takes."""

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

    @property
    def units(self) -> str:
        """Inference units in words; empty where the model does not run, as they mean nothing then."""
        low, high = self.seen.min_units, self.seen.max_units
        if low is None or self.seen.phase not in AWAKE:
            return ""
        said = f"{low}" if high in (None, low) else f"{low} to {high}"
        return f"{said} unit{'' if said == '1' else 's'}"


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


def look(cloud: Cloud, wanted: Target) -> tuple[Sighting, Model]:
    """Return a model as it is now, with its tags; an absent one has none."""
    adapter = cloud.adapter(wanted.region, wanted.service)
    sighting = cloud.patiently(lambda: adapter.describe(wanted.model))
    there = sighting.observed.phase is not Phase.ABSENT
    tags = cloud.patiently(lambda: adapter.tags(sighting.arn)) if there else {}
    project, _ = REGISTRY[wanted.service].names(wanted.model)
    # The sighting's version is a number where ``latest`` was declared.
    found = Model(
        wanted.service, wanted.region, project, sighting.version, wanted.arn, sighting.observed, tags
    )
    return sighting, found


def in_region(cloud: Cloud, region: str, service: str, phases: Collection[Phase]) -> Iterator[Model]:
    """Yield the models of one service in one region that are in one of these phases; raises ServiceError."""
    pages = partial(cloud.pages, region, service)
    for arn, phase in REGISTRY[service].listed(pages):
        if phase not in phases:
            continue
        try:
            model = look(cloud, target(arn))[1]
        except ServiceError as error:
            if error.kind is not Kind.ABSENT:
                raise
            continue
        if model.seen.phase in phases:
            yield model
