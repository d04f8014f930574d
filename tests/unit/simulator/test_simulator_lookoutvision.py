"""Lookout for Vision: each status by each operation, tokens, validation, tags, pages."""

from __future__ import annotations

import pytest

STATUSES = (
    "TRAINING",
    "TRAINED",
    "TRAINING_FAILED",
    "STARTING_HOSTING",
    "HOSTED",
    "HOSTING_FAILED",
    "STOPPING_HOSTING",
    "SYSTEM_UPDATING",
    "DELETING",
)
STARTABLE = {"TRAINED", "HOSTING_FAILED"}
STOPPABLE = {"HOSTED", "HOSTING_FAILED"}


@pytest.mark.parametrize("status", STATUSES)
def test_start_by_status(bench, status):
    bench.put(status=status)
    answer = bench.start()
    if status in STARTABLE:
        assert (answer.status, answer.json) == (202, {"Status": "STARTING_HOSTING"})
        assert bench.model()["starts"] == 1
    else:
        assert (answer.status, answer.error) == (409, "ConflictException")
        assert answer.json["ResourceId"] == "boards/3"
        assert answer.json["ResourceType"] == "MODEL"
        assert status in answer.json["Message"]
        assert bench.model()["starts"] == 0


@pytest.mark.parametrize("status", STATUSES)
def test_stop_by_status(bench, status):
    bench.put(status=status)
    answer = bench.stop()
    if status in STOPPABLE:
        assert (answer.status, answer.json) == (202, {"Status": "STOPPING_HOSTING"})
        assert bench.model()["stops"] == 1
    else:
        assert (answer.status, answer.error) == (409, "ConflictException")
        assert bench.model()["stops"] == 0


@pytest.mark.parametrize("status", STATUSES)
def test_describe_and_detect_by_status(bench, status):
    bench.put(status=status)
    answer = bench.describe()
    assert answer.status == 200
    assert answer.json["ModelDescription"]["Status"] == status
    assert answer.json["ModelDescription"]["ModelArn"] == bench.arn()
    detect = bench.detect()
    if status == "HOSTED":
        result = detect.json["DetectAnomalyResult"]
        assert result["Source"] == {"Type": "direct"}
        assert 0.5 <= result["Confidence"] <= 1
        assert isinstance(result["IsAnomalous"], bool)
    else:
        assert (detect.status, detect.error) == (409, "ConflictException")


def test_stop_while_starting_when_allowed(bench):
    bench.put(stop_while_starting=True)
    bench.start()
    assert bench.stop().status == 202
    bench.now += 5
    assert bench.describe().json["ModelDescription"]["Status"] == "TRAINED"
    assert bench.model()["billed_unit_seconds"] == 0


@pytest.mark.parametrize(
    ("outcome", "message"),
    [("HOSTED", "The model is running."), ("HOSTING_FAILED", "no capacity")],
)
def test_a_start_ends_exactly_when_due(bench, outcome, message):
    bench.put(start_seconds=20, start_outcome=outcome, status_message="no capacity")
    began = bench.now
    bench.start(low=2, high=4)
    bench.now = began + 19.999
    assert bench.describe().json["ModelDescription"]["Status"] == "STARTING_HOSTING"
    bench.now = began + 500
    description = bench.describe().json["ModelDescription"]
    assert (description["Status"], description["StatusMessage"]) == (outcome, message)
    assert (description["MinInferenceUnits"], description["MaxInferenceUnits"]) == (2, 4)
    assert bench.model()["history"][-1] == [began + 20, outcome]
    assert bench.model()["since"] == began + 20


def test_a_stop_ends_in_trained(bench):
    bench.put(status="HOSTED", stop_seconds=5)
    bench.stop()
    bench.now += 5
    assert bench.describe().json["ModelDescription"]["Status"] == "TRAINED"


# --- ClientToken -----------------------------------------------------------------------------------------


def test_same_token_same_inputs_completes_once(bench):
    bench.put()
    assert bench.start(token="t").status == 202
    bench.now += 20
    again = bench.start(token="t")
    assert (again.status, again.json) == (202, {"Status": "HOSTED"})
    assert bench.model()["starts"] == 1
    assert [call["effect"] for call in bench.calls()] == [True, False]


