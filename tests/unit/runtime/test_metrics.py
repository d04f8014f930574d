"""The metrics' lines against the specification, and what each outcome is worth."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cfnlint.jsonschema import StandardValidator
from hosted_model_runtime.host import Answer, Facts, HandedOver, Silent
from hosted_model_runtime.metrics import Labels
from hosted_model_runtime.report import report
from hosted_model_runtime.target import Ran

from hosted_model_runtime import metrics
from hosted_model_runtime.cloudformation.events import parse
from hosted_model_runtime.contract import Metric

NOW = 1_790_000_000.25
LABELS = Labels("lookoutvision", "boards", "3")
NAME = {"type": "string", "minLength": 1, "maxLength": 250}
#: "Specification: Embedded metric format", Amazon CloudWatch User Guide, and of a dimension's value the
#: limits of "Dimension", Amazon CloudWatch API Reference: ASCII, 1 to 1024, no control characters.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": False,
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 1_000_000_000_000},
                "CloudWatchMetrics": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "maxItems": 30, "items": NAME},
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name", "Unit"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "Name": {"type": "string", "minLength": 1, "maxLength": 1024},
                                        # Of the specification's units those that are used here.
                                        "Unit": {"enum": ["Seconds", "Count"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
    "additionalProperties": {
        "anyOf": [
            {"type": "number"},
            {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^[ -~]+$"},
        ]
    },
}


def wrong(line: str) -> list[str]:
    """What in a line breaks the specification."""
    document = json.loads(line)
    found = [error.message for error in StandardValidator(SCHEMA).iter_errors(document)]
    if found:
        return found
    directives = document["_aws"]["CloudWatchMetrics"]
    keys = {name for one in directives for dimensions in one["Dimensions"] for name in dimensions}
    values = {metric["Name"] for one in directives for metric in one["Metrics"]}
    return [
        *(f"dimension {name} is no text of the root" for name in keys if not is_a(document, name, str)),
        *(f"metric {name} is no number of the root" for name in values if not is_a(document, name, float)),
    ]


def is_a(document: dict[str, Any], name: str, kind: type) -> bool:
    """Whether a member of the root is there, and a text or a number."""
    return isinstance(document.get(name), (int, float) if kind is float else kind)


def read(line: str) -> tuple[str, float, str, list[dict[str, str]]]:
    """A line as CloudWatch reads it: name, value, unit, and the dimensions of each metric that it makes."""
    assert "\n" not in line
    assert wrong(line) == []
    document = json.loads(line)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    (metric,) = directive["Metrics"]
    assert directive["Namespace"] == "HostedModel"
    assert document["_aws"]["Timestamp"] == 1_790_000_000_250
    made = [{name: document[name] for name in names} for names in directive["Dimensions"]]
    return metric["Name"], document[metric["Name"]], metric["Unit"], made


MODEL = {"Service": "lookoutvision", "Project": "boards", "Version": "3"}


@pytest.mark.parametrize(
    ("line", "name", "value", "unit"),
    [
        (metrics.time_to_hosted(LABELS, 61.5, NOW), "TimeToHosted", 61.5, "Seconds"),
        (metrics.time_to_hosted(LABELS, -1, NOW), "TimeToHosted", 0, "Seconds"),
        (metrics.hosting_seconds(LABELS, 36_000, NOW), "HostingSeconds", 36_000, "Seconds"),
        (metrics.hosting_seconds(LABELS, 1 / 3, NOW), "HostingSeconds", 0.333, "Seconds"),
        (metrics.superseded(LABELS, NOW), "SupersededRequests", 1, "Count"),
    ],
)
def test_a_line(line, name, value, unit):
    assert read(line) == (name, value, unit, [MODEL])


@pytest.mark.parametrize("code", Metric.REASONS)
def test_a_failure_is_counted_in_all_and_by_reason(code):
    line = metrics.failure(LABELS, code, NOW)
    assert read(line) == ("HostingFailures", 1, "Count", [MODEL, {**MODEL, "Reason": code}])


@pytest.mark.parametrize(
    "text", ["", "quota", "a text that nobody bounds", "https://answers/?X-Amz-Signature=1"]
)
def test_a_reason_is_never_free_text(text):
    assert read(metrics.failure(LABELS, text, NOW))[3][1]["Reason"] == "OTHER"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"_aws": {}}, "required"),
        ({"Version": ""}, ""),
        ({"Version": 3}, "dimension Version is no text"),
        ({"SupersededRequests": "1"}, "metric SupersededRequests is no number"),
    ],
)
def test_what_breaks_the_specification_is_seen(change, words):
    document = {**json.loads(metrics.superseded(LABELS, NOW)), **change}
    assert words in wrong(json.dumps(document))[0]


def test_what_is_printed_is_the_line_and_no_more(capfd):
    line = metrics.superseded(LABELS, NOW)
    metrics.emit(line)
    assert capfd.readouterr() == (f"{line}\n", "")


PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/boards"


@pytest.mark.parametrize(
    ("service", "model", "names"),
    [
        ("lookoutvision", {"ProjectName": "boards", "ModelVersion": "3"}, ("boards", "3")),
        ("rekognition", {"ProjectVersionArn": f"{PROJECT}/version/v.1/16"}, ("boards", "v.1")),
        ("rekognition", {"ProjectArn": f"{PROJECT}/15", "VersionName": "v2"}, ("boards", "v2")),
    ],
)
def test_the_names_of_a_model(service, model, names):
    assert Labels.of(service, model) == Labels(service, *names)


@pytest.mark.parametrize(
    ("service", "model"),
    [
        ("forecasts", {"Name": "a"}),
        ("lookoutvision", {"ProjectName": "boards"}),
        ("lookoutvision", {"ProjectName": "free text\n", "ModelVersion": "3"}),
        ("lookoutvision", {"ProjectName": "b" * 256, "ModelVersion": "3"}),
        ("lookoutvision", {"ProjectName": "", "ModelVersion": "3"}),
        ("rekognition", {"ProjectVersionArn": "x/y"}),
    ],
)
def test_what_names_no_model_has_no_labels(service, model):
    with pytest.raises((KeyError, ValueError)):
        Labels.of(service, model)


EVENT = {
    "RequestType": "Create",
    "RequestId": "11111111-2222-3333-4444-555555555555",
    "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/S/1",
    "LogicalResourceId": "Model",
    # Issued at 2026-09-21T13:33:20Z.
    "ResponseURL": "https://answers.example/?X-Amz-Date=20260921T133320Z&X-Amz-Signature=secret",
    "ResourceProperties": {
        "Service": "lookoutvision",
        "Model": {"ProjectName": "boards", "ModelVersion": "latest"},
        "MinInferenceUnits": "1",
    },
}
EXACT = {"ProjectName": "boards", "ModelVersion": "3"}
OLD = Ran({"ProjectName": "boards", "ModelVersion": "2"}, "20260921T123320Z", 1_789_999_000.0)


def hosted(at: str) -> Answer:
    return Answer(True, "id", data={"HostedAt": at}, facts=Facts(EXACT))


@pytest.mark.parametrize(
    ("outcome", "worth"),
    [
        (hosted("20260921T133504Z"), [("TimeToHosted", 104, "3")]),
        (hosted("20260921T133320Z"), [("TimeToHosted", 0, "3")]),
        # It was hosted already: this request started nothing.
        (hosted("20260921T132959Z"), []),
        (hosted("soon"), []),
        (Answer(True, "id"), []),
        (Answer(False, "id", "secret", facts=Facts(EXACT, "QUOTA")), [("HostingFailures", 1, "3")]),
        (Answer(False, "id", "secret"), [("HostingFailures", 1, "latest")]),
        (Silent("later", Facts(EXACT, superseded=True)), [("SupersededRequests", 1, "3")]),
        (Silent("CloudFormation no longer waits"), []),
        (HandedOver(), []),
        (HandedOver(Facts(EXACT, ran=(OLD,))), [("HostingSeconds", 5000, "2")]),
        (Answer(True, "id", facts=Facts(EXACT, ran=(OLD,))), [("HostingSeconds", 5000, "2")]),
        (Answer(True, "id", facts=Facts(EXACT, ran=(replace(OLD, since=""),))), []),
    ],
)
@pytest.mark.parametrize("form", [dict, lambda event: parse(event, NOW)], ids=["event", "request"])
def test_what_an_outcome_is_worth(outcome, worth, form):
    lines = report(form(EVENT), outcome, NOW)
    found = [(name, value, made[0]["Version"]) for name, value, _, made in map(read, lines)]
    assert found == worth
    assert "secret" not in "".join(lines)


def test_a_request_that_is_not_valid_is_counted_where_it_names_a_model():
    bad = {**EVENT["ResourceProperties"], "MinInferenceUnits": "many"}
    outcome = Answer(False, "id", facts=Facts(code="INVALID"))
    (line,) = report({**EVENT, "ResourceProperties": bad}, outcome, NOW)
    assert read(line)[3][1]["Reason"] == "INVALID"
    with pytest.raises(KeyError):
        report({**EVENT, "ResourceProperties": {}}, outcome, NOW)
