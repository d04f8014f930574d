"""Amazon Personalize recommenders, API 2018-05-22.

One adapter, as ``base.py`` describes it. No operation takes a ClientToken, so ``token`` goes unused. Units
are ``minRecommendationRequestsPerSecond``: they belong to the recommender's configuration, which Start leaves
as it is and which can be updated while the recommender serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from ..contract import Personalize as Names
from ..decisions.model import Observed, Phase, Resizing, Sighting, Units
from .base import CLIENT_CONFIG, Kind, ServiceError, errors_sorted, shared_session

#: With underscores for blanks: the API Reference writes "IN_PROGRESS", the Developer Guide "IN PROGRESS".
PHASES: Mapping[str, Phase] = {
    "CREATE_PENDING": Phase.UNREADY,
    "CREATE_IN_PROGRESS": Phase.UNREADY,
    "CREATE_FAILED": Phase.UNREADY,
    "DELETE_PENDING": Phase.UNREADY,
    "DELETE_IN_PROGRESS": Phase.UNREADY,
    "INACTIVE": Phase.STOPPED,
    "START_PENDING": Phase.STARTING,
    "START_IN_PROGRESS": Phase.STARTING,
    "ACTIVE": Phase.RUNNING,
    "STOP_PENDING": Phase.STOPPING,
    "STOP_IN_PROGRESS": Phase.STOPPING,
}

#: All of the service's own come with HTTP 400.
CODES: Mapping[str, Kind] = {
    "ResourceNotFoundException": Kind.ABSENT,
    "ResourceInUseException": Kind.CONFLICT,
    # Of tag operations, and a rate.
    "LimitExceededException": Kind.TRANSIENT,
    "ThrottlingException": Kind.TRANSIENT,
    # A page's token is used at once. One that is refused is out of date: the next look begins anew.
    "InvalidNextTokenException": Kind.TRANSIENT,
    "AccessDeniedException": Kind.DENIED,
    "InvalidInputException": Kind.INVALID,
    "TooManyTagsException": Kind.INVALID,
    "TooManyTagKeysException": Kind.INVALID,
}

_sorted = partial(errors_sorted, Names.SERVICE, CODES)


class PersonalizeService:
    """The adapter: statuses to phases, errors to kinds, units to the recommender's configuration."""

    name = Names.SERVICE
    running = "ACTIVE"
    stopped = "INACTIVE"
    #: The Service Authorization Reference lists no condition keys for the service.
    fenced = False

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def connect(cls, session: Callable[[], Any] = shared_session) -> PersonalizeService:
        """Return an adapter with botocore's own client."""
        return cls(session().create_client(Names.SERVICE, config=CLIENT_CONFIG))

    @staticmethod
    def names(model: Mapping[str, str]) -> tuple[str, str]:
        return Names.names(model)

    def physical_id(self, model: Mapping[str, str]) -> str:
        if wrong := Names.check(model):
            raise ValueError(wrong)
        return "/".join((self.name, *Names.names(model)))

    def describe(self, model: Mapping[str, str]) -> Sighting:
        try:
            return _sighting(model, self._described(model[Names.RECOMMENDER_ARN]))
        except ServiceError as error:
            if error.kind is not Kind.ABSENT:
                raise
            return _sighting(model, {})

    def alternatives(self, model: Mapping[str, str]) -> Iterable[Sighting]:
        """Return nothing: this service has no moving names."""
        return ()

    def start(self, sighting: Sighting, units: Units, token: str) -> None:
        """Start with the units that the recommender has; one that comes up with others is resized."""
        with self._in_state(sighting, Phase.STOPPED, Phase.FAILED), _sorted("StartRecommender"):
            self._client.start_recommender(recommenderArn=sighting.arn)

    def stop(self, sighting: Sighting, token: str) -> None:
        with self._in_state(sighting, Phase.RUNNING), _sorted("StopRecommender"):
            self._client.stop_recommender(recommenderArn=sighting.arn)

    def resize(self, sighting: Sighting, units: Units, token: str) -> None:
        """Change the units and nothing else: other columns for training would start a full retraining."""
        config = dict(self._described(sighting.arn).get("recommenderConfig", {}))
        config[Names.UNITS] = units.minimum
        with self._in_state(sighting, Phase.RUNNING), _sorted("UpdateRecommender"):
            self._client.update_recommender(recommenderArn=sighting.arn, recommenderConfig=config)

    def tags(self, arn: str) -> dict[str, str]:
        with _sorted("ListTagsForResource"):
            answer = self._client.list_tags_for_resource(resourceArn=arn)
        return {tag["tagKey"]: tag["tagValue"] for tag in answer.get("tags", [])}

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        pairs = [{"tagKey": key, "tagValue": value} for key, value in tags.items()]
        with _sorted("TagResource"):
            self._client.tag_resource(resourceArn=arn, tags=pairs)

    def untag(self, arn: str, keys: Iterable[str]) -> None:
        with _sorted("UntagResource"):
            self._client.untag_resource(resourceArn=arn, tagKeys=list(keys))

    def _described(self, arn: str) -> Mapping[str, Any]:
        with _sorted("DescribeRecommender"):
            found: Mapping[str, Any] = self._client.describe_recommender(recommenderArn=arn)["recommender"]
        return found

    @contextmanager
    def _in_state(self, sighting: Sighting, *phases: Phase) -> Iterator[None]:
        """Take InvalidInputException for a conflict where the recommender is not in one of these phases.

        Which error a call gets at a recommender that is in another state is not documented.
        """
        try:
            yield
        except ServiceError as error:
            if error.kind is not Kind.INVALID:
                raise
            now = self.describe(sighting.model)
            resizes = now.observed.resizing is not None and now.observed.resizing.under_way
            if now.phase in phases and not resizes:
                raise
            raise ServiceError(Kind.CONFLICT, str(error)) from error


def _sighting(model: Mapping[str, str], described: Mapping[str, Any]) -> Sighting:
    *_, name = Names.names(model)
    status = described.get("status", "")
    reason = described.get("failureReason") or ""
    return Sighting(
        observed=Observed(
            phase=_phase(status, reason) if described else Phase.ABSENT,
            name=f"Personalize recommender {name}",
            status=status,
            message=reason,
            min_units=described.get("recommenderConfig", {}).get(Names.UNITS, 1) if described else None,
            resizing=_resizing(described.get("latestRecommenderUpdate")),
            unit="recommendation requests a second",
        ),
        arn=described.get("recommenderArn", ""),
        version=name,
        model=model,
    )


def _phase(status: str, reason: str) -> Phase:
    """Return the phase; an unknown status is no reason to start or stop: it counts as updating.

    There is no status of a start that failed: a recommender that is INACTIVE for a reason is one.
    """
    known = status.replace(" ", "_")
    phase = PHASES.get(known, Phase.FAILED if known == "START_FAILED" else Phase.UPDATING)
    return Phase.FAILED if phase is Phase.STOPPED and reason else phase


def _resizing(update: Mapping[str, Any] | None) -> Resizing | None:
    """Return the last update: CREATE PENDING, then CREATE IN_PROGRESS, then ACTIVE or CREATE FAILED."""
    if not update:
        return None
    status, units = str(update.get("status", "")), update.get("recommenderConfig", {}).get(Names.UNITS, 1)
    failed = "FAILED" in status
    since = update.get("creationDateTime")
    return Resizing(
        Units(units),
        since.timestamp() if since else 0.0,
        under_way=not failed and status != "ACTIVE",
        failed=failed,
        message=update.get("failureReason") or "",
    )
