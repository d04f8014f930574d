"""The services that every protocol and chaos test is run over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Stack

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

    def model(self, version: str) -> dict[str, str]:
        """Return the Model property of a version."""
        if self.name == "lookoutvision":
            return {"ProjectName": PROJECT, "ModelVersion": version}
        arn = f"arn:aws:rekognition:us-east-1:000000000000:project/{PROJECT}/version/{version}/1600000000001"
        return {"ProjectVersionArn": arn}

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

    def physical_id(self, version: str) -> str:
        """Return the identity that every answer must carry."""
        if self.name == "lookoutvision":
            return f"lookoutvision/{PROJECT}/{version}"
        return f"rekognition/{PROJECT}/version/{version}/1600000000001"


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
)
CASES: Mapping[str, ServiceCase] = {case.name: case for case in (LOOKOUTVISION, REKOGNITION)}


def declare_all(stack: Stack) -> None:
    """Declare every model of the tests in one stack, so that its policy covers them."""
    from hosted_model import LookoutVisionModel, RekognitionCustomLabelsModel

    for version in VERSIONS:
        arn = REKOGNITION.model(version)["ProjectVersionArn"]
        RekognitionCustomLabelsModel(stack, f"R{version}", project_version_arn=arn)
    for version in VERSIONS:
        LookoutVisionModel(stack, f"V{version}", project_name=PROJECT, model_version=version)
    LookoutVisionModel(stack, "Latest", project_name=PROJECT, model_version="latest")
