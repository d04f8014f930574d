"""The control API: models, billing, faults, quotas, calls, clock."""

from __future__ import annotations

import pytest

# --- models ----------------------------------------------------------------------------------------------


def test_put_creates_and_shows_everything(bench):
    model = bench.put(status="TRAINED", start_seconds=1, stop_seconds=2, tags={"a": "b"})
    assert model | {"history": None} == {
        "service": "lookoutvision",
        "project": "boards",
        "version": "3",
        "arn": bench.arn(),
        "account": "000000000000",
        "region": "us-east-1",
        "status": "TRAINED",
        "status_message": "Training completed successfully.",
        "min_inference_units": None,
        "max_inference_units": None,
        "tags": {"a": "b"},
        "tag_lag_seconds": None,
        "tag_lag_seed": None,
        "starts": 0,
        "stops": 0,
        "billed_unit_seconds": 0.0,
        "since": bench.now,
        "history": None,
        "start_seconds": 1.0,
        "stop_seconds": 2.0,
        "start_outcome": "HOSTED",
        "stop_while_starting": False,
        "settings": {},
        "resize_seconds": 5.0,
        "resize_fails": False,
        "resizes": 0,
        "resizing": None,
    }
    assert model["history"] == [[bench.now, "TRAINED"]]
    assert bench.control("GET", "models") == [model]


def test_put_changes_only_what_is_given(bench):
    bench.put(start_seconds=7, tags={"a": "b"})
    bench.start()
    bench.now += 7
    model = bench.put(stop_seconds=9)
    assert (model["status"], model["starts"], model["start_seconds"], model["tags"]) == (
        "HOSTED",
        1,
        7.0,
        {"a": "b"},
    )
    assert model["history"][-1] == [bench.now, "HOSTED"]


def test_the_same_status_again_is_no_change(bench):
    bench.put(status="HOSTED")
    began = bench.now
    bench.now += 10
    model = bench.put(status="HOSTED")
    assert model["history"] == [[began, "HOSTED"]]
    assert model["billed_unit_seconds"] == 10


@pytest.mark.parametrize(
    ("status", "seconds", "then"), [("STARTING_HOSTING", 20, "HOSTED"), ("STOPPING_HOSTING", 5, "TRAINED")]
)
def test_a_passing_status_passes_on_from_outside_too(bench, status, seconds, then):
    bench.put(status=status)
    began = bench.now
    bench.now += 100
    assert bench.model()["history"] == [[began, status], [began + seconds, then]]
    assert bench.model()["starts"] == 0


def test_a_start_under_way_can_be_made_shorter_or_fail(bench):
    bench.put(start_seconds=1000)
    bench.start()
    bench.now += 50
    bench.put(start_seconds=10, start_outcome="HOSTING_FAILED")
    assert bench.model()["status"] == "HOSTING_FAILED"
    assert bench.model()["since"] == bench.now


def test_status_message_is_shown_now_and_when_hosting_fails(bench):
    assert bench.put(status="HOSTING_FAILED", status_message="broken")["status_message"] == "broken"
    bench.put(start_outcome="HOSTING_FAILED", start_seconds=1)
    bench.start()
    assert bench.model()["status_message"] == "The model is starting."
    bench.now += 1
    assert bench.model()["status_message"] == "broken"


def test_delete_removes(bench):
    bench.put()
    assert bench.control("DELETE", "models/boards/3") == {"deleted": True}
    assert bench.describe().error == "ResourceNotFoundException"
    bench.control("DELETE", "models/boards/3", expect=404)


@pytest.mark.parametrize(
    "members",
    [
        {"status": "RUNNING"},
        {"status": None},
        {"status": ["TRAINED"]},
        {"start_seconds": 1e300},
        {"start_outcome": "TRAINED"},
        {"start_seconds": -1},
        {"start_seconds": "1"},
        {"stop_seconds": True},
        {"min_inference_units": 0},
        {"tags": {"a": 1}},
        {"tags": []},
        {"account": "1"},
        {"region": 1},
        {"service": "s3"},
        {"stop_while_starting": 1},
        {"status_message": 1},
        {"start_second": 1},
        {"project_timestamp": "now"},
        {"tag_lag_seconds": -1},
        {"tag_lag_seconds": 3601},
        {"tag_lag_seed": 1},
        {"tag_lag_seconds": 1, "tag_lag_seed": "x"},
    ],
    ids=repr,
)
def test_a_wrong_put_changes_nothing(bench, members):
    before = bench.put(start_seconds=3)
    assert "error" in bench.control("PUT", "models/boards/3", {"stop_seconds": 99, **members}, expect=400)
    assert bench.model() == before


