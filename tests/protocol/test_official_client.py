"""The service's own client of its last days, unmodified, against the simulator over real HTTP.

botocore 1.40.60 is the last release seen with Lookout for Vision. It lives in a venv of its own, made once
below ``.venvs/``, because everything else here runs on a current botocore.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
import venv
from pathlib import Path

import pytest

from hosted_model_local.simulator import Simulator
from hosted_model_local.simulator.server import ThreadedServer

REQUIREMENT = "botocore==1.40.60"
VENV = Path(__file__).resolve().parents[2] / ".venvs" / "lookoutvision-client"

SCRIPT = r"""
import json, sys, time, urllib.request
import botocore.session
from botocore.config import Config

url = sys.argv[1]
seen = {"errors": {}}


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/_simulator/{path}", data, method=method)
    return json.load(urllib.request.urlopen(request))


def make(attempts):
    return botocore.session.get_session().create_client(
        "lookoutvision",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
    )


model = {"ProjectName": "circuit-boards", "ModelVersion": "3"}
client, patient = make(1), make(3)
settings = {"region": "eu-west-1", "start_seconds": 1, "stop_seconds": 0.5}
control("PUT", "models/circuit-boards/3", settings)
control("PUT", "models/circuit-boards/4", settings)


def wait(status):
    limit = time.monotonic() + 60
    while True:
        description = client.describe_model(**model)["ModelDescription"]
        if description["Status"] == status or time.monotonic() > limit:
            return description
        time.sleep(0.25)


# The client makes the ClientToken and repeats it after a lost answer: one start.
control("POST", "faults", {"operation": "StartModel", "lose_response": True})
answer = patient.start_model(**model, MinInferenceUnits=1, MaxInferenceUnits=2)
seen["start"] = [answer["ResponseMetadata"]["HTTPStatusCode"], answer["Status"]]
seen["request_id"] = bool(answer["ResponseMetadata"].get("RequestId"))
description = wait("HOSTED")
description["CreationTimestamp"] = description["CreationTimestamp"].year
seen["description"] = description
image = {"Body": b"\x89PNG image", "ContentType": "image/png"}
seen["detect"] = client.detect_anomalies(**model, **image)["DetectAnomalyResult"]
arn = description["ModelArn"]
tags = [{"Key": "team/a b", "Value": "x=1"}, {"Key": "stage", "Value": ""}]
client.tag_resource(ResourceArn=arn, Tags=tags)
seen["tags"] = client.list_tags_for_resource(ResourceArn=arn)["Tags"]
client.untag_resource(ResourceArn=arn, TagKeys=["team/a b"])
seen["tags_left"] = client.list_tags_for_resource(ResourceArn=arn)["Tags"]
listing = {"ProjectName": "circuit-boards", "PaginationConfig": {"PageSize": 1}}
pages = client.get_paginator("list_models").paginate(**listing)
seen["pages"] = [[each["ModelVersion"] for each in page["Models"]] for page in pages]
pages = client.get_paginator("list_projects").paginate(PaginationConfig={"PageSize": 1})
seen["projects"] = [[each["ProjectName"] for each in page["Projects"]] for page in pages]
answer = client.stop_model(**model, ClientToken="stop-1")
seen["stop"] = [answer["ResponseMetadata"]["HTTPStatusCode"], answer["Status"]]
seen["stopped"] = wait("TRAINED")["Status"]


def failing(name, call, **parameters):
    try:
        call(**parameters)
    except client.exceptions.ClientError as error:
        response = dict(error.response)
        code, status = response.pop("Error")["Code"], response.pop("ResponseMetadata")["HTTPStatusCode"]
        modelled = type(error) is getattr(client.exceptions, code, None)
        response.pop("message", None)
        seen["errors"][name] = [code, status, modelled, response]
    else:
        seen["errors"][name] = None


