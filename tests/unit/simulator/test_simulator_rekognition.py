"""Rekognition Custom Labels: each status by each operation, limits, pages, tags, IAM, boto3."""

from __future__ import annotations

import base64
import functools
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from hosted_model_local.simulator import Decision, Request, Simulator
from hosted_model_local.simulator.server import ThreadedServer

STATUSES = (
    "TRAINING_IN_PROGRESS",
    "TRAINING_COMPLETED",
    "TRAINING_FAILED",
    "STARTING",
    "RUNNING",
    "FAILED",
    "STOPPING",
    "STOPPED",
    "DELETING",
    "COPYING_IN_PROGRESS",
    "COPYING_COMPLETED",
    "COPYING_FAILED",
    "DEPRECATED",
    "EXPIRED",
)
STARTABLE = {"TRAINING_COMPLETED", "STOPPED", "COPYING_COMPLETED", "FAILED"}
STOPPABLE = {"RUNNING", "FAILED"}
PROJECT = "arn:aws:rekognition:us-east-1:000000000000:project/boards/1600000000000"
IMAGE = {"Bytes": base64.b64encode(b"\x89PNG").decode()}


def arn(version: str = "v1", project: str = "boards", timestamp: int = 1600000000001) -> str:
    return f"arn:aws:rekognition:us-east-1:000000000000:project/{project}/version/{version}/{timestamp}"


@pytest.fixture
def put(bench):
    return functools.partial(bench.put, service="rekognition")


def start(bench, version="v1", low=1, **more):
    return bench.rekognition(
        "StartProjectVersion", {"ProjectVersionArn": arn(version), "MinInferenceUnits": low, **more}
    )


def stop(bench, version="v1"):
    return bench.rekognition("StopProjectVersion", {"ProjectVersionArn": arn(version)})


def describe(bench, **more):
    return bench.rekognition("DescribeProjectVersions", {"ProjectArn": PROJECT, **more})


def model(bench, version="v1"):
    return bench.model(f"boards/{version}", query="service=rekognition")


@pytest.mark.parametrize("status", STATUSES)
def test_each_operation_by_status(bench, put, status):
    put("boards/v1", status=status)
    detected = bench.rekognition("DetectCustomLabels", {"ProjectVersionArn": arn(), "Image": IMAGE})
    assert detected.error == (None if status == "RUNNING" else "ResourceNotReadyException")
    assert describe(bench).json["ProjectVersionDescriptions"][0]["Status"] == status
    started = start(bench)
    assert (started.status, started.error) == (
        (200, None) if status in STARTABLE else (400, "ResourceInUseException")
    )
    put("boards/v1", status=status)
    stopped = stop(bench)
    assert (stopped.status, stopped.error) == (
        (200, None) if status in STOPPABLE else (400, "ResourceInUseException")
    )
    assert (model(bench)["starts"], model(bench)["stops"]) == (status in STARTABLE, status in STOPPABLE)


def test_a_life(bench, put):
    put("boards/v1", start_seconds=20, stop_seconds=5)
    assert start(bench, low=2, MaxInferenceUnits=4).json == {"Status": "STARTING"}
    bench.now += 20
    description = describe(bench).json["ProjectVersionDescriptions"][0]
    assert (description["Status"], description["MinInferenceUnits"], description["MaxInferenceUnits"]) == (
        "RUNNING",
        2,
        4,
    )
    assert description["ProjectVersionArn"] == arn()
    bench.now += 10
    assert stop(bench).json == {"Status": "STOPPING"}
    bench.now += 5
    assert model(bench)["status"] == "STOPPED"
    assert model(bench)["billed_unit_seconds"] == 20
    assert start(bench).json == {"Status": "STARTING"}


def test_a_start_that_fails(bench, put):
    put("boards/v1", start_outcome="FAILED", status_message="no capacity", start_seconds=1)
    start(bench)
    bench.now += 1
    description = describe(bench).json["ProjectVersionDescriptions"][0]
    assert (description["Status"], description["StatusMessage"]) == ("FAILED", "no capacity")