def test_a_remembered_start_does_not_start_a_stopped_model(bench):
    bench.put()
    bench.start(token="t")
    bench.now += 20
    bench.stop()
    bench.now += 5
    answer = bench.start(token="t")
    assert (answer.status, answer.json) == (202, {"Status": "TRAINED"})
    assert bench.model()["status"] == "TRAINED"
    assert bench.model()["starts"] == 1


def test_a_remembered_stop_does_not_stop_again(bench):
    bench.put(status="HOSTED")
    bench.stop(token="t")
    bench.now += 5
    bench.put(status="HOSTED")
    assert bench.stop(token="t").json == {"Status": "HOSTED"}
    assert bench.model()["stops"] == 1


@pytest.mark.parametrize(("passed", "starts"), [(8 * 3600 - 0.001, 1), (8 * 3600, 2)])
def test_a_token_is_active_for_eight_hours(bench, passed, starts):
    bench.put()
    began = bench.now
    bench.start(token="t")
    bench.put(status="TRAINED")
    bench.now = began + passed
    assert bench.start(token="t").status == 202
    assert bench.model()["starts"] == starts


@pytest.mark.parametrize(
    "other", [{"name": "boards/4"}, {"name": "other/3"}, {"low": 2}, {"high": 1}, {"name": "boards/latest"}]
)
def test_same_token_other_inputs_is_an_error(bench, other):
    for name in ("boards/3", "boards/4", "other/3"):
        bench.put(name)
    bench.start(token="t")
    answer = bench.start(**{"token": "t", **other})
    assert (answer.status, answer.error) == (409, "ConflictException")
    assert "ClientToken" in answer.json["Message"]
    assert sum(model["starts"] for model in bench.control("GET", "models")) == 1


def test_tokens_of_start_and_stop_and_of_regions_do_not_meet(bench):
    bench.put()
    bench.put(region="eu-west-1")
    bench.start(token="t")
    bench.now += 20
    assert bench.stop(token="t").json == {"Status": "STOPPING_HOSTING"}
    elsewhere = {
        "authorization": "AWS4-HMAC-SHA256 Credential=AK/20200101/eu-west-1/lookoutvision/aws4_request, x"
    }
    assert bench.start(token="t", headers=elsewhere).json == {"Status": "STARTING_HOSTING"}
    assert bench.model(query="region=eu-west-1")["starts"] == 1


def test_no_token_no_idempotency(bench):
    bench.put()
    assert bench.start().status == 202
    assert bench.start().error == "ConflictException"


def test_a_failed_call_does_not_use_up_its_token(bench):
    bench.put(status="TRAINING")
    assert bench.start(token="t").error == "ConflictException"
    bench.put(status="TRAINED")
    assert bench.start(token="t").json == {"Status": "STARTING_HOSTING"}
    assert bench.model()["starts"] == 1


# --- validation ------------------------------------------------------------------------------------------

LONG = "a" * 255


@pytest.mark.parametrize(
    ("call", "valid"),
    [
        ({"name": f"{LONG}/3"}, True),
        ({"name": f"{LONG}a/3"}, False),
        ({"name": "0_-a/3"}, True),
        ({"name": "-a/3"}, False),
        ({"name": "a.b/3"}, False),
        ({"name": "a\n/3"}, False),
        ({"name": "/3"}, False),
        ({"name": "boards/1234567890"}, True),
        ({"name": "boards/12345678901"}, False),
        ({"name": "boards/0"}, False),
        ({"name": "boards/01"}, False),
        ({"name": "boards/last"}, False),
        ({"name": "boards/3\n"}, False),
        ({"token": "a" * 64}, True),
        ({"token": "a" * 65}, False),
        ({"token": ""}, False),
        ({"token": "a_b"}, False),
        ({"token": "A-9"}, True),
        ({"low": 1}, True),
        ({"low": 0}, False),
        ({"low": -1}, False),
        ({"low": None}, False),
        ({"low": "1"}, False),
        ({"low": 1.0}, False),
        ({"low": True}, False),
        ({"low": 2**31 - 1}, True),
        ({"low": 2**31}, False),
        ({"high": 0}, False),
        ({"low": 2, "high": 2}, True),
        ({"low": 3, "high": 2}, False),
        ({"high": "2"}, False),
    ],
    ids=repr,
)
def test_start_model_limits(bench, call, valid):
    for name in ("boards/3", "boards/1234567890", f"{LONG}/3", "0_-a/3"):
        bench.put(name)
    answer = bench.start(**call)
    assert (answer.status, answer.error) == ((202, None) if valid else (400, "ValidationException"))


