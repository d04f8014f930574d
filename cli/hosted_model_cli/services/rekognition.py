"""Amazon Rekognition Custom Labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hosted_model_runtime.contract import Rekognition as Names
from hosted_model_runtime.decisions.model import Phase
from hosted_model_runtime.services.rekognition import CODES, PHASES, RekognitionService

from .row import Pages, Place, Price, ServiceRow, there

_OF_VERSION = re.compile(r"rekognition/([^/]+/version/[^/]+/[0-9]+)")
_OF_PROJECT = re.compile(r"rekognition/([^/]+/[0-9]+)/([^/]+)")


def _listed(pages: Pages) -> Iterator[tuple[str, Phase]]:
    for projects in pages("DescribeProjects"):
        for project in projects.get("ProjectDescriptions", []):
            for versions in there(pages("DescribeProjectVersions", ProjectArn=project["ProjectArn"])):
                for one in versions.get("ProjectVersionDescriptions", []):
                    # A status that this code does not know may bill: it is shown.
                    yield one["ProjectVersionArn"], PHASES.get(one["Status"], Phase.UPDATING)


def _model(arn: str) -> Mapping[str, str] | None:
    names = {Names.PROJECT_VERSION_ARN: arn}
    return names if Names.check(names) is None else None


def _declared(physical_id: str, place: Place) -> Mapping[str, str] | None:
    prefix = f"arn:{place.partition}:rekognition:{place.region}:{place.account}:project/"
    if match := _OF_VERSION.fullmatch(physical_id):
        return {Names.PROJECT_VERSION_ARN: f"{prefix}{match[1]}"}
    if match := _OF_PROJECT.fullmatch(physical_id):
        return {Names.PROJECT_ARN: f"{prefix}{match[1]}", Names.VERSION_NAME: match[2]}
    return None


ROW = ServiceRow(
    name=Names.SERVICE,
    title="Rekognition Custom Labels",
    adapter=RekognitionService,
    codes=CODES,
    listed=_listed,
    model=_model,
    declared=_declared,
    names=Names.names,
    prices=(Price("us-east-1", 4.00, "Amazon Rekognition pricing, Custom Labels", "2026-11"),),
    publishes_units=Names.publishes_units,
)