def test_there_is_no_idempotency(bench, put):
    put("boards/v1")
    assert start(bench).status == 200
    assert start(bench).error == "ResourceInUseException"


def test_stop_while_starting_when_allowed(bench, put):
    put("boards/v1", stop_while_starting=True)
    start(bench)
    assert stop(bench).json == {"Status": "STOPPING"}


def test_two_models_run_at_a_time(bench, put):
    for version in ("v1", "v2", "v3"):
        put(f"boards/{version}")
    assert [start(bench, version).error for version in ("v1", "v2", "v3")] == [
        None,
        None,
        "LimitExceededException",
    ]
    bench.control("PUT", "quota", {"max_running_models": 3})
    assert start(bench, "v3").status == 200


def test_units_of_a_model(bench, put):
    put("boards/v1")
    assert start(bench, low=1, MaxInferenceUnits=6).error == "LimitExceededException"
    assert start(bench, low=6).error == "LimitExceededException"
    assert model(bench)["starts"] == 0
    assert start(bench, low=5).status == 200
    put("boards/v1", status="STOPPED")
    bench.control("PUT", "quota", {"max_units_per_model": None})
    assert start(bench, low=50).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"ProjectVersionArn": arn()},
        {"ProjectVersionArn": arn(), "MinInferenceUnits": 0},
        {"ProjectVersionArn": arn(), "MinInferenceUnits": "1"},
        {"ProjectVersionArn": arn(), "MinInferenceUnits": True},
        {"ProjectVersionArn": arn(), "MinInferenceUnits": 2, "MaxInferenceUnits": 1},
        {"ProjectVersionArn": PROJECT, "MinInferenceUnits": 1},
        {"ProjectVersionArn": "arn", "MinInferenceUnits": 1},
        {"ProjectVersionArn": arn("v" * 256), "MinInferenceUnits": 1},
        {"ProjectVersionArn": 1, "MinInferenceUnits": 1},
        {"MinInferenceUnits": 1},
        {},
        b"[",
        b"[]",
    ],
    ids=repr,
)
def test_invalid_parameters(bench, put, body):
    put("boards/v1")
    answer = bench.rekognition("StartProjectVersion", body)
    assert (answer.status, answer.error) == (400, "InvalidParameterException")
    assert answer.json["Message"]


@pytest.mark.parametrize(
    "other",
    [
        arn("v2"),
        arn(timestamp=1),
        arn(project="other"),
        arn().replace("us-east-1", "eu-west-1"),
        arn("v" * 255),
    ],
)
def test_not_found(bench, put, other):
    put("boards/v1")
    for operation in ("StartProjectVersion", "StopProjectVersion", "DetectCustomLabels"):
        body = {"ProjectVersionArn": other, "MinInferenceUnits": 1, "Image": IMAGE}
        assert bench.rekognition(operation, body).error == "ResourceNotFoundException"
    assert (
        bench.rekognition("ListTagsForResource", {"ResourceArn": other}).error == "ResourceNotFoundException"
    )
    assert model(bench)["starts"] == 0


def test_timestamps_can_be_set(bench, put):
    shown = put("boards/v1", project_timestamp=5, version_timestamp=6)
    assert shown["arn"] == arn(timestamp=6)
    assert shown["project_arn"] == PROJECT.replace("1600000000000", "5")
    assert describe(bench).error == "ResourceNotFoundException"
    assert describe(bench, ProjectArn=shown["project_arn"]).status == 200