@pytest.mark.parametrize("body", [b"{", b"[]", b"3", b"\xff", b"", b"[" * 100_000])
def test_a_body_that_is_no_fitting_object(bench, body):
    bench.put()
    assert bench.action("boards/3", "start", body, None).error == "ValidationException"


def test_unknown_members_and_null_are_ignored(bench):
    bench.put()
    body = {"MinInferenceUnits": 1, "MaxInferenceUnits": None, "Other": [1]}
    assert bench.action("boards/3", "start", body, None).status == 202


@pytest.mark.parametrize(("kind", "body"), [("text/plain", b"x"), ("", b"x"), ("image/png", b"")])
def test_detect_wants_an_image(bench, kind, body):
    bench.put(status="HOSTED")
    assert bench.detect(body=body, kind=kind).error == "ValidationException"


def test_detect_image_size(bench):
    bench.put(status="HOSTED")
    assert bench.detect(body=b"x" * 8 * 1024 * 1024).status == 200
    assert bench.detect(body=b"x" * (8 * 1024 * 1024 + 1)).error == "ValidationException"


# --- which model -----------------------------------------------------------------------------------------


def test_latest_is_the_highest_trained_version(bench):
    for version, status in (
        ("2", "TRAINED"),
        ("10", "TRAINED"),
        ("11", "TRAINING"),
        ("12", "TRAINING_FAILED"),
    ):
        bench.put(f"boards/{version}", status=status)
    assert bench.describe("boards/latest").json["ModelDescription"]["ModelVersion"] == "10"
    assert bench.start("boards/latest").status == 202
    assert bench.model("boards/10")["starts"] == 1


@pytest.mark.parametrize(
    ("name", "kind", "resource"),
    [
        ("boards/4", "MODEL", "boards/4"),
        ("boards/latest", "MODEL", "boards/latest"),
        ("none/3", "PROJECT", "none"),
    ],
)
def test_not_found(bench, name, kind, resource):
    bench.put(status="TRAINING")
    for answer in (bench.describe(name), bench.start(name), bench.stop(name), bench.detect(name)):
        assert (answer.status, answer.error) == (404, "ResourceNotFoundException")
        assert (answer.json["ResourceType"], answer.json["ResourceId"]) == (kind, resource)


def test_regions_are_apart(bench):
    bench.put(region="eu-west-1")
    assert bench.describe().status == 404
    scope = (
        "AWS4-HMAC-SHA256 Credential=AKIA1/20260101/eu-west-1/lookoutvision/aws4_request, SignedHeaders=host"
    )
    answer = bench.describe(headers={"authorization": scope})
    assert answer.json["ModelDescription"]["ModelArn"].startswith("arn:aws:lookoutvision:eu-west-1:")


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_arn_partitions(bench, region):
    partition = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}[region]
    assert (
        bench.put(region=region)["arn"]
        == f"arn:{partition}:lookoutvision:{region}:000000000000:model/boards/3"
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/2020-11-20/projects"),
        ("PUT", "/2020-11-20/projects/boards/models/3"),
        ("POST", "/2020-11-20/projects/boards/models/3/pause"),
        ("GET", "/2020-11-20/projects/boards/models/3/start"),
        ("GET", "/2020-11-20/projects/boards/models/3/start/now"),
        ("PUT", "/2020-11-20/tags/arn"),
    ],
)
def test_unknown_operations(bench, method, path):
    answer = bench.send(method, path)
    assert (answer.status, answer.error) == (404, "UnknownOperationException")
    assert bench.calls() == []