@pytest.mark.parametrize("path", ["models/boards", "models/boards/3/4", "models/boards/", "other", ""])
def test_wrong_paths(bench, path):
    bench.control("PUT", path, {}, expect=404)


def test_wrong_version_method_and_body(bench):
    for name in ("boards/latest", "boards/0", "boards/12345678901", "-boards/3"):
        bench.control("PUT", f"models/{name}", {}, expect=400)
    bench.control("PATCH", "models/boards/3", {}, expect=405)
    bench.control("PUT", "models/boards/3", b"[]", expect=400)


# --- billing ---------------------------------------------------------------------------------------------


def test_billing_runs_from_hosted_to_the_stop_at_minimum_units(bench):
    bench.put(start_seconds=20, stop_seconds=5)
    bench.start(low=2, high=6)
    bench.now += 120
    assert bench.model()["billed_unit_seconds"] == 200
    bench.stop()
    bench.now += 1000
    assert bench.model()["billed_unit_seconds"] == 200
    bench.start(low=3)
    bench.now += 30
    assert bench.model()["billed_unit_seconds"] == 230


@pytest.mark.parametrize(
    ("status", "billed"),
    [("HOSTED", 10), ("SYSTEM_UPDATING", 10), ("TRAINED", 0), ("HOSTING_FAILED", 0), ("STOPPING_HOSTING", 0)],
)
def test_billing_after_a_change_from_outside(bench, status, billed):
    bench.put(status="HOSTED")
    bench.put(status=status)
    bench.now += 10
    assert bench.model()["billed_unit_seconds"] == billed


def test_an_update_of_a_stopped_model_does_not_bill(bench):
    bench.put(status="SYSTEM_UPDATING")
    bench.now += 10
    assert bench.model()["billed_unit_seconds"] == 0


def test_changed_units_bill_from_then_on(bench):
    bench.put(status="HOSTED")
    bench.now += 10
    bench.put(min_inference_units=3)
    bench.now += 10
    assert bench.model()["billed_unit_seconds"] == 40


# --- faults ----------------------------------------------------------------------------------------------


def test_a_fault_strikes_after_and_for_so_many_calls(bench):
    bench.put()
    bench.fault("DescribeModel", error="ThrottlingException", times=2, after=1)
    assert [bench.describe().status for _ in range(5)] == [200, 429, 429, 200, 200]
    assert bench.control("GET", "faults") == []


def test_a_lost_response_has_its_effect(bench):
    bench.put()
    bench.fault("StartModel", lose_response=True)
    answer = bench.start(token="t")
    assert answer.response.cut
    assert bench.model()["starts"] == 1
    call = bench.calls()[0]
    assert (call["http_status"], call["effect"], call["response_lost"]) == (202, True, True)
    again = bench.start(token="t")
    assert (again.response.cut, again.status, bench.model()["starts"]) == (False, 202, 1)


def test_a_connection_reset_has_no_effect(bench):
    bench.put()
    bench.fault("StartModel", error="ConnectionReset")
    assert bench.start().response.cut
    assert bench.model()["starts"] == 0
    call = bench.calls()[0]
    assert (call["http_status"], call["error"], call["effect"]) == (None, "ConnectionReset", False)


def test_an_error_can_be_lost_too(bench):
    bench.put()
    bench.fault("StartModel", error="InternalServerException", lose_response=True)
    assert bench.start().response.cut
    assert bench.model()["starts"] == 0


@pytest.mark.parametrize(
    "resource", ["boards/3", "arn:aws:lookoutvision:us-east-1:000000000000:model/boards/3"]
)
def test_a_fault_for_one_model(bench, resource):
    bench.put()
    bench.put("boards/2")
    bench.fault("DescribeModel", error="InternalServerException", resource=resource)
    assert bench.describe("boards/2").status == 200
    assert bench.describe("boards/latest").status == 500
    assert bench.describe().status == 200


def test_faults_of_one_operation_strike_one_after_the_other(bench):
    bench.put()
    bench.fault("DescribeModel", error="ThrottlingException", after=1)
    bench.fault("DescribeModel", error="InternalServerException", times=2)
    assert [bench.describe().status for _ in range(4)] == [500, 429, 500, 200]