def test_describe_in_pages_and_by_name(bench, put):
    for number in range(1, 6):
        put(f"boards/v{number}")

    def page(**more):
        answer = describe(bench, **more).json
        names = [each["ProjectVersionArn"].split("/")[3] for each in answer["ProjectVersionDescriptions"]]
        return names, answer.get("NextToken")

    names, token = page(MaxResults=2)
    assert names == ["v1", "v2"]
    names, token = page(MaxResults=2, NextToken=token)
    assert names == ["v3", "v4"]
    assert page(MaxResults=2, NextToken=token) == (["v5"], None)
    assert page(MaxResults=5) == page() == (["v1", "v2", "v3", "v4", "v5"], None)
    assert page(VersionNames=["v4", "v2", "none"]) == (["v2", "v4"], None)
    assert page(VersionNames=["none"]) == ([], None)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"MaxResults": 100}, None),
        ({"MaxResults": 101}, "InvalidParameterException"),
        ({"MaxResults": 0}, "InvalidParameterException"),
        ({"VersionNames": []}, "InvalidParameterException"),
        ({"VersionNames": ["v"] * 10}, None),
        ({"VersionNames": ["v"] * 11}, "InvalidParameterException"),
        ({"VersionNames": ["v/1"]}, "InvalidParameterException"),
        ({"VersionNames": [1]}, "InvalidParameterException"),
        ({"NextToken": "?"}, "InvalidPaginationTokenException"),
        ({"ProjectArn": arn()}, "InvalidParameterException"),
        ({"ProjectArn": PROJECT.replace("boards", "other")}, "ResourceNotFoundException"),
    ],
    ids=repr,
)
def test_describe_limits(bench, put, more, error):
    put("boards/v1")
    assert describe(bench, **more).error == error


def test_projects_in_pages_and_by_name(bench, put):
    for project in ("boards", "caps", "doors"):
        put(f"{project}/v1")
        put(f"{project}/v2")
    put("elsewhere/v1", region="eu-west-1")
    bench.put("vision/1")

    def page(**more):
        answer = bench.rekognition("DescribeProjects", more).json
        return [each["ProjectArn"].split("/")[1] for each in answer["ProjectDescriptions"]], answer.get(
            "NextToken"
        )

    names, token = page(MaxResults=2)
    assert names == ["boards", "caps"]
    assert page(MaxResults=2, NextToken=token) == (["doors"], None)
    assert page(ProjectNames=["doors", "boards", "none"]) == (["boards", "doors"], None)
    assert page(ProjectNames=["none"]) == ([], None)
    described = bench.rekognition("DescribeProjects", {"ProjectNames": ["boards"]}).json
    assert described["ProjectDescriptions"][0]["ProjectArn"] == PROJECT


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"ProjectNames": []}, "InvalidParameterException"),
        ({"ProjectNames": ["p"] * 11}, "InvalidParameterException"),
        ({"ProjectNames": ["p/1"]}, "InvalidParameterException"),
        ({"MaxResults": 101}, "InvalidParameterException"),
        ({"NextToken": "?"}, "InvalidPaginationTokenException"),
        ({"Features": ["CUSTOM_LABELS"]}, None),
        ({"Features": ["OTHER"]}, "InvalidParameterException"),
    ],
    ids=repr,
)
def test_project_limits(bench, body, error):
    assert bench.rekognition("DescribeProjects", body).error == error


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({}, None),
        ({"Image": {"S3Object": {"Bucket": "b", "Name": "n"}}}, None),
        ({"Image": {}}, "InvalidParameterException"),
        ({"Image": {**IMAGE, "S3Object": {}}}, "InvalidParameterException"),
        ({"Image": {"Bytes": ""}}, "InvalidParameterException"),
        ({"Image": {"Bytes": "?"}}, "InvalidParameterException"),
        ({"Image": {"Bytes": base64.b64encode(b"x" * (4 * 1024**2 + 1)).decode()}}, "ImageTooLargeException"),
        ({"MinConfidence": 101}, "InvalidParameterException"),
        ({"MaxResults": -1}, "InvalidParameterException"),
    ],
)
def test_detect_limits(bench, put, more, error):
    put("boards/v1", status="RUNNING")
    answer = bench.rekognition("DetectCustomLabels", {"ProjectVersionArn": arn(), "Image": IMAGE, **more})
    assert answer.error == error
    assert error or answer.json["CustomLabels"]