# --- ListModels ------------------------------------------------------------------------------------------


def test_list_models_in_pages(bench):
    for version in range(1, 6):
        bench.put(f"boards/{version}")
    seen, query = [], {"maxResults": 2}
    while True:
        page = bench.list_models(**query).json
        seen.append([model["ModelVersion"] for model in page["Models"]])
        if "NextToken" not in page:
            break
        query["nextToken"] = page["NextToken"]
    assert seen == [["1", "2"], ["3", "4"], ["5"]]
    assert "NextToken" not in bench.list_models(maxResults=5).json
    assert len(bench.list_models().json["Models"]) == 5


@pytest.mark.parametrize(
    ("query", "valid"),
    [
        ({"maxResults": 1}, True),
        ({"maxResults": 100}, True),
        ({"maxResults": 0}, False),
        ({"maxResults": 101}, False),
        ({"maxResults": "x"}, False),
        ({"nextToken": "!"}, False),
        ({"nextToken": "abc"}, False),
        ({"nextToken": "a" * 2049}, False),
    ],
)
def test_list_models_limits(bench, query, valid):
    bench.put()
    assert bench.list_models(**query).error == (None if valid else "ValidationException")


def test_list_models_of_no_project(bench):
    assert bench.list_models("none").json["ResourceType"] == "PROJECT"


# --- ListProjects ----------------------------------------------------------------------------------------


def test_list_projects_in_pages(bench):
    for name in ("c/1", "a/1", "b/1", "a/2"):
        bench.put(name)
    seen, query = [], {"maxResults": 2}
    while True:
        page = bench.list_projects(**query).json
        seen.append([project["ProjectName"] for project in page["Projects"]])
        if "NextToken" not in page:
            break
        query["nextToken"] = page["NextToken"]
    assert seen == [["a", "b"], ["c"]]
    first = bench.list_projects(maxResults=1).json["Projects"][0]
    assert first == {
        "ProjectArn": "arn:aws:lookoutvision:us-east-1:000000000000:project/a",
        "ProjectName": "a",
        "CreationTimestamp": bench.now,
    }


def test_list_projects_of_the_callers_region_and_service_only(bench):
    bench.put("here/1")
    bench.put("there/1", region="eu-west-1")
    bench.put("other/v1", service="rekognition")
    scope = "AWS4-HMAC-SHA256 Credential=K/20261123/{}/lookoutvision/aws4_request"
    for region, expected in (("us-east-1", ["here"]), ("eu-west-1", ["there"]), ("eu-north-1", [])):
        page = bench.list_projects(headers={"authorization": scope.format(region)}).json
        assert [project["ProjectName"] for project in page["Projects"]] == expected


@pytest.mark.parametrize("query", [{"maxResults": 0}, {"maxResults": 101}, {"nextToken": "abc"}])
def test_list_projects_limits(bench, query):
    assert bench.list_projects(**query).error == "ValidationException"


# --- tags ------------------------------------------------------------------------------------------------


