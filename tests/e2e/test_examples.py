"""Two examples deployed as their pages say: `cdk deploy` in the example's folder, nothing changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from support_models import new_model
from support_stage import CHECKOUT, IMAGE, Stage

from hosted_model_local.demo_services import SERVICES

pytestmark = pytest.mark.e2e

PROJECT = "circuit-boards"
CASES = {
    "minimal": ("Minimal", "lookoutvision", "1"),
    "detect-behind-api": ("DetectBehindApi", "rekognition", "v1"),
}


@pytest.mark.parametrize("example", CASES)
def test_an_example_from_deploy_to_destroy(stage: Stage, tmp_path: Path, example: str) -> None:
    _, service, version = CASES[example]
    with new_model(stage, PROJECT, version, service):
        deploy_and_destroy(stage, tmp_path, example)


def deploy_and_destroy(stage: Stage, tmp_path: Path, example: str) -> None:
    name, service, version = CASES[example]
    # A copy: nothing is written into the checkout, and the app finds the package by its installation only.
    folder = tmp_path / example
    shutil.copytree(CHECKOUT / "examples" / example, folder)

    deploy = stage.start("deploy", "--all", "--require-approval", "never", "--method", "direct", cwd=folder)
    assert deploy.wait() == 0
    hosted = stage.model(PROJECT, version, service)
    assert (hosted.status, hosted.starts) == (SERVICES[service].running, 1)
    outputs = stage.outputs(name)
    if example == "minimal":
        assert outputs == {"ModelArn": hosted.arn}
    else:
        status, labels = post(stage, outputs["Url"])
        assert (status, list(labels)) == (200, [one["Name"] for one in stage.infer(hosted)["CustomLabels"]])

    # The assembly that was deployed: to destroy needs no second synth.
    assert stage.destroy(folder / "cdk.out") == 0
    assert stage.stack(name) is None
    stage.assert_gone(PROJECT, version, service=service, starts=1)
    assert stage.rules() == []
    functions = stage.client("lambda").list_functions()["Functions"]
    assert [one["FunctionName"] for one in functions if one["FunctionName"].startswith(name)] == []


def post(stage: Stage, url: str) -> tuple[int, dict[str, float]]:
    """Send one image to the API, signed as its authorizer wants it; the HTTP status and the labels."""
    request = AWSRequest("POST", url, data=IMAGE, headers={"Content-Type": "image/png"})
    SigV4Auth(Credentials("test", "test"), "execute-api", stage.cloud.region).add_auth(request)
    address = urlsplit(url)
    # The API's own name need not resolve, and is not in the local certificate.
    with urllib3.HTTPSConnectionPool(
        "127.0.0.1",
        address.port,
        ca_certs=stage.cloud.environment["SSL_CERT_FILE"],
        server_hostname="localhost",
        assert_hostname="localhost",
        timeout=120,
    ) as pool:
        headers = {**request.headers, "Host": address.netloc}
        answer = pool.request("POST", address.path, body=IMAGE, headers=headers, retries=False)
    return answer.status, json.loads(answer.data)