@pytest.mark.parametrize(
    ("members", "header"), [({"retry_after": 7}, "7"), ({"retry_after": None}, None), ({}, "1")]
)
def test_retry_after_of_a_fault(bench, members, header):
    bench.put()
    bench.fault("DescribeModel", error="ThrottlingException", **members)
    assert bench.describe().headers.get("Retry-After") == header


@pytest.mark.parametrize(
    ("code", "rest", "json"),
    [
        ("UnrecognizedClientException", 403, 400),
        ("InvalidSignatureException", 403, 400),
        ("ExpiredTokenException", 403, 400),
        ("AccessDeniedException", 403, 400),
        ("RequestTimeoutException", 408, 408),
    ],
)
def test_errors_of_any_service_while_credentials_and_policies_settle(bench, code, rest, json):
    bench.put()
    bench.put("boards/v1", service="rekognition")
    arn = bench.control("GET", "models/boards/v1", query="service=rekognition")["arn"]
    bench.fault("StartModel", error=code)
    bench.fault("StartProjectVersion", error=code)
    started, other = bench.start(), bench.rekognition("StartProjectVersion", {"ProjectVersionArn": arn})
    assert (started.status, started.error) == (rest, code)
    assert (other.status, other.error) == (json, code)
    assert {model["starts"] for model in bench.control("GET", "models")} == {0}


@pytest.mark.parametrize("status", [400, 403])
def test_an_error_with_another_http_status(bench, status):
    bench.put()
    bench.put("boards/v1", service="rekognition")
    bench.fault("ListTagsForResource", error="AccessDeniedException", http_status=status, times=2)
    assert bench.tags().status == status
    arn = bench.control("GET", "models/boards/v1", query="service=rekognition")["arn"]
    assert bench.rekognition("ListTagsForResource", {"ResourceArn": arn}).status == status
    assert bench.tags().status == 200


def test_faults_are_listed_and_cleared(bench):
    bench.put()
    listed = bench.fault("StartModel", error="ThrottlingException", times=3)
    assert listed[0]["operation"] == "StartModel"
    assert listed[0]["times"] == 3
    assert bench.control("DELETE", "faults") == []
    assert bench.start().status == 202


@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "Start", "error": "ThrottlingException"},
        {"operation": "StartModel", "error": "Oops"},
        {"operation": "StartModel"},
        {"operation": "StartModel", "error": "ThrottlingException", "times": 0},
        {"operation": "StartModel", "error": "ThrottlingException", "times": None},
        {"operation": "StartModel", "error": "ThrottlingException", "after": -1},
        {"operation": "StartModel", "error": "ThrottlingException", "lose_response": 1},
        {"operation": "StartModel", "error": "ThrottlingException", "time": 1},
        {"operation": "StartModel", "error": "ThrottlingException", "service": "s3"},
        {"operation": ["StartModel"], "error": "ThrottlingException"},
        {"operation": "StartModel", "error": "AccessDeniedException", "http_status": 200},
        {"operation": "StartModel", "error": "AccessDeniedException", "http_status": 600},
        {"operation": "StartModel", "lose_response": True, "http_status": 400},
    ],
    ids=repr,
)
def test_a_wrong_fault_is_refused(bench, fault):
    bench.control("POST", "faults", fault, expect=400)
    assert bench.control("GET", "faults") == []


# --- quotas ----------------------------------------------------------------------------------------------


def test_five_requests_in_any_second(make_bench):
    bench = make_bench({"requests_per_second": 5})
    bench.put()
    began = bench.now
    for tenth in range(5):
        bench.now = began + tenth / 10
        assert bench.describe().status == 200
    bench.now = began + 0.999
    throttled = bench.describe()
    assert (throttled.status, throttled.error, throttled.headers["Retry-After"]) == (
        429,
        "ThrottlingException",
        "1",
    )
    bench.now = began + 1.0
    assert bench.describe().status == 200
    assert bench.describe().status == 429
    bench.now = began + 1.1
    assert bench.describe().status == 200, "refused requests must not count"


def test_each_api_and_region_has_a_quota_of_its_own(make_bench):
    bench = make_bench({"requests_per_second": 1})
    bench.put(status="HOSTED")
    scope = {
        "authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/lookoutvision/aws4_request, x"
    }
    assert bench.describe().status == 200
    assert bench.tags().status == 200
    assert bench.describe(headers=scope).status == 404
    assert bench.describe().status == 429
    assert [bench.detect().status for _ in range(20)] == [200] * 20


