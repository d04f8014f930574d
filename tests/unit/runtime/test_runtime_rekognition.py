"""The Rekognition adapter, over the wire to the simulator."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest

from hosted_model_local.simulator import Request, Simulator
from hosted_model_local.simulator.rekognition import ERROR_STATUS, LIFECYCLE
from hosted_model_local.simulator.server import ThreadedServer
from hosted_model_runtime.contract import Rekognition as Names
from hosted_model_runtime.decisions.model import Phase, Units
from hosted_model_runtime.services import adapter
from hosted_model_runtime.services.base import CLIENT_CONFIG, Kind, ServiceError
from hosted_model_runtime.services.rekognition import CODES, PHASES, RekognitionService

PREFIX = "arn:aws:rekognition:us-east-1:000000000000:project/boards"
ARN = f"{PREFIX}/version/v1/1600000000001"
PROJECT = f"{PREFIX}/1600000000000"
BY_ARN = {Names.PROJECT_VERSION_ARN: ARN}
BY_NAME = {Names.PROJECT_ARN: PROJECT, Names.VERSION_NAME: "v1"}


class World:
    def __init__(self, server: ThreadedServer) -> None:
        self.simulator = server.simulator
        client = botocore.session.get_session().create_client(
            "rekognition",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
            config=CLIENT_CONFIG,
        )
        self.service = RekognitionService(client)

    def control(self, method: str, path: str, **members: Any) -> Any:
        request = Request(method, f"/_simulator/{path}", "", {}, json.dumps(members).encode())
        return json.loads(self.simulator.handle(request).body)

    def put(self, name: str = "boards/v1", **members: Any) -> Any:
        return self.control("PUT", f"models/{name}", service="rekognition", **members)

    def operations(self) -> list[str]:
        return [call["operation"] for call in self.control("GET", "calls")]


@pytest.fixture(scope="module")
def server():
    with ThreadedServer(Simulator(clock=lambda: 1_000_000.0, requests_per_second=None)) as running:
        yield running


@pytest.fixture
def world(server):
    made = World(server)
    made.control("POST", "reset")
    made.put()
    return made


def test_it_is_registered():
    assert adapter("rekognition") is RekognitionService


def test_every_status_and_every_error_of_the_service_is_sorted():
    assert set(PHASES) == LIFECYCLE.statuses
    of_images = {"ImageTooLargeException", "InvalidImageFormatException", "InvalidS3ObjectException"}
    assert set(CODES) == set(ERROR_STATUS) - of_images


@pytest.mark.parametrize("status", sorted(LIFECYCLE.statuses))
@pytest.mark.parametrize("model", [BY_ARN, BY_NAME], ids=["arn", "name"])
def test_describe(world, model, status):
    world.put(status=status, min_inference_units=2, max_inference_units=4)
    seen = world.service.describe(model)
    assert (seen.arn, seen.version, seen.model) == (ARN, "v1", model)
    assert seen.observed.phase is PHASES[status]
    assert (seen.observed.status, seen.observed.min_units, seen.observed.max_units) == (status, 2, 4)
    assert seen.observed.name == "Rekognition Custom Labels model boards/v1"


def test_a_status_of_the_future_is_waited_out(world, monkeypatch):
    monkeypatch.delitem(PHASES, "STOPPED")
    world.put(status="STOPPED")
    assert world.service.describe(BY_ARN).observed.phase is Phase.UPDATING


@pytest.mark.parametrize(
    "model",
    [
        {Names.PROJECT_VERSION_ARN: ARN.replace("boards", "other")},
        {Names.PROJECT_VERSION_ARN: ARN.replace("/v1/", "/v2/")},
        {Names.PROJECT_VERSION_ARN: ARN.replace("0001", "0002")},
        {Names.PROJECT_ARN: PROJECT, Names.VERSION_NAME: "v2"},
        {Names.PROJECT_ARN: PROJECT.replace("boards", "other"), Names.VERSION_NAME: "v1"},
    ],
    ids=str,
)
def test_absent(world, model):
    seen = world.service.describe(model)
    assert (seen.observed.phase, seen.arn) == (Phase.ABSENT, "")


def test_the_project_is_asked_for_once_and_never_with_its_arn_given(world):
    world.service.describe(BY_NAME)
    assert world.operations() == ["DescribeProjectVersions"]
    world.service.describe(BY_ARN)
    world.service.describe(BY_ARN)
    assert world.operations()[1:] == ["DescribeProjects", *["DescribeProjectVersions"] * 2]


def test_a_project_made_anew_is_found(world):
    world.service.describe(BY_ARN)
    world.put(project_timestamp=1700000000000)
    # At once: for a Delete, one that does not exist is one that does not run.
    assert world.service.describe(BY_ARN).arn == ARN


def test_the_version_may_be_on_the_last_page():
    class Paging:
        def describe_project_versions(self, **parameters: Any) -> Any:
            if "NextToken" not in parameters:
                return {"ProjectVersionDescriptions": [], "NextToken": "2"}
            return {"ProjectVersionDescriptions": [{"ProjectVersionArn": ARN, "Status": "RUNNING"}]}

    assert RekognitionService(Paging()).describe(BY_NAME).arn == ARN


def test_a_life(world):
    seen = world.service.describe(BY_ARN)
    world.service.start(seen, Units(2, 4), token="unused")
    assert world.service.describe(BY_ARN).observed.phase is Phase.STARTING
    with pytest.raises(ServiceError) as refused:
        world.service.start(seen, Units(2), token="unused")
    assert refused.value.kind is Kind.CONFLICT
    world.put(status="RUNNING")
    assert world.service.describe(BY_ARN).observed.status == world.service.running
    world.service.stop(seen, token="unused")
    assert world.service.describe(BY_ARN).observed.phase is Phase.STOPPING


def test_tags(world):
    stack = "arn:aws:cloudformation:us-east-1:000000000000:stack/s/4f8a-1"
    world.service.tag(ARN, {"hosted-model:stack": stack, "b": "2"})
    assert world.service.tags(ARN) == {"hosted-model:stack": stack, "b": "2"}
    world.service.untag(ARN, iter(["b"]))
    assert world.service.tags(ARN) == {"hosted-model:stack": stack}


@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_errors(world, code, kind):
    seen = world.service.describe(BY_ARN)
    world.control("POST", "faults", operation="StartProjectVersion", error=code)
    with pytest.raises(ServiceError) as raised:
        world.service.start(seen, Units(1), token="unused")
    assert raised.value.kind is kind
    assert str(raised.value).startswith(f"rekognition:StartProjectVersion: {code}: ")


def test_a_failing_description_is_no_absence(world):
    for operation in ("DescribeProjects", "DescribeProjectVersions"):
        world.control("POST", "faults", operation=operation, error="ThrottlingException")
        with pytest.raises(ServiceError) as raised:
            world.service.describe(BY_ARN)
        assert raised.value.kind is Kind.TRANSIENT


def test_physical_id(world):
    assert world.service.physical_id(BY_ARN) == "rekognition/boards/version/v1/1600000000001"
    assert world.service.physical_id(BY_NAME) == "rekognition/boards/1600000000000/v1"
    assert list(world.service.alternatives(BY_ARN)) == []


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        ({}, "Model must have ProjectVersionArn or ProjectArn and VersionName"),
        ({Names.PROJECT_ARN: PROJECT}, "it has ['ProjectArn']"),
        ({**BY_ARN, **BY_NAME}, "Model must have"),
        ({Names.PROJECT_VERSION_ARN: PROJECT}, "project_version_arn must match"),
        ({Names.PROJECT_VERSION_ARN: ARN + "\n"}, "project_version_arn must match"),
        ({Names.PROJECT_ARN: ARN, Names.VERSION_NAME: "v1"}, "project_arn must match"),
        ({Names.PROJECT_ARN: PROJECT, Names.VERSION_NAME: "v/1"}, "version_name must match"),
        ({Names.PROJECT_ARN: PROJECT, Names.VERSION_NAME: ""}, "version_name must have 1 to 255"),
    ],
    ids=str,
)
def test_what_names_no_model(world, model, wrong):
    with pytest.raises(ValueError, match="must") as raised:
        world.service.physical_id(model)
    assert wrong in str(raised.value)