failing("conflict", client.stop_model, **model)
failing("not found", client.describe_model, ProjectName="circuit-boards", ModelVersion="9")
failing("validation", client.describe_model, ProjectName="circuit_boards!", ModelVersion="9")
for code in (
    "ValidationException", "ServiceQuotaExceededException", "AccessDeniedException",
    "ResourceNotFoundException", "ConflictException", "ThrottlingException", "InternalServerException",
):
    control("POST", "faults", {"operation": "StartModel", "error": code, "retry_after": 4})
    failing(code, client.start_model, **model, MinInferenceUnits=1)
seen["model"] = [each for each in control("GET", "models") if each["version"] == "3"][0]
print(json.dumps(seen))
"""


@pytest.fixture(scope="session")
def official_python() -> Path:
    """The python of a venv with the official client; made once, safely for several test runs at a time."""
    VENV.parent.mkdir(exist_ok=True)
    ready, python = VENV / "ready", VENV / "bin" / "python"
    with open(VENV.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (ready.exists() and ready.read_text() == REQUIREMENT):
            venv.create(VENV, clear=True, with_pip=True)
            install = [
                str(python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                REQUIREMENT,
            ]
            subprocess.run(install, check=True, timeout=500)
            ready.write_text(REQUIREMENT)
    return python


@pytest.mark.timeout(240)
def test_the_unmodified_client_uses_the_simulator(official_python: Path) -> None:
    with ThreadedServer(Simulator(requests_per_second=None)) as server:
        run = subprocess.run(
            [str(official_python), "-I", "-c", SCRIPT, server.url],
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)

    arn = "arn:aws:lookoutvision:eu-west-1:000000000000:model/circuit-boards/3"
    assert (seen["start"], seen["request_id"]) == ([202, "STARTING_HOSTING"], True)
    description = seen["description"]
    assert description["Status"] == "HOSTED"
    assert (description["ModelArn"], description["ModelVersion"]) == (arn, "3")
    assert (description["MinInferenceUnits"], description["MaxInferenceUnits"]) == (1, 2)
    assert set(description["Performance"]) == {"F1Score", "Recall", "Precision"}
    assert description["CreationTimestamp"] > 2020
    assert seen["detect"]["Source"] == {"Type": "direct"}
    assert seen["tags"] == [{"Key": "team/a b", "Value": "x=1"}, {"Key": "stage", "Value": ""}]
    assert seen["tags_left"] == [{"Key": "stage", "Value": ""}]
    assert seen["pages"] == [["3"], ["4"]]
    assert seen["projects"] == [["circuit-boards"]]
    assert (seen["stop"], seen["stopped"]) == ([202, "STOPPING_HOSTING"], "TRAINED")
    assert (seen["model"]["starts"], seen["model"]["stops"]) == (1, 1)
    assert seen["model"]["billed_unit_seconds"] > 0

    resource = {"ResourceId": "circuit-boards/3", "ResourceType": "MODEL"}
    quota = {"QuotaCode": "L-SIMULATED", "ServiceCode": "lookoutvision"}
    expected = {
        "conflict": ("ConflictException", 409, resource),
        "not found": ("ResourceNotFoundException", 404, resource | {"ResourceId": "circuit-boards/9"}),
        "validation": ("ValidationException", 400, {}),
        "ValidationException": ("ValidationException", 400, {}),
        "ServiceQuotaExceededException": ("ServiceQuotaExceededException", 402, resource | quota),
        "AccessDeniedException": ("AccessDeniedException", 403, {}),
        "ResourceNotFoundException": ("ResourceNotFoundException", 404, resource),
        "ConflictException": ("ConflictException", 409, resource),
        "ThrottlingException": ("ThrottlingException", 429, quota | {"RetryAfterSeconds": 4}),
        "InternalServerException": ("InternalServerException", 500, {"RetryAfterSeconds": 4}),
    }
    assert set(seen["errors"]) == set(expected)
    for name, (code, status, members) in expected.items():
        got_code, got_status, modelled, got = seen["errors"][name]
        assert (got_code, got_status, modelled) == (code, status, True), name
        assert got.pop("Message"), name
        assert got == members, name
