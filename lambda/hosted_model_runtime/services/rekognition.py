"""Amazon Rekognition Custom Labels, API 2016-06-27.

One adapter, as ``base.py`` describes it. No operation takes a ClientToken, so ``token`` goes unused: the
observed status and the lease keep a model from being started twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from ..contract import Rekognition as Names
from ..decisions.model import Observed, Phase, Sighting, Units
from .base import CLIENT_CONFIG, Kind, ServiceError, errors_sorted, shared_session

PHASES: Mapping[str, Phase] = {
    "TRAINING_IN_PROGRESS": Phase.UNREADY,
    "TRAINING_FAILED": Phase.UNREADY,
    "COPYING_IN_PROGRESS": Phase.UNREADY,
    "COPYING_FAILED": Phase.UNREADY,
    "DELETING": Phase.UNREADY,
    "DEPRECATED": Phase.UNREADY,
    "EXPIRED": Phase.UNREADY,
    "TRAINING_COMPLETED": Phase.STOPPED,
    "COPYING_COMPLETED": Phase.STOPPED,
    "STOPPED": Phase.STOPPED,
    "STARTING": Phase.STARTING,
    "RUNNING": Phase.RUNNING,
    "FAILED": Phase.FAILED,
    "STOPPING": Phase.STOPPING,
}

CODES: Mapping[str, Kind] = {
    "ResourceNotFoundException": Kind.ABSENT,
    "ResourceInUseException": Kind.CONFLICT,
    "ResourceNotReadyException": Kind.CONFLICT,
    "ThrottlingException": Kind.TRANSIENT,
    "ProvisionedThroughputExceededException": Kind.TRANSIENT,
    "InternalServerError": Kind.TRANSIENT,
    # A page's token is used at once. One that is refused is out of date: the next look begins anew.
    "InvalidPaginationTokenException": Kind.TRANSIENT,
    "AccessDeniedException": Kind.DENIED,
    "LimitExceededException": Kind.QUOTA,
    "ServiceQuotaExceededException": Kind.QUOTA,
    "InvalidParameterException": Kind.INVALID,
}

_sorted = partial(errors_sorted, Names.SERVICE, CODES)


class RekognitionService:
    """The adapter: statuses to phases, errors to kinds, a version's ARN to its project's."""

    name = Names.SERVICE
    running = "RUNNING"
    stopped = "STOPPED"
    fenced = True

    def __init__(self, client: Any) -> None:
        self._client = client
        self._projects: dict[str, str] = {}

    @classmethod
    def connect(cls, session: Callable[[], Any] = shared_session) -> RekognitionService:
        """Return an adapter with botocore's own client."""
        return cls(session().create_client(Names.SERVICE, config=CLIENT_CONFIG))

    @staticmethod
    def names(model: Mapping[str, str]) -> tuple[str, str]:
        return Names.names(model)

    def physical_id(self, model: Mapping[str, str]) -> str:
        if wrong := Names.check(model):
            raise ValueError(wrong)
        if Names.PROJECT_VERSION_ARN in model:
            return f"{self.name}/{_resource(model[Names.PROJECT_VERSION_ARN])}"
        return f"{self.name}/{_resource(model[Names.PROJECT_ARN])}/{model[Names.VERSION_NAME]}"

    def describe(self, model: Mapping[str, str]) -> Sighting:
        project, version = Names.names(model)
        was_known = project in self._projects
        found = self._find(model, project, version)
        if was_known and not found:
            # The project may have been deleted and made anew: then its ARN is another.
            self._projects.pop(project, None)
            found = self._find(model, project, version)
        return _sighting(model, found)

    def alternatives(self, model: Mapping[str, str]) -> Iterable[Sighting]:
        """Return nothing: this service has no moving names."""
        return ()

    def start(self, sighting: Sighting, units: Units, token: str) -> None:
        extra = {} if units.maximum is None else {"MaxInferenceUnits": units.maximum}
        with _sorted("StartProjectVersion"):
            self._client.start_project_version(
                ProjectVersionArn=sighting.arn, MinInferenceUnits=units.minimum, **extra
            )

    def stop(self, sighting: Sighting, token: str) -> None:
        with _sorted("StopProjectVersion"):
            self._client.stop_project_version(ProjectVersionArn=sighting.arn)

    def tags(self, arn: str) -> dict[str, str]:
        with _sorted("ListTagsForResource"):
            answer = self._client.list_tags_for_resource(ResourceArn=arn)
        return dict(answer.get("Tags", {}))

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        with _sorted("TagResource"):
            self._client.tag_resource(ResourceArn=arn, Tags=dict(tags))

    def untag(self, arn: str, keys: Iterable[str]) -> None:
        with _sorted("UntagResource"):
            self._client.untag_resource(ResourceArn=arn, TagKeys=list(keys))

    def _find(self, model: Mapping[str, str], project: str, version: str) -> Mapping[str, Any]:
        """Return the version's description, or nothing."""
        wanted = model.get(Names.PROJECT_VERSION_ARN)
        try:
            arn = model.get(Names.PROJECT_ARN) or self._project_arn(project)
            for found in self._pages("DescribeProjectVersions", ProjectArn=arn, VersionNames=[version]):
                if wanted in (None, found["ProjectVersionArn"]):
                    return found
        except ServiceError as error:
            if error.kind is not Kind.ABSENT:
                raise
        return {}

    def _project_arn(self, name: str) -> str:
        """Return the project's ARN, which describing takes. Its time stamp is not in the version's ARN."""
        if name not in self._projects:
            for found in self._pages("DescribeProjects", ProjectNames=[name]):
                self._projects[name] = found["ProjectArn"]
        if name not in self._projects:
            raise ServiceError(Kind.ABSENT, f"rekognition:DescribeProjects: there is no project {name}")
        return self._projects[name]

    def _pages(self, operation: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        call, members = _PAGED[operation]
        page: dict[str, str] = {}
        while True:
            with _sorted(operation):
                answer = getattr(self._client, call)(**parameters, **page)
            yield from answer.get(members, [])
            if not answer.get("NextToken"):
                return
            page = {"NextToken": answer["NextToken"]}


#: An operation's method of the client, and the member of its answer that holds the page.
_PAGED = {
    "DescribeProjects": ("describe_projects", "ProjectDescriptions"),
    "DescribeProjectVersions": ("describe_project_versions", "ProjectVersionDescriptions"),
}


def _resource(arn: str) -> str:
    return arn.split(":", 5)[5].removeprefix("project/")


def _sighting(model: Mapping[str, str], described: Mapping[str, Any]) -> Sighting:
    project, version = Names.names(model)
    status = described.get("Status", "")
    return Sighting(
        observed=Observed(
            # An unknown status is no reason to start or stop: it counts as updating, which is waited for.
            phase=PHASES.get(status, Phase.UPDATING) if described else Phase.ABSENT,
            name=f"Rekognition Custom Labels model {project}/{version}",
            status=status,
            message=described.get("StatusMessage", ""),
            min_units=described.get("MinInferenceUnits"),
            max_units=described.get("MaxInferenceUnits"),
        ),
        arn=described.get("ProjectVersionArn", ""),
        version=version,
        model=model,
    )
