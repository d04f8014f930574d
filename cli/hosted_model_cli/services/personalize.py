"""Amazon Personalize recommenders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hosted_model_runtime.contract import Personalize as Names
from hosted_model_runtime.decisions.model import Phase
from hosted_model_runtime.services.personalize import CODES, PHASES, PersonalizeService

from .row import Pages, Place, ServiceRow


def _listed(pages: Pages) -> Iterator[tuple[str, Phase]]:
    for page in pages("ListRecommenders"):
        for one in page.get("recommenders", []):
            # A status that this code does not know may bill: it is shown.
            yield one["recommenderArn"], PHASES.get(one["status"].replace(" ", "_"), Phase.UPDATING)


def _model(arn: str) -> Mapping[str, str] | None:
    names = {Names.RECOMMENDER_ARN: arn}
    return names if Names.check(names) is None else None


def _declared(physical_id: str, place: Place) -> Mapping[str, str] | None:
    prefix = f"arn:{place.partition}:personalize:{place.region}:{place.account}:"
    return _model(prefix + physical_id.removeprefix(f"{Names.SERVICE}/"))


ROW = ServiceRow(
    name=Names.SERVICE,
    title="Personalize recommenders",
    adapter=PersonalizeService,
    codes=CODES,
    listed=_listed,
    model=_model,
    declared=_declared,
    names=Names.names,
    # Its price is for the use case and falls with the number of requests: there is none for a unit.
    prices=(),
)
