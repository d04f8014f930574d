"""What the demo must know of each service: statuses, the sample app's context, one inference."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from hosted_model_local import clients

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
    trained, running, failed, stopped
        The service's words for: trained and never started, answering, failed to start, stopped again.
    context
        The sample app's context for a model, by the model.
    infer
        Sends one image to a model at a URL in a region; returns the answer in one line.
    """

    service: str
    title: str
    project: str
    versions: tuple[str, str, str]
    trained: str
    running: str
    failed: str
    stopped: str
    operation: str
    context: Callable[[clients.Model], Mapping[str, str]]
    infer: Callable[[clients.Model, str, str], str]


def _lookoutvision_context(model: clients.Model) -> dict[str, str]:
    return {"service": "lookoutvision", "project": model.project, "version": model.version}


def _rekognition_context(model: clients.Model) -> dict[str, str]:
    # arn:P:rekognition:R:A:project/NAME/version/VERSION/TIMESTAMP: IAM and the API want the time stamps too.
    return {
        "service": "rekognition",
        "project": model.project,
        "version": model.version,
        "model_arn": model.arn,
    }


def _detect_anomalies(model: clients.Model, url: str, region: str) -> str:
    """POST …/detect as "DetectAnomalies" of the API reference; boto3 has no such client any more."""
    path = f"/2020-11-20/projects/{model.project}/models/{model.version}/detect"
    answer = _signed(url + path, "lookoutvision", region, {"Content-Type": "image/png"}, _IMAGE)
    result = answer["DetectAnomalyResult"]
    return f"IsAnomalous={result['IsAnomalous']} Confidence={result['Confidence']}"


def _detect_custom_labels(model: clients.Model, url: str, region: str) -> str:
    """DetectCustomLabels, AWS JSON 1.1."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "RekognitionService.DetectCustomLabels",
    }
    image = base64.b64encode(_IMAGE).decode()
    body = json.dumps({"ProjectVersionArn": model.arn, "Image": {"Bytes": image}}).encode()
    answer = _signed(url + "/", "rekognition", region, headers, body)
    return f"{len(answer['CustomLabels'])} labels"


def _signed(
    url: str, service: str, region: str, headers: Mapping[str, str], body: bytes
) -> dict[str, dict[str, str]]:
    request = AWSRequest(method="POST", url=url, data=body, headers=dict(headers))
    # The root keys of the local cloud.
    SigV4Auth(Credentials("test", "test"), service, region).add_auth(request)
    pool = urllib3.PoolManager(timeout=_TIMEOUT_SECONDS, retries=False)
    answer = pool.request("POST", url, headers=dict(request.headers.items()), body=body)
    document: dict[str, dict[str, str]] = json.loads(answer.data)
    if answer.status != 200:
        raise RuntimeError(f"HTTP {answer.status}: {document}")
    return document


SERVICES = {
    "lookoutvision": ServiceScript(
        service="lookoutvision",
        title="Amazon Lookout for Vision",
        project="circuit-boards",
        versions=("1", "2", "3"),
        trained="TRAINED",
        running="HOSTED",
        failed="HOSTING_FAILED",
        stopped="TRAINED",
        operation="DetectAnomalies",
        context=_lookoutvision_context,
        infer=_detect_anomalies,
    ),
    "rekognition": ServiceScript(
        service="rekognition",
        title="Amazon Rekognition Custom Labels",
        project="circuit-boards",
        versions=("v1", "v2", "v3"),
        trained="TRAINING_COMPLETED",
        running="RUNNING",
        failed="FAILED",
        stopped="STOPPED",
        operation="DetectCustomLabels",
        context=_rekognition_context,
        infer=_detect_custom_labels,
    ),
}
