"""Amazon Lookout for Vision."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hosted_model_runtime.contract import LookoutVision as Names
from hosted_model_runtime.decisions.model import Phase
from hosted_model_runtime.services.lookoutvision import CODES, PHASES, LookoutVisionService

from .row import Pages, Place, Price, ServiceRow, there

_ARN = re.compile(r"arn:[^:]+:lookoutvision:[^:]+:\d{12}:model/([^/]+)/([1-9][0-9]*)")
_PHYSICAL_ID = re.compile(r"lookoutvision/([^/]+)/([^/]+)")


def _listed(pages: Pages) -> Iterator[tuple[str, Phase]]:
    for projects in pages("ListProjects"):
        for project in projects.get("Projects", []):
            for models in there(pages("ListModels", ProjectName=project["ProjectName"])):
                for one in models.get("Models", []):
                    # A status that this code does not know may bill: it is shown.
                    yield one["ModelArn"], PHASES.get(one["Status"], Phase.UPDATING)


def _model(arn: str) -> Mapping[str, str] | None:
    return _named(_ARN.fullmatch(arn))


def _declared(physical_id: str, _: Place) -> Mapping[str, str] | None:
    return _named(_PHYSICAL_ID.fullmatch(physical_id))


def _named(match: re.Match[str] | None) -> Mapping[str, str] | None:
    return {Names.PROJECT_NAME: match[1], Names.MODEL_VERSION: match[2]} if match else None


ROW = ServiceRow(
    name=Names.SERVICE,
    title="Lookout for Vision",
    adapter=LookoutVisionService,
    codes=CODES,
    listed=_listed,
    model=_model,
    declared=_declared,
    names=lambda model: (model[Names.PROJECT_NAME], model[Names.MODEL_VERSION]),
    prices=(Price("us-east-1", 4.00, "Amazon Lookout for Vision pricing", "2025-10"),),
    regions=(),
    retired="2025-10-31",
)
