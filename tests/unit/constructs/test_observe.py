"""Alarms, widgets and the provider's own metrics, read from the template."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Template

from hosted_model import NO_UNITS, LookoutVisionModel, RekognitionCustomLabelsModel
from hosted_model.alarms import IDLE
from hosted_model_runtime.contract import Metric
from unit.constructs.conftest import PROJECT_ARN, VERSION_ARN, messages, models, only, resources

MODELS = {
    "lookoutvision": lambda stack: LookoutVisionModel(
        stack, "Model", project_name="boards", model_version="3"
    ),
    "rekognition": lambda stack: RekognitionCustomLabelsModel(
        stack, "Model", project_version_arn=VERSION_ARN
    ),
    "imported": lambda stack: RekognitionCustomLabelsModel.from_model_arn(stack, "Model", VERSION_ARN),
}
OWN = {"Service": "rekognition", "Project": "boards", "Version": "v1"}


@pytest.fixture(params=MODELS)
def model(stack: Stack, request: pytest.FixtureRequest) -> Any:
    return MODELS[request.param](stack)


def alarms(stack: Stack) -> dict[str, Any]:
    return {
        each["Properties"].get("AlarmName", name): each["Properties"]
        for name, each in resources(stack, "AWS::CloudWatch::Alarm").items()
    }


@pytest.mark.parametrize(
    ("method", "options", "name", "statistic", "more"),
    [
        ("time_to_hosted", {}, "TimeToHosted", "Average", {}),
        ("hosting_seconds", {}, "HostingSeconds", "Sum", {}),
        ("hosting_failures", {}, "HostingFailures", "Sum", {}),
        ("hosting_failures", {"reason": "QUOTA"}, "HostingFailures", "Sum", {"Reason": "QUOTA"}),
        ("superseded_requests", {}, "SupersededRequests", "Sum", {}),
    ],
)
def test_own_metrics(stack, method, options, name, statistic, more):
    metric = getattr(MODELS["rekognition"](stack), f"metric_{method}")
    made = metric(**options)
    assert (made.namespace, made.metric_name, made.statistic) == ("HostedModel", name, statistic)
    assert made.dimensions == {**OWN, **more}
    changed = metric(**options, statistic="Maximum", period=Duration.minutes(1))
    assert (changed.statistic, changed.period.to_seconds()) == ("Maximum", 60)


def test_the_names_that_the_function_writes(stack):
    model = LookoutVisionModel(stack, "Model", project_name="boards", model_version="latest")
    found = stack.resolve(model.metric_time_to_hosted().dimensions)
    assert tuple(found) == Metric.DIMENSIONS
    # The function counts for a number; which one that is, is known after the deploy.
    assert found["Version"] == {"Fn::GetAtt": [next(iter(models(stack))), "ModelVersion"]}
    assert (found["Service"], found["Project"]) == ("lookoutvision", "boards")


@pytest.mark.parametrize("reason", ["quota", "", "a text"])
def test_a_reason_is_one_of_those_that_are_counted(model, reason):
    with pytest.raises(ValueError, match=r"^S/Model: reason must be one of QUOTA, DENIED, INVALID"):
        model.metric_hosting_failures(reason=reason)


UNITS = {
    "lookoutvision": ("AWS/LookoutVision", {"ProjectName": "boards", "ModelVersion": "3"}),
    "rekognition": ("AWS/Rekognition", {"ProjectName": "boards", "VersionName": "v1"}),
}
REQUESTS = {
    "lookoutvision": UNITS["lookoutvision"],
    # Its calls are counted by operation, not by model.
    "rekognition": ("AWS/Rekognition", {"Operation": "DetectCustomLabels"}),
}


@pytest.mark.parametrize("service", UNITS)
def test_the_idle_alarm(stack, service):
    MODELS[service](stack).add_idle_alarm(alarm_name="Idle", actions_enabled=False)
    alarm = alarms(stack)["Idle"]
    # Two hours idle, in a range of ten minutes more.
    assert alarm["DatapointsToAlarm"] * 300 == 7200
    assert alarm["EvaluationPeriods"] * 300 == 7800
    assert alarm["TreatMissingData"] == "notBreaching"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["ActionsEnabled"] is False
    assert "120 minutes" in alarm["AlarmDescription"]
    queries = {each["Id"]: each for each in alarm["Metrics"]}
    (shown,) = (each for each in queries.values() if each.get("ReturnData") is not False)
    assert shown["Expression"] == IDLE
    for name, (space, dimensions), metric, statistic in (
        ("units", UNITS[service], "InServiceInferenceUnits", "Average"),
        ("requests", REQUESTS[service], "SuccessfulRequestCount", "Sum"),
    ):
        stat = queries[name]["MetricStat"]
        found = {each["Name"]: each["Value"] for each in stat["Metric"]["Dimensions"]}
        assert (stat["Metric"]["Namespace"], stat["Metric"]["MetricName"]) == (space, metric)
        assert (found, stat["Stat"], stat["Period"]) == (dimensions, statistic, 300)


class Series(dict[int, float]):
    """A time series as metric math has it: what is missing in one operand is 0 in arithmetic and in a
    comparison ("Using metric math", Amazon CloudWatch User Guide).
    """

    def __mul__(self, other: Any) -> Series:
        if isinstance(other, Series):
            return Series({at: self.get(at, 0) * other.get(at, 0) for at in self.keys() | other.keys()})
        return Series({at: value * other for at, value in self.items()})

    def __gt__(self, other: Any) -> Series:
        return Series({at: float(self.get(at, 0) > other.get(at, 0)) for at in self.keys() | other.keys()})


@pytest.mark.parametrize("fills_nothing", [False, True])
@pytest.mark.parametrize(
    ("units", "requests", "seen"),
    [
        ({0: 1, 1: 1}, {}, {0: 1, 1: 1}),
        ({0: 1, 1: 3}, {0: 0, 1: 0}, {0: 1, 1: 3}),
        ({0: 1, 1: 500}, {0: 1, 1: 1}, {0: 0, 1: 0}),
        ({0: 1, 1: 1}, {0: 7}, {0: 0, 1: 1}),
        # Half a period in service, and no request then.
        ({0: 0.5, 1: 1}, {1: 2}, {0: 0.5, 1: 0}),
        # Stopped, or not published yet: nothing is known, whatever others call.
        ({0: 1}, {1: 9}, {0: 1, 1: 0}),
        ({0: 0, 1: 1}, {}, {0: 0, 1: 1}),
    ],
)
def test_what_is_idle(units, requests, seen, fills_nothing):
    def fill(series: Series, value: float) -> Series:
        # Whether a series without any value is filled, the documentation leaves open.
        return series if fills_nothing and not series else Series({0: value, 1: value, **series})

    found = eval(IDLE, {"FILL": fill, "units": Series(units), "requests": Series(requests)})
    assert {at: found.get(at, 0) for at in seen} == seen


def goes_off(points: list[float], alarm: dict[str, Any]) -> bool:
    """What CloudWatch makes of the newest points: "M out of N"."""
    newest = points[-alarm["EvaluationPeriods"] :]
    return sum(point > 0 for point in newest) >= alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])


@pytest.mark.parametrize(
    ("points", "rings"),
    [
        # Idle all the time, and nothing is late, or the newest points are not there yet, or one is missing.
        ([1.0] * 40, True),
        ([1.0] * 40 + [0.0], True),
        ([1.0] * 40 + [0.0] * 2, True),
        ([1.0] * 20 + [0.0] + [1.0] * 20 + [0.0], True),
        # In use until an hour ago; in use every half an hour; stopped.
        ([0.0] * 40 + [1.0] * 12, False),
        (([0.0] + [1.0] * 5) * 10, False),
        ([0.0] * 40, False),
    ],
)
def test_the_idle_alarm_goes_off_over_metrics_that_are_late(stack, points, rings):
    MODELS["rekognition"](stack).add_idle_alarm()
    (alarm,) = alarms(stack).values()
    assert goes_off(points, alarm) is rings


@pytest.mark.parametrize(
    ("arn", "warned"),
    [
        (VERSION_ARN, True),
        (VERSION_ARN.replace("1600000000001", "1661990399999"), True),
        (VERSION_ARN.replace("1600000000001", "1661990400000"), False),
    ],
)
def test_a_model_that_publishes_no_units(stack, arn, warned):
    declared = RekognitionCustomLabelsModel(stack, "Model", project_version_arn=arn)
    assert messages(stack) == []
    declared.add_idle_alarm()
    assert [f"[ack: {NO_UNITS}]" in each for each in messages(stack)] == [True] * warned
    imported = RekognitionCustomLabelsModel.from_model_arn(Stack(App(), "T"), "Model", arn)
    imported.add_idle_alarm()
    assert len(messages(imported.stack)) == warned


def test_when_a_model_was_trained_may_not_be_known(stack):
    by_name = RekognitionCustomLabelsModel(stack, "A", project_arn=PROJECT_ARN, version_name="v1")
    token = CfnParameter(stack, "Arn").value_as_string
    for model in (by_name, RekognitionCustomLabelsModel.from_model_arn(stack, "B", token)):
        model.add_idle_alarm()
    assert messages(stack) == []


def test_an_own_count_of_requests(stack):
    own = cloudwatch.Metric(namespace="Mine", metric_name="Inspections", statistic="Sum")
    MODELS["rekognition"](stack).add_idle_alarm(requests=own)
    (alarm,) = alarms(stack).values()
    assert [
        each["MetricStat"]["Metric"]["Namespace"] for each in alarm["Metrics"] if "MetricStat" in each
    ] == ["AWS/Rekognition", "Mine"]


@pytest.mark.parametrize(
    ("idle_for", "period", "periods", "seconds"),
    [
        (Duration.minutes(5), None, (1, 3), 300),
        (Duration.days(1), None, (286, 288), 300),
        (Duration.days(2), None, (48, 49), 3600),
        (Duration.days(7), None, (167, 168), 3600),
        (Duration.hours(1), Duration.minutes(1), (60, 70), 60),
        (Duration.days(7), Duration.days(1), (6, 7), 86400),
        (Duration.days(1), Duration.days(1), (1, 2), 86400),
    ],
)
def test_times_within_the_limits(stack, idle_for, period, periods, seconds):
    MODELS["rekognition"](stack).add_idle_alarm(idle_for=idle_for, period=period)
    (alarm,) = alarms(stack).values()
    steps = {each["MetricStat"]["Period"] for each in alarm["Metrics"] if "MetricStat" in each}
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == periods
    assert steps == {seconds}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"idle_for": Duration.minutes(7)},
            "idle_for must be whole periods of 5 minutes, but it is 7 minutes",
        ),
        ({"idle_for": Duration.seconds(90)}, "idle_for must be whole minutes, at least 1, but it is 1.5"),
        ({"idle_for": Duration.minutes(0)}, "idle_for must be whole minutes, at least 1, but it is 0"),
        ({"idle_for": Duration.days(8)}, "idle_for must be at most 7 days, but it is 8 days"),
        (
            {"idle_for": Duration.hours(25), "period": Duration.minutes(5)},
            "idle_for must be at most 1 day, for periods below 1 hour, but it is 1.04167 days",
        ),
        ({"period": Duration.seconds(30)}, "period must be whole minutes"),
        (
            {"idle_for": Duration.days(2), "period": Duration.days(2)},
            "period must be at most 1 day, but it is 2",
        ),
    ],
)
def test_times_beyond_the_limits(stack, given, words):
    model = MODELS["lookoutvision"](stack)
    with pytest.raises(ValueError, match=r"^S/Model/Idle: ") as error:
        model.add_idle_alarm("Idle", **given)
    assert words in str(error.value)


def test_a_time_that_is_a_token(stack):
    minutes = CfnParameter(stack, "Minutes", type="Number").value_as_number
    with pytest.raises(ValueError, match=r"^S/Model/IdleAlarm: idle_for must be known at synth"):
        MODELS["lookoutvision"](stack).add_idle_alarm(idle_for=Duration.minutes(minutes))


def test_the_failure_alarm(model, stack):
    model.add_hosting_failure_alarm(alarm_name="Any")
    model.add_hosting_failure_alarm(
        "Quota", reason="QUOTA", threshold=3, period=Duration.hours(1), alarm_name="Quota"
    )
    found = alarms(stack)
    for name, reason, threshold, period in (("Any", set(), 1, 300), ("Quota", {"QUOTA"}, 3, 3600)):
        alarm = found[name]
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        assert {*dimensions} == {*Metric.DIMENSIONS, *({"Reason"} if reason else ())}
        assert {dimensions.get("Reason")} - {None} == reason
        assert (alarm["Namespace"], alarm["MetricName"]) == ("HostedModel", "HostingFailures")
        assert (alarm["Threshold"], alarm["Period"], alarm["Statistic"]) == (threshold, period, "Sum")
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"threshold": 0},
            "^S/Model/HostingFailureAlarm: threshold must be a whole number of at least 1, but it is 0",
        ),
        ({"period": Duration.days(2)}, "^S/Model/HostingFailureAlarm: period must be at most 1 day"),
        ({"reason": "LATE"}, "reason must be one of"),
    ],
)
def test_failure_alarms_beyond_the_limits(stack, given, words):
    with pytest.raises(ValueError, match=words):
        MODELS["lookoutvision"](stack).add_hosting_failure_alarm(**given)


def test_the_widgets_of_a_dashboard(model, stack):
    widgets = model.dashboard_widgets()
    assert [(each.width, each.height) for each in widgets] == [(8, 6)] * 6
    cloudwatch.Dashboard(stack, "Board").add_widgets(*widgets)
    body = stack.resolve(only(resources(stack, "AWS::CloudWatch::Dashboard"))["Properties"]["DashboardBody"])
    text = body if isinstance(body, str) else "".join(map(str, body["Fn::Join"][1]))
    for name in (
        *("InServiceInferenceUnits", "DesiredInferenceUnits", "MinInferenceUnits", "MaxInferenceUnits"),
        *("SuccessfulRequestCount", "ThrottledCount", "ErrorCount", "HostingSeconds", "TimeToHosted"),
        *("HostingFailures", "SupersededRequests", *Metric.REASONS),
    ):
        assert name in text, name
    assert "ResponseTime" in text or '"Time"' in text
    if isinstance(body, str):
        placed = [(each["x"], each["y"]) for each in json.loads(body)["widgets"]]
        assert placed == [(0, 0), (8, 0), (16, 0), (0, 6), (8, 6), (16, 6)]


def test_two_models_on_one_board(stack):
    board = cloudwatch.Dashboard(stack, "Board")
    for name in ("A", "B"):
        model = LookoutVisionModel(stack, name, project_name=name, model_version="1")
        model.add_idle_alarm()
        model.add_hosting_failure_alarm()
        board.add_widgets(*model.dashboard_widgets())
    assert len(resources(stack, "AWS::CloudWatch::Alarm")) == 4
    Template.from_stack(stack).resource_count_is("AWS::CloudWatch::Dashboard", 1)
