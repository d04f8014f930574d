"""An event of CloudFormation or of a schedule becomes a Request, or an error that names the property."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosted_model_runtime.cloudformation.events import (
    ISSUED_MARK,
    POLL_MARK,
    from_schedule,
    is_scheduled,
    issued,
    issued_at,
    parse,
)
from hosted_model_runtime.decisions.model import Units
from hosted_model_runtime.decisions.request import InvalidRequestError

ISSUED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SIGNED = "https://answers.example/a?X-Amz-Date=20260304T050607Z&X-Amz-Expires=7200&X-Amz-Signature=secret"
OLD_STYLE = f"https://answers.example/a?AWSAccessKeyId=AKIA&Expires={int(ISSUED.timestamp()) + 7200}"
NOW = 1_800_000_000.7


def event(**properties: Any) -> dict[str, Any]:
    given = {
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
        "Service": "lookoutvision",
        "Model": {"ProjectName": "boards", "ModelVersion": "3"},
        "MinInferenceUnits": "1",
        **properties,
    }
    return {
        "RequestType": "Create",
        "RequestId": "r-1",
        "StackId": "stack",
        "LogicalResourceId": "Model",
        "ResponseURL": SIGNED,
        "ResourceProperties": {key: value for key, value in given.items() if value is not ...},
    }


def test_strings_become_numbers() -> None:
    made = parse(
        event(MinInferenceUnits="2", MaxInferenceUnits="5", HostingTimeoutSeconds="600", OnRunning="ADOPT"),
        NOW,
    )
    assert made.units == Units(2, 5)
    assert (made.timeout, made.on_running) == (600, "ADOPT")
    assert made.model == {"ProjectName": "boards", "ModelVersion": "3"}
    assert (made.type, made.request_id, made.stack_id, made.logical_id) == ("Create", "r-1", "stack", "Model")


def test_what_is_left_out_has_its_default() -> None:
    made = parse(event(), NOW)
    assert (made.units, made.timeout, made.on_running) == (Units(1, None), 3600, "FAIL")
    assert (made.physical_id, made.old_model, made.old_service) == (None, None, None)
    assert not made.scheduled


ELSEWHERE = (
    "arn:aws:personalize:us-east-1:999999999999:recommender/shop",
    "arn:aws:personalize:eu-west-1:123456789012:recommender/shop",
    "arn:aws-cn:personalize:us-east-1:123456789012:recommender/shop",
)


@pytest.mark.parametrize("arn", ELSEWHERE)
def test_a_model_of_another_place_is_refused_at_once(arn: str) -> None:
    """The role may not look at it, so that no Delete of it would ever end."""
    model = {"Service": "personalize", "Model": {"RecommenderArn": arn}}
    with pytest.raises(
        InvalidRequestError, match=r"Model\.RecommenderArn must name a model of the stack's own"
    ):
        parse({**event(**model), "StackId": STACK}, NOW)
    undone = {**event(), "StackId": STACK, "OldResourceProperties": event(**model)["ResourceProperties"]}
    assert parse(undone, NOW).old_model is None, "what was refused has nothing to let go of"


def test_numbers_in_the_model_become_strings() -> None:
    assert parse(event(Model={"ProjectName": "boards", "ModelVersion": 3}), NOW).model["ModelVersion"] == "3"


def test_an_update_has_the_old_model_and_the_physical_id() -> None:
    given = {
        **event(),
        "RequestType": "Update",
        "PhysicalResourceId": "lookoutvision/boards/2",
        "OldResourceProperties": event(Model={"ProjectName": "boards", "ModelVersion": "2"})[
            "ResourceProperties"
        ],
        POLL_MARK: True,
    }
    made = parse(given, NOW)
    assert made.old_model == {"ProjectName": "boards", "ModelVersion": "2"}
    assert (made.old_service, made.physical_id) == ("lookoutvision", "lookoutvision/boards/2")


def test_a_tick_is_the_request_that_it_goes_on_with() -> None:
    assert parse({**event(), POLL_MARK: True, ISSUED_MARK: 5}, NOW) == parse(event(), NOW)


def test_old_properties_without_a_model_are_passed_over() -> None:
    assert parse({**event(), "OldResourceProperties": {"Other": "x"}}, NOW).old_model is None


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"Service": ...}, "Property Service is missing"),
        ({"Service": ""}, "Property Service is missing"),
        ({"Service": ["x"]}, "Property Service is missing"),
        ({"Model": ...}, "Property Model is missing"),
        ({"Model": {}}, "Property Model is missing"),
        ({"Model": "boards/3"}, "Property Model is missing"),
        ({"MinInferenceUnits": ...}, "Property MinInferenceUnits is missing"),
        ({"MinInferenceUnits": ""}, "Property MinInferenceUnits is missing"),
        ({"MinInferenceUnits": "two"}, "Property MinInferenceUnits must be a whole number, but it is 'two'"),
        ({"MinInferenceUnits": "1.5"}, "Property MinInferenceUnits must be a whole number, but it is '1.5'"),
        ({"MinInferenceUnits": []}, "Property MinInferenceUnits must be a whole number, but it is []"),
        ({"MinInferenceUnits": "0"}, "min_inference_units must be at least 1"),
        ({"MaxInferenceUnits": "0"}, "max_inference_units must be at least 1"),
        (
            {"MinInferenceUnits": "3", "MaxInferenceUnits": "2"},
            "max_inference_units (2) must not be smaller than min_inference_units (3)",
        ),
        ({"HostingTimeoutSeconds": "59"}, "must be from 60 to 3600 seconds, but it is 59"),
        ({"HostingTimeoutSeconds": "3601"}, "must be from 60 to 3600 seconds, but it is 3601"),
        ({"HostingTimeoutSeconds": "-1"}, "must be from 60 to 3600 seconds, but it is -1"),
        ({"HostingTimeoutSeconds": "0"}, "must be from 60 to 3600 seconds, but it is 0"),
        ({"HostingTimeoutSeconds": "1h"}, "Property HostingTimeoutSeconds must be a whole number"),
        ({"OnRunning": "fail"}, "Property OnRunning must be FAIL or ADOPT, but it is 'fail'"),
    ],
)
def test_wrong_properties_are_named(properties: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        parse(event(**properties), NOW)
    assert words in str(caught.value)


@pytest.mark.parametrize("missing", [None, {}])
def test_no_properties_at_all_is_an_error_too(missing: Any) -> None:
    with pytest.raises(ValueError, match="Property Service is missing"):
        parse({**event(), "ResourceProperties": missing}, NOW)


@pytest.mark.parametrize("seconds", [60, 3600])
def test_the_timeouts_limits_are_inside(seconds: int) -> None:
    assert parse(event(HostingTimeoutSeconds=str(seconds)), NOW).timeout == seconds


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (SIGNED, ISSUED),
        (OLD_STYLE, ISSUED),
        ("https://answers.example/a", None),
        ("", None),
        ("https://answers.example/a?X-Amz-Date=yesterday", None),
        ("https://answers.example/a?X-Amz-Date=", None),
        ("https://answers.example/a?X-Amz-Date=20261301T000000Z", None),
        ("https://answers.example/a?Expires=soon", None),
        (f"https://answers.example/a?Expires={10**30}", None),
        (f"https://answers.example/a?Expires=-{10**30}", None),
    ],
)
def test_issued_at(url: str, expected: datetime | None) -> None:
    assert issued_at(url) == expected


@given(st.text())
def test_issued_at_takes_any_query(text: str) -> None:
    issued_at(f"https://answers.example/a?Expires={text}&X-Amz-Date={text}")


def test_the_url_tells_the_time_before_the_mark_and_the_clock() -> None:
    assert issued({"ResponseURL": SIGNED, ISSUED_MARK: 5}, NOW) == ISSUED


def test_the_mark_of_a_tick_tells_the_time_where_the_url_does_not() -> None:
    assert (
        issued({"ResponseURL": "https://x/y", ISSUED_MARK: 1_700_000_000}, NOW).timestamp() == 1_700_000_000
    )


def test_without_either_it_is_now_to_the_second() -> None:
    assert issued({}, NOW).timestamp() == int(NOW)


def test_the_deadline_is_before_the_expiry() -> None:
    made = parse(event(HostingTimeoutSeconds="600"), NOW)
    assert made.expiry == ISSUED.timestamp() + 600
    assert made.deadline == made.expiry - 30


def test_the_response_url_is_in_no_request() -> None:
    made = parse(event(), NOW)
    assert "secret" not in repr(made)
    assert "answers.example" not in repr(made)
    assert SIGNED not in [getattr(made, name) for name in made.__slots__]


@pytest.mark.parametrize(("units", "text"), [(Units(2), "2"), (Units(1, 4), "1-4")])
def test_units_as_a_tag_carries_them(units: Units, text: str) -> None:
    assert str(units) == text
    assert Units.parse(text) == units


@pytest.mark.parametrize("text", ["", "-", "x", "1-x", "1 to 4"])
def test_what_is_no_units(text: str) -> None:
    assert Units.parse(text) is None


STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/4962af83-294b-5fc0-b817-0230b7066ebf"
SCHEDULE = {
    "HostedModel": "Start",
    "ScheduledTime": "2026-03-04T08:00:00Z",
    "StackId": STACK,
    "LogicalResourceId": "Model",
    "ResourceProperties": {
        "Service": "lookoutvision",
        "Model": {"ProjectName": "boards", "ModelVersion": "3"},
        "MinInferenceUnits": 1,
        "HostingTimeoutSeconds": 1800,
        "HostingHours": "true",
    },
}


class TestSchedule:
    def test_it_is_a_request_of_its_time(self) -> None:
        made = parse(from_schedule(SCHEDULE), now=0)
        assert (made.type, made.stack_id, made.logical_id) == ("Start", STACK, "Model")
        assert made.issued == datetime(2026, 3, 4, 8, 0, 0, tzinfo=UTC)
        assert made.has_hours
        assert made.scheduled
        # Three tries, each as long as a deploy would wait.
        assert made.timeout == 3 * 1800

    def test_a_second_delivery_is_the_same_request(self) -> None:
        first, second = from_schedule(SCHEDULE), from_schedule(dict(SCHEDULE))
        assert first["RequestId"] == second["RequestId"]
        assert len(first["RequestId"]) == 36

    @pytest.mark.parametrize(
        "changed",
        [
            {"HostedModel": "Stop"},
            {"ScheduledTime": "2026-03-05T08:00:00Z"},
            {"LogicalResourceId": "Other"},
            {"StackId": STACK.replace("Mine", "Theirs")},
        ],
    )
    def test_another_occasion_is_another_request(self, changed: dict[str, str]) -> None:
        assert from_schedule(SCHEDULE | changed)["RequestId"] != from_schedule(SCHEDULE)["RequestId"]

    def test_cloudformation_s_event_and_a_tick_stay_as_they_are(self) -> None:
        plain = {"RequestType": "Create", "RequestId": "r"}
        assert from_schedule(plain) == plain
        tick = from_schedule(SCHEDULE) | {"CrHelperPoll": True}
        assert from_schedule(tick) == tick
        assert is_scheduled(tick)
        assert not is_scheduled(plain)

    @pytest.mark.parametrize(
        ("changed", "named"),
        [
            ({"HostedModel": "Pause"}, "HostedModel must be one of"),
            ({"ScheduledTime": "<aws.scheduler.scheduled-time>"}, "ScheduledTime must be a time"),
        ],
    )
    def test_bad_events(self, changed: dict[str, str], named: str) -> None:
        with pytest.raises(InvalidRequestError, match=named):
            from_schedule(SCHEDULE | changed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"MinInferenceUnits": "0"},
        {"MaxInferenceUnits": "x"},
        {"OnRunning": "?"},
        {"HostingTimeoutSeconds": "1"},
    ],
)
def test_a_delete_needs_no_more_than_the_model(wrong: dict[str, str]) -> None:
    """After an update that failed for one of these, the model runs on, and the Delete must stop it."""
    properties = {"Service": "fake", "Model": {"Name": "1"}, "MinInferenceUnits": "1", **wrong}
    event = {
        "RequestType": "Delete",
        "RequestId": "r",
        "StackId": "s",
        "LogicalResourceId": "Model",
        "PhysicalResourceId": "fake/1",
        "ResponseURL": "",
        "ResourceProperties": properties,
    }
    assert parse(event, 0).model == {"Name": "1"}
    with pytest.raises(InvalidRequestError):
        parse({**event, "RequestType": "Create"}, 0)