def test_tags_are_added_overwritten_and_removed(bench):
    bench.put(tags={"a": "1"})
    assert bench.tag({"a": "2", "b/é": ""}).status == 200
    assert bench.tags().json == {"Tags": [{"Key": "a", "Value": "2"}, {"Key": "b/é", "Value": ""}]}
    assert bench.untag("a", "unknown").status == 200
    assert bench.model()["tags"] == {"b/é": ""}
    assert [(call["operation"], call["effect"]) for call in bench.calls()] == [
        ("TagResource", True),
        ("ListTagsForResource", False),
        ("UntagResource", True),
    ]


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"Tags": [{"Key": "k" * 128, "Value": "v" * 256}]}, True),
        ({"Tags": [{"Key": "k" * 129, "Value": ""}]}, False),
        ({"Tags": [{"Key": "", "Value": ""}]}, False),
        ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, False),
        ({"Tags": [{"Key": "a b_.:/=+-@ü١", "Value": "漢字"}]}, True),
        ({"Tags": [{"Key": "k", "Value": "a,b"}]}, False),
        ({"Tags": [{"Key": "k", "Value": "a\nb"}]}, False),
        ({"Tags": [{"Key": "k*", "Value": ""}]}, False),
        ({"Tags": [{"Key": "aws:k", "Value": ""}]}, False),
        ({"Tags": [{"Key": "k"}]}, False),
        ({"Tags": [{"Key": 1, "Value": ""}]}, False),
        ({"Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]}, False),
        ({"Tags": ["k"]}, False),
        ({"Tags": {"k": "v"}}, False),
        ({"Tags": []}, True),
        ({}, False),
        ([], False),
        ({"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(201)]}, False),
    ],
)
def test_tag_limits(bench, body, valid):
    bench.put()
    assert bench.tag_body(body).error == (None if valid else "ValidationException")
    assert valid or bench.model()["tags"] == {}


def test_fifty_tags(bench):
    bench.put(tags={f"k{n}": "" for n in range(49)})
    assert bench.tag({"last": "1"}).status == 200
    assert bench.tag({"last": "2"}).status == 200
    answer = bench.tag({"one-too-many": ""})
    assert (answer.status, answer.error) == (402, "ServiceQuotaExceededException")
    assert {"QuotaCode", "ServiceCode", "ResourceId", "ResourceType"} <= set(answer.json)


def test_untag_wants_keys(bench):
    bench.put()
    assert bench.untag().error == "ValidationException"
    assert bench.untag("k" * 129).error == "ValidationException"
    assert bench.untag(*[f"k{n}" for n in range(201)]).error == "ValidationException"


@pytest.mark.parametrize(
    ("arn", "error"),
    [
        ("arn:aws:lookoutvision:us-east-1:000000000000:model/boards/4", "ResourceNotFoundException"),
        ("arn:aws:lookoutvision:eu-west-1:000000000000:model/boards/3", "ResourceNotFoundException"),
        ("arn:aws:lookoutvision:us-east-1:111111111111:model/boards/3", "ResourceNotFoundException"),
        ("arn:aws:lookoutvision:us-east-1:000000000000:model/boards/latest", "ValidationException"),
        ("arn:aws:lookoutvision:us-east-1:000000000000:project/boards", "ValidationException"),
        ("x" * 1012, "ValidationException"),
    ],
)
def test_tags_of_another_arn(bench, arn, error):
    bench.put()
    for answer in (bench.tags(arn), bench.tag({"k": "v"}, arn), bench.untag("k", arn=arn)):
        assert answer.error == error
    assert bench.model()["tags"] == {}


def test_an_arn_with_plain_slashes_is_taken(bench):
    bench.put(tags={"k": "v"})
    assert bench.send("GET", f"/2020-11-20/tags/{bench.arn()}").json["Tags"] == [{"Key": "k", "Value": "v"}]


# --- the wire --------------------------------------------------------------------------------------------

BARE, RESOURCE, QUOTA = {"Message"}, {"Message", "ResourceId", "ResourceType"}, {"QuotaCode", "ServiceCode"}


@pytest.mark.parametrize(
    ("code", "status", "members", "retry_after"),
    [
        ("ValidationException", 400, BARE, None),
        ("ServiceQuotaExceededException", 402, RESOURCE | QUOTA, None),
        ("AccessDeniedException", 403, BARE, None),
        ("ResourceNotFoundException", 404, RESOURCE, None),
        ("ConflictException", 409, RESOURCE, None),
        ("ThrottlingException", 429, BARE | QUOTA, "1"),
        ("InternalServerException", 500, BARE, "1"),
    ],
)
def test_each_error_on_the_wire(bench, code, status, members, retry_after):
    bench.put()
    bench.fault("StartModel", error=code)
    answer = bench.start()
    assert (answer.status, answer.error, set(answer.json)) == (status, code, members)
    assert answer.headers.get("Retry-After") == retry_after
    assert answer.headers["x-amzn-requestid"]
    assert answer.headers["Content-Type"] == "application/json"
    assert bench.model()["starts"] == 0


def test_every_answer_has_a_request_id_of_its_own(bench):
    bench.put()
    ids = {bench.describe().headers["x-amzn-requestid"] for _ in range(3)}
    assert len(ids) == 3
