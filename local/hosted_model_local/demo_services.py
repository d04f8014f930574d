"""What the demo must know of each service beside its registry: the sample app's context, one inference."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from hosted_model_local import clients
from hosted_model_local.simulator import registry
from hosted_model_local.simulator.lookoutvision import LookoutVision
from hosted_model_local.simulator.personalize import Personalize
from hosted_model_local.simulator.rekognition import Rekognition
from hosted_model_local.simulator.service import Service

# The smallest PNG there is: one grey point.
_IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class ServiceScript:
    """One service in the demo.

    Attributes
    ----------
    context
        The sample app's context for a model, by the model.
    infer
        Sends one image, or one question, to a model at a URL in a region; returns the answer in one line.
    in_place
        Whether a change of units leaves the model serving.
    """

    kind: type[Service]
    title: str
    project: str
    versions: tuple[str, str, str]
    operation: str
    context: Callable[[clients.ModelView], Mapping[str, str]]
    infer: Callable[[clients.ModelView, str, str], str]
    in_place: bool = False

    @property
    def service(self) -> str:
        """Its name in the control API and in the sample app's context."""
        return self.kind.name

    @property
    def trained(self) -> str:
        """The service's word for a model that was never started."""
        return self.kind.lifecycle.trained

    @property
    def running(self) -> str:
        """… for one that answers."""
        return self.kind.lifecycle.running

    @property
    def failed(self) -> str:
        """… for one that could not be started."""
        return self.kind.lifecycle.failed

    @property
    def stopped(self) -> str:
        """… for one that was stopped."""
        return self.kind.lifecycle.stopped


def _lookoutvision_context(model: clients.ModelView) -> dict[str, str]:
    return {"service": "lookoutvision", "project": model.project, "version": model.version}


def _rekognition_context(model: clients.ModelView) -> dict[str, str]:
    # arn:P:rekognition:R:A:project/NAME/version/VERSION/TIMESTAMP: IAM and the API want the time stamps too.
    return {
        "service": "rekognition",
        "project": model.project,
        "version": model.version,
        "model_arn": model.arn,
    }


def _detect_anomalies(model: clients.ModelView, url: str, region: str) -> str:
    """POST …/detect as "DetectAnomalies" of the API reference; boto3 has no such client any more."""
    path = f"/2020-11-20/projects/{model.project}/models/{model.version}/detect"
    answer = _signed(url + path, "lookoutvision", region, {"Content-Type": "image/png"}, _IMAGE)
    result = answer["DetectAnomalyResult"]
    return f"IsAnomalous={result['IsAnomalous']} Confidence={result['Confidence']}"


def _detect_custom_labels(model: clients.ModelView, url: str, region: str) -> str:
    """DetectCustomLabels, AWS JSON 1.1."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "RekognitionService.DetectCustomLabels",
    }
    image = base64.b64encode(_IMAGE).decode()
    body = json.dumps({"ProjectVersionArn": model.arn, "Image": {"Bytes": image}}).encode()
    answer = _signed(url + "/", "rekognition", region, headers, body)
    return f"CustomLabels: {', '.join(one['Name'] for one in answer['CustomLabels'])}"


def _personalize_context(model: clients.ModelView) -> dict[str, str]:
    return {
        "service": "personalize",
        "project": model.project,
        "version": model.version,
        "model_arn": model.arn,
    }


def _get_recommendations(model: clients.ModelView, url: str, region: str) -> str:
    """POST /recommendations of the runtime's API, which signs as the service does."""
    body = json.dumps({"recommenderArn": model.arn, "userId": "user-1"}).encode()
    headers = {"Content-Type": "application/json"}
    answer = _signed(url + "/recommendations", "personalize", region, headers, body)
    return f"itemList: {', '.join(one['itemId'] for one in answer['itemList'])}"


def _signed(url: str, service: str, region: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    request = AWSRequest(method="POST", url=url, data=body, headers=dict(headers))
    # The root keys of the local cloud.
    SigV4Auth(Credentials("test", "test"), service, region).add_auth(request)
    pool = urllib3.PoolManager(timeout=_TIMEOUT_SECONDS, retries=False)
    answer = pool.request("POST", url, headers=dict(request.headers.items()), body=body)
    document: dict[str, Any] = json.loads(answer.data)
    if answer.status != 200:
        raise RuntimeError(f"HTTP {answer.status}: {document}")
    return document


_SCRIPTS = (
    ServiceScript(
        kind=LookoutVision,
        title="Amazon Lookout for Vision",
        project="circuit-boards",
        versions=("1", "2", "3"),
        operation="DetectAnomalies",
        context=_lookoutvision_context,
        infer=_detect_anomalies,
    ),
    ServiceScript(
        kind=Rekognition,
        title="Amazon Rekognition Custom Labels",
        project="circuit-boards",
        versions=("v1", "v2", "v3"),
        operation="DetectCustomLabels",
        context=_rekognition_context,
        infer=_detect_custom_labels,
    ),
    ServiceScript(
        kind=Personalize,
        title="Amazon Personalize",
        # What the command calls the project of every recommender.
        project="recommender",
        versions=("top-picks", "best-sellers", "most-viewed"),
        operation="GetRecommendations",
        context=_personalize_context,
        infer=_get_recommendations,
        in_place=True,
    ),
)
#: By the service's name, in the order of the registry: the demo's choices.
SERVICES = {one.name: script for one in registry.SERVICES for script in _SCRIPTS if script.kind is one}
