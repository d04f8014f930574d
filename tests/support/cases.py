"""The services that every protocol and chaos test is run over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from constructs import Construct

PROJECT = "boards"
VERSIONS = ("1", "2", "3")


@dataclass(frozen=True)
class ServiceCase:
    """What a test must know of a service to declare, seed and read a model."""

    name: str
    stopped: str
    starting: str
    running: str
    failed: str
    unready: str
    deleting: str
    start: str
    stop: str
    describe: str
    #: The Model property of a version.
    model: Callable[[str], dict[str, str]]
    #: The identity that every answer about a version must carry.
    physical_id: Callable[[str], str]
    #: Make the service's construct: scope, ID, Model property, and the options that all constructs have.
    declare: Callable[..., Construct]
    #: Error codes that pass, and those with which a start is refused for good.
    passing: tuple[str, ...]
    final: tuple[str, ...]
    #: Whether starts and stops take a ClientToken.
    takes_tokens: bool
    #: The status of a model that the service updates by itself; empty where there is no such status.
    updating: str = ""
    #: The status before `starting`; empty where there is none.
    pending: str = ""
    #: The operation that changes units while a model serves; empty where a change stops and starts it.
    resize: str = ""
    #: Whether the service tells IAM the tags of a model; where not, the tests go both ways.
    fenced: bool = True
    #: What a Reason calls a version.
    named: Callable[[str], str] = lambda version: f"{PROJECT}/{version}"
    #: What metrics and the command call the project.
    project: str = PROJECT

    def properties(self, version: str, units: int = 1, **more: Any) -> dict[str, Any]:
        """Return ResourceProperties as CloudFormation sends them: strings."""
        found = {
            "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:provider",
            "Service": self.name,
            "Model": self.model(version),
            "MinInferenceUnits": str(units),
            "OnRunning": "FAIL",
            "HostingTimeoutSeconds": "3600",
        }
        return {**found, **{key: str(value) for key, value in more.items()}}


# The constructs are imported when they are needed: that starts a process of Node, and most tests need none.
def _lookoutvision(scope: Construct, construct_id: str, model: Mapping[str, str], **given: Any) -> Construct:
    from hosted_model import LookoutVisionModel

    project, version = model["ProjectName"], model["ModelVersion"]
    return LookoutVisionModel(scope, construct_id, project_name=project, model_version=version, **given)


def _rekognition(scope: Construct, construct_id: str, model: Mapping[str, str], **given: Any) -> Construct:
    from hosted_model import RekognitionCustomLabelsModel

    arn = model["ProjectVersionArn"]
    return RekognitionCustomLabelsModel(scope, construct_id, project_version_arn=arn, **given)


def _personalize(scope: Construct, construct_id: str, model: Mapping[str, str], **given: Any) -> Construct:
    from hosted_model import PersonalizeRecommender

    units = given.pop("min_inference_units", 1)
    return PersonalizeRecommender(
        scope,
        construct_id,
        recommender_arn=model["RecommenderArn"],
        min_recommendation_requests_per_second=units,
        **given,
    )


_REKOGNITION_ARN = "arn:aws:rekognition:us-east-1:000000000000:project"

LOOKOUTVISION = ServiceCase(
    name="lookoutvision",
    stopped="TRAINED",
    starting="STARTING_HOSTING",
    running="HOSTED",
    failed="HOSTING_FAILED",
    unready="TRAINING",
    deleting="DELETING",
    start="StartModel",
    stop="StopModel",
    describe="DescribeModel",
    model=lambda version: {"ProjectName": PROJECT, "ModelVersion": version},
    physical_id=lambda version: f"lookoutvision/{PROJECT}/{version}",
    declare=_lookoutvision,
    passing=(
        "ThrottlingException",
        "InternalServerException",
        "ConflictException",
        "ConnectionReset",
        "AccessDeniedException",
    ),
    final=("ServiceQuotaExceededException", "ValidationException"),
    takes_tokens=True,
    updating="SYSTEM_UPDATING",
)
REKOGNITION = ServiceCase(
    name="rekognition",
    stopped="STOPPED",
    starting="STARTING",
    running="RUNNING",
    failed="FAILED",
    unready="TRAINING_IN_PROGRESS",
    deleting="DELETING",
    start="StartProjectVersion",
    stop="StopProjectVersion",
    describe="DescribeProjectVersions",
    model=lambda version: {
        "ProjectVersionArn": f"{_REKOGNITION_ARN}/{PROJECT}/version/{version}/1600000000001"
    },
    physical_id=lambda version: f"rekognition/{PROJECT}/version/{version}/1600000000001",
    declare=_rekognition,
    passing=(
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "InternalServerError",
        "ResourceInUseException",
        "ConnectionReset",
        "AccessDeniedException",
    ),
    final=("LimitExceededException", "InvalidParameterException"),
    takes_tokens=False,
)
PERSONALIZE = ServiceCase(
    name="personalize",
    stopped="INACTIVE",
    starting="START IN_PROGRESS",
    running="ACTIVE",
    failed="INACTIVE",
    unready="CREATE IN_PROGRESS",
    deleting="DELETE IN_PROGRESS",
    start="StartRecommender",
    stop="StopRecommender",
    describe="DescribeRecommender",
    resize="UpdateRecommender",
    pending="START PENDING",
    model=lambda version: {
        "RecommenderArn": f"arn:aws:personalize:us-east-1:000000000000:recommender/{version}"
    },
    physical_id=lambda version: f"personalize/recommender/{version}",
    declare=_personalize,
    passing=(
        "ThrottlingException",
        "LimitExceededException",
        "ResourceInUseException",
        "ConnectionReset",
        "AccessDeniedException",
    ),
    final=("InvalidInputException",),
    takes_tokens=False,
    fenced=False,
    named=lambda version: f"recommender {version}",
    project="recommender",
)
CASES: dict[str, ServiceCase] = {case.name: case for case in (LOOKOUTVISION, REKOGNITION, PERSONALIZE)}


def declare_all(stack: Construct) -> None:
    """Declare every model of the tests in one stack, so that its policy covers them."""
    for case in CASES.values():
        for version in VERSIONS:
            case.declare(stack, f"{case.name}{version}", case.model(version))
    LOOKOUTVISION.declare(stack, "Latest", LOOKOUTVISION.model("latest"))
