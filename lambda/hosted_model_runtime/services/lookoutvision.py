"""Amazon Lookout for Vision, API 2020-11-20 (retired by AWS on 2025-10-31).

One adapter, as ``base.py`` describes it. Current botocore has no model of this service, so ours is put on its
loader's path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from .. import contract
from ..contract import LookoutVision as Names
from ..decisions.model import Observed, Phase, Sighting, Units
from .base import CLIENT_CONFIG, Kind, ServiceError, errors_sorted, shared_session

PHASES: Mapping[str, Phase] = {
    "TRAINING": Phase.UNREADY,
    "TRAINING_FAILED": Phase.UNREADY,
    "DELETING": Phase.UNREADY,
    "TRAINED": Phase.STOPPED,
    "STARTING_HOSTING": Phase.STARTING,
    "HOSTED": Phase.RUNNING,
    "HOSTING_FAILED": Phase.FAILED,
    "STOPPING_HOSTING": Phase.STOPPING,
    "SYSTEM_UPDATING": Phase.UPDATING,
}

CODES: Mapping[str, Kind] = {
    "ResourceNotFoundException": Kind.ABSENT,
    "ConflictException": Kind.CONFLICT,
    "ThrottlingException": Kind.TRANSIENT,
    "InternalServerException": Kind.TRANSIENT,
    "AccessDeniedException": Kind.DENIED,
    "ServiceQuotaExceededException": Kind.QUOTA,
    "ValidationException": Kind.INVALID,
}

_sorted = partial(errors_sorted, Names.SERVICE, CODES)


class LookoutVisionService:
    """The adapter: statuses to phases, errors to kinds, ``latest`` to a number."""

    name = Names.SERVICE
    running = "HOSTED"
    stopped = "TRAINED"
    fenced = True

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def connect(cls, session: Callable[[], Any] = shared_session) -> LookoutVisionService:
        """Return an adapter with a client of our own service model."""
        return cls(session().create_client(Names.SERVICE, config=CLIENT_CONFIG))

    @staticmethod
    def names(model: Mapping[str, str]) -> tuple[str, str]:
        return model[Names.PROJECT_NAME], model[Names.MODEL_VERSION]

    def physical_id(self, model: Mapping[str, str]) -> str:
        if set(model) != set(Names.LIMITS):
            raise ValueError(f"Model must have {' and '.join(Names.LIMITS)}, but it has {sorted(model)}")
        if wrong := contract.check_members(Names.LIMITS, model):
            raise ValueError(wrong)
        return f"{self.name}/{model[Names.PROJECT_NAME]}/{model[Names.MODEL_VERSION]}"

    def describe(self, model: Mapping[str, str]) -> Sighting:
        project, version = model[Names.PROJECT_NAME], model[Names.MODEL_VERSION]
        try:
            with _sorted("DescribeModel"):
                answer = self._client.describe_model(ProjectName=project, ModelVersion=version)
        except ServiceError as error:
            if error.kind is not Kind.ABSENT:
                raise
            return _sighting(project, version, {})
        return _sighting(project, version, answer["ModelDescription"])

    def alternatives(self, model: Mapping[str, str]) -> Iterable[Sighting]:
        if model[Names.MODEL_VERSION] != Names.LATEST:
            return
        project = model[Names.PROJECT_NAME]
        page: dict[str, str] = {}
        while True:
            try:
                with _sorted("ListModels"):
                    answer = self._client.list_models(ProjectName=project, **page)
            except ServiceError as error:
                if error.kind is Kind.ABSENT:
                    return
                raise
            for found in answer.get("Models", []):
                yield _sighting(project, found["ModelVersion"], found)
            if not answer.get("NextToken"):
                return
            page = {"NextToken": answer["NextToken"]}

    def start(self, sighting: Sighting, units: Units, token: str) -> None:
        extra = {} if units.maximum is None else {"MaxInferenceUnits": units.maximum}
        with _sorted("StartModel"):
            self._client.start_model(
                ProjectName=sighting.model[Names.PROJECT_NAME],
                ModelVersion=sighting.version,
                MinInferenceUnits=units.minimum,
                ClientToken=token,
                **extra,
            )

    def stop(self, sighting: Sighting, token: str) -> None:
        with _sorted("StopModel"):
            self._client.stop_model(
                ProjectName=sighting.model[Names.PROJECT_NAME],
                ModelVersion=sighting.version,
                ClientToken=token,
            )

    def tags(self, arn: str) -> dict[str, str]:
        with _sorted("ListTagsForResource"):
            answer = self._client.list_tags_for_resource(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        with _sorted("TagResource"):
            self._client.tag_resource(
                ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
            )

    def untag(self, arn: str, keys: Iterable[str]) -> None:
        with _sorted("UntagResource"):
            self._client.untag_resource(ResourceArn=arn, TagKeys=list(keys))


def _sighting(project: str, version: str, described: Mapping[str, Any]) -> Sighting:
    status = described.get("Status", "")
    # The number that `latest` stands for now. Every later call must be about this very version.
    exact = str(described.get("ModelVersion") or version)
    return Sighting(
        observed=Observed(
            # An unknown status is no reason to start or stop: it counts as updating, which is waited for.
            phase=PHASES.get(status, Phase.UPDATING) if described else Phase.ABSENT,
            name=f"Lookout for Vision model {project}/{exact}",
            status=status,
            message=described.get("StatusMessage", ""),
            min_units=described.get("MinInferenceUnits"),
            max_units=described.get("MaxInferenceUnits"),
        ),
        arn=described.get("ModelArn", ""),
        version=exact,
        model={Names.PROJECT_NAME: project, Names.MODEL_VERSION: exact},
    )