def test_a_throttled_start_has_no_effect(make_bench):
    bench = make_bench({"requests_per_second": 1})
    bench.put()
    bench.put("boards/4")
    assert bench.start().status == 202
    assert bench.start("boards/4").status == 429
    assert bench.model("boards/4")["starts"] == 0


def test_the_quota_is_on_unless_it_is_turned_off(make_bench):
    bench = make_bench()
    default = make_bench()
    default.simulator = type(default.simulator)(clock=lambda: 0.0)
    for each, throttled in ((default, True), (bench, False)):
        each.put()
        assert (429 in [each.describe().status for _ in range(20)]) is throttled


def test_the_quota_can_be_changed(bench):
    bench.put()
    assert bench.control("PUT", "quota", {"requests_per_second": 0.5})["requests_per_second"] == 0.5
    assert [bench.describe().status for _ in range(2)] == [200, 429]
    bench.now += 2
    assert bench.describe().status == 200
    bench.control("PUT", "quota", {"requests_per_second": None})
    assert [bench.describe().status for _ in range(20)] == [200] * 20
    assert bench.control("GET", "quota")["requests_per_second"] is None


@pytest.mark.parametrize(
    "body", [{"requests_per_second": 0}, {"max_inference_units": "x"}, {"rps": 1}], ids=repr
)
def test_a_wrong_quota_is_refused(bench, body):
    before = bench.control("GET", "quota")
    bench.control("PUT", "quota", body, expect=400)
    assert bench.control("GET", "quota") == before


def test_inference_units_of_an_account(bench):
    bench.put()
    bench.put("boards/4")
    bench.control("PUT", "quota", {"max_inference_units": 4})
    assert bench.start(low=1, high=3).status == 202
    answer = bench.start("boards/4", low=2)
    assert (answer.status, answer.error) == (402, "ServiceQuotaExceededException")
    assert answer.json["ServiceCode"] == "lookoutvision"
    assert bench.start("boards/4", low=1).status == 202


def test_inference_units_of_one_account_only(bench):
    bench.put()
    bench.control("PUT", "quota", {"max_inference_units": 1, "account": "111111111111"})
    assert bench.start(low=2).status == 202
    bench.put(status="TRAINED")
    bench.control("PUT", "quota", {"max_inference_units": 1, "account": "000000000000"})
    assert bench.start(low=2).error == "ServiceQuotaExceededException"


# --- calls, reset, clock ---------------------------------------------------------------------------------


def test_calls_are_recorded(bench):
    bench.put()
    bench.start(token="t", low=2)
    bench.now += 1
    bench.start(token="u")
    bench.list_models()
    first, second, third = bench.calls()
    assert first == {
        "time": bench.now - 1,
        "service": "lookoutvision",
        "operation": "StartModel",
        "resource": bench.arn(),
        "client_token": "t",
        "http_status": 202,
        "error": None,
        "effect": True,
        "principal": None,
        "response_lost": False,
    }
    assert (second["http_status"], second["error"], second["effect"]) == (409, "ConflictException", False)
    assert (third["operation"], third["resource"]) == ("ListModels", "boards")
    assert bench.control("GET", "calls", query=f"since={bench.now}") == [second, third]
    bench.control("GET", "calls", query="since=x", expect=400)


def test_reset(make_bench):
    bench = make_bench({"requests_per_second": 5})
    bench.put()
    bench.start(token="t")
    bench.fault("StartModel", error="ThrottlingException")
    bench.control("PUT", "quota", {"requests_per_second": None, "max_inference_units": 1})
    bench.control("PUT", "clock", {"offset": 5})
    bench.control("POST", "reset")
    assert bench.control("GET", "models") == bench.calls() == bench.control("GET", "faults") == []
    assert bench.control("GET", "quota")["requests_per_second"] == 5
    assert bench.control("GET", "quota")["max_inference_units"] is None
    assert bench.control("GET", "clock") == {"now": bench.now, "offset": 0.0}
    bench.put()
    bench.start(token="t")
    assert bench.model()["starts"] == 1


def test_health(bench):
    assert bench.control("GET", "health")["status"] == "ok"


def test_the_clock_can_be_put_forward(bench):
    bench.put(start_seconds=1800)
    bench.start()
    bench.control("POST", "clock", {"advance": 1000})
    bench.control("POST", "clock", {"advance": 800})
    assert bench.model()["status"] == "HOSTED"
    assert bench.control("PUT", "clock", {"offset": 0}) == {"now": bench.now, "offset": 0.0}
    bench.control("POST", "clock", {"advance": "x"}, expect=400)
