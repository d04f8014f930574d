"""Models as the services list them, with the tags that say whose they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hosted_model_runtime.contract import LookoutVision, Rekognition
from hosted_model_runtime.decisions.model import Observed, Phase, Sighting
from hosted_model_runtime.services import lookoutvision, rekognition

from .aws import Cloud, Kind, ServiceError
from .lease_view import LeaseView

#: What bills, is about to, or did a moment ago; and what was to be hosted and could not be.
AWAKE = frozenset({Phase.STARTING, Phase.RUNNING, Phase.UPDATING, Phase.STOPPING, Phase.FAILED})
ASLEEP = frozenset({Phase.STOPPED})
#: The phases in which the time since HostedAt is billed.
BILLED = frozenset({Phase.RUNNING, Phase.UPDATING})

_LOOKOUTVISION_ARN = re.compile(r"arn:[^:]+:lookoutvision:([^:]+):\d{12}:model/([^/]+)/([1-9][0-9]*)")


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
    if match := _LOOKOUTVISION_ARN.fullmatch(arn):
        names = {LookoutVision.PROJECT_NAME: match[2], LookoutVision.MODEL_VERSION: match[3]}
        return Target(LookoutVision.SERVICE, match[1], arn, names)
    names = {Rekognition.PROJECT_VERSION_ARN: arn}
    if Rekognition.check(names) is None:
        return Target(Rekognition.SERVICE, arn.split(":")[3], arn, names)
    raise ValueError(f"{arn!r} is no ARN of a model of Lookout for Vision or Rekognition Custom Labels")


def look(cloud: Cloud, wanted: Target) -> tuple[Sighting, Model]:
    """Return a model as it is now, with its tags; an absent one has none."""
    adapter = cloud.adapter(wanted.region, wanted.service)
    sighting = cloud.patiently(lambda: adapter.describe(wanted.model))
    there = sighting.observed.phase is not Phase.ABSENT
    tags = cloud.patiently(lambda: adapter.tags(sighting.arn)) if there else {}
    if wanted.service == LookoutVision.SERVICE:
        project, version = wanted.model[LookoutVision.PROJECT_NAME], sighting.version
    else:
        project, version = Rekognition.names(wanted.model)
    found = Model(wanted.service, wanted.region, project, version, wanted.arn, sighting.observed, tags)
    return sighting, found


def in_region(cloud: Cloud, region: str, service: str, phases: Collection[Phase]) -> Iterator[Model]:
    """Yield the models of one service in one region that are in one of these phases; raises ServiceError."""
    found = _lookoutvision if service == LookoutVision.SERVICE else _rekognition
    for arn, status in found(cloud, region):
        if status not in phases:
            continue
        try:
            model = look(cloud, target(arn))[1]
        except ServiceError as error:
            if error.kind is not Kind.ABSENT:
                raise
            continue
        if model.seen.phase in phases:
            yield model


def _lookoutvision(cloud: Cloud, region: str) -> Iterator[tuple[str, Phase]]:
    for projects in cloud.pages(region, LookoutVision.SERVICE, "ListProjects"):
        for project in projects.get("Projects", []):
            name = project["ProjectName"]
            for models in _there(cloud.pages(region, LookoutVision.SERVICE, "ListModels", ProjectName=name)):
                for one in models.get("Models", []):
                    # A status that this code does not know may bill: it is shown.
                    yield one["ModelArn"], lookoutvision.PHASES.get(one["Status"], Phase.UPDATING)


def _rekognition(cloud: Cloud, region: str) -> Iterator[tuple[str, Phase]]:
    for projects in cloud.pages(region, Rekognition.SERVICE, "DescribeProjects"):
        for project in projects.get("ProjectDescriptions", []):
            arn = project["ProjectArn"]
            pages = cloud.pages(region, Rekognition.SERVICE, "DescribeProjectVersions", ProjectArn=arn)
            for versions in _there(pages):
                for one in versions.get("ProjectVersionDescriptions", []):
                    phase = rekognition.PHASES.get(one["Status"], Phase.UPDATING)
                    yield one["ProjectVersionArn"], phase


def _there(pages: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The pages of a project, none of one that was deleted meanwhile."""
    try:
        yield from pages
    except ServiceError as error:
        if error.kind is not Kind.ABSENT:
            raise