def test_tags(bench, put):
    put("boards/v1", tags={"a": "1"})
    assert bench.rekognition("TagResource", {"ResourceArn": arn(), "Tags": {"b": "2"}}).json == {}
    assert bench.rekognition("UntagResource", {"ResourceArn": arn(), "TagKeys": ["a"]}).json == {}
    assert bench.rekognition("ListTagsForResource", {"ResourceArn": arn()}).json == {"Tags": {"b": "2"}}
    full = {f"k{n}": "" for n in range(50)}
    answer = bench.rekognition("TagResource", {"ResourceArn": arn(), "Tags": full})
    assert answer.error == "ServiceQuotaExceededException"
    for tags in ({"aws:x": ""}, {"k": 1}, [], {"k" * 129: ""}):
        answer = bench.rekognition("TagResource", {"ResourceArn": arn(), "Tags": tags})
        assert answer.error == "InvalidParameterException"
    assert model(bench)["tags"] == {"b": "2"}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDeniedException", 400),
        ("InternalServerError", 500),
        ("InvalidParameterException", 400),
        ("LimitExceededException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("ResourceInUseException", 400),
        ("ResourceNotFoundException", 400),
        ("ThrottlingException", 500),
    ],
)
def test_each_error_on_the_wire(bench, put, code, status):
    put("boards/v1")
    bench.fault("StartProjectVersion", error=code)
    answer = start(bench)
    assert (answer.status, answer.json["__type"]) == (status, code)
    assert set(answer.json) == {"__type", "Message"}
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert answer.headers["x-amzn-requestid"]
    assert model(bench)["starts"] == 0


def test_faults_know_the_services_apart(bench, put):
    put("boards/v1")
    bench.put("boards/1")
    bench.control(
        "POST", "faults", {"operation": "StartModel", "error": "ResourceInUseException"}, expect=400
    )
    wrong = {"operation": "TagResource", "error": "ConflictException", "service": "rekognition"}
    bench.control("POST", "faults", wrong, expect=400)
    bench.fault("TagResource", error="InternalServerError", service="rekognition")
    assert bench.tag({"a": "b"}, bench.arn("boards/1")).status == 200
    assert bench.rekognition("TagResource", {"ResourceArn": arn(), "Tags": {}}).status == 500


def test_a_fault_for_one_model_strikes_the_question_after_it(bench, put):
    put("boards/v1")
    bench.fault("DescribeProjectVersions", error="ThrottlingException", resource="boards/v1")
    assert describe(bench, VersionNames=["v2"]).status == 200
    assert describe(bench, VersionNames=["v1"]).error == "ThrottlingException"


@pytest.mark.parametrize("target", ["RekognitionService.Other", "Other.StartProjectVersion", ""])
def test_unknown_operations(bench, target):
    answer = bench.send("POST", "/", {}, headers={"x-amz-target": target})
    assert (answer.status, answer.error) == (400, "UnknownOperationException")


def test_the_request_quota(make_bench):
    bench = make_bench({"requests_per_second": 5})
    bench.put("boards/v1", service="rekognition")
    assert [describe(bench).error for _ in range(6)] == [None] * 5 + ["ThrottlingException"]


class Refusing:
    def __init__(self) -> None:
        self.asked = []

    def authorize(self, request, action, resource, region, context):
        self.asked.append((action, resource, dict(context)))
        return Decision(action is None, "000000000000", "arn:aws:iam::000000000000:role/r")


@pytest.mark.parametrize(
    ("operation", "body", "resource", "context"),
    [
        ("StartProjectVersion", {"ProjectVersionArn": arn()}, arn(), {}),
        ("StopProjectVersion", {"ProjectVersionArn": arn()}, arn(), {}),
        ("DetectCustomLabels", {"ProjectVersionArn": arn()}, arn(), {}),
        ("ListTagsForResource", {"ResourceArn": arn()}, arn(), {}),
        (
            "TagResource",
            {"ResourceArn": arn(), "Tags": {"K": "v"}},
            arn(),
            {"aws:requesttag/k": "v", "aws:tagkeys": ["K"]},
        ),
        ("UntagResource", {"ResourceArn": arn(), "TagKeys": ["K"]}, arn(), {"aws:tagkeys": ["K"]}),
        ("DescribeProjectVersions", {"ProjectArn": PROJECT}, PROJECT, None),
        ("DescribeProjects", {"ProjectNames": ["boards"]}, "*", None),
        ("StartProjectVersion", b"[", "*", None),
    ],
)
def test_what_each_operation_asks_iam(make_bench, operation, body, resource, context):
    authorizer = Refusing()
    bench = make_bench({"authorizer": authorizer})
    bench.put("boards/v1", service="rekognition", tags={"Owner": "me"})
    answer = bench.rekognition(operation, body)
    assert (answer.status, answer.error) == (400, "AccessDeniedException")
    expected = {} if context is None else {"aws:resourcetag/owner": "me", **context}
    assert authorizer.asked[-1] == (f"rekognition:{operation}", resource, expected)


def test_current_boto3_uses_it():
    now = [time.time()]
    with ThreadedServer(Simulator(clock=lambda: now[0], requests_per_second=None)) as server:
        client = boto3.client(
            "rekognition",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}),
        )
        body = b'{"service":"rekognition","start_seconds":600,"stop_seconds":60}'
        server.simulator.handle(Request("PUT", "/_simulator/models/boards/v1", "", {}, body))
        assert (
            client.start_project_version(ProjectVersionArn=arn(), MinInferenceUnits=1)["Status"] == "STARTING"
        )
        with pytest.raises(client.exceptions.ResourceNotReadyException):
            client.detect_custom_labels(ProjectVersionArn=arn(), Image={"Bytes": b"\x89PNG"})
        now[0] += 600
        waiter = client.get_waiter("project_version_running")
        waiter.wait(ProjectArn=PROJECT, VersionNames=["v1"])
        labels = client.detect_custom_labels(ProjectVersionArn=arn(), Image={"Bytes": b"\x89PNG"})
        assert labels["CustomLabels"][0]["Confidence"] == 90
        client.tag_resource(ResourceArn=arn(), Tags={"team": "a b"})
        assert client.list_tags_for_resource(ResourceArn=arn())["Tags"] == {"team": "a b"}
        client.untag_resource(ResourceArn=arn(), TagKeys=["team"])
        assert client.stop_project_version(ProjectVersionArn=arn())["Status"] == "STOPPING"
        with pytest.raises(client.exceptions.ResourceInUseException) as refused:
            client.start_project_version(ProjectVersionArn=arn(), MinInferenceUnits=1)
        assert refused.value.response["Error"]["Message"]
        now[0] += 60
        projects = client.describe_projects(ProjectNames=["boards"])["ProjectDescriptions"]
        assert [project["ProjectArn"] for project in projects] == [PROJECT]
        pages = client.get_paginator("describe_project_versions").paginate(ProjectArn=PROJECT)
        assert [d["Status"] for page in pages for d in page["ProjectVersionDescriptions"]] == ["STOPPED"]
        fault = b'{"operation":"StartProjectVersion","error":"ThrottlingException"}'
        server.simulator.handle(Request("POST", "/_simulator/faults", "", {}, fault))
        with pytest.raises(ClientError) as throttled:
            client.start_project_version(ProjectVersionArn=arn(), MinInferenceUnits=1)
        assert throttled.value.response["Error"]["Code"] == "ThrottlingException"
