"""The lines of CloudWatch's embedded metric format, against its specification."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hosted_model_runtime.contract import Metric
from hosted_model_runtime.invocation import emf
from hosted_model_runtime.invocation.emf import Labels

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
    # Where the newest Python runs the tests, there is no cfn-lint.
    validator = pytest.importorskip("cfnlint.jsonschema").StandardValidator
    document = json.loads(line)
    found = [error.message for error in validator(SCHEMA).iter_errors(document)]
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
        (emf.time_to_hosted(LABELS, 61.5, NOW), "TimeToHosted", 61.5, "Seconds"),
        (emf.time_to_hosted(LABELS, -1, NOW), "TimeToHosted", 0, "Seconds"),
        (emf.hosting_seconds(LABELS, 36_000, NOW), "HostingSeconds", 36_000, "Seconds"),
        (emf.hosting_seconds(LABELS, 1 / 3, NOW), "HostingSeconds", 0.333, "Seconds"),
        (emf.superseded(LABELS, NOW), "SupersededRequests", 1, "Count"),
    ],
)
def test_a_line(line, name, value, unit):
    assert read(line) == (name, value, unit, [MODEL])


@pytest.mark.parametrize("code", Metric.REASONS)
def test_a_failure_is_counted_in_all_and_by_reason(code):
    line = emf.failure(LABELS, code, NOW)
    assert read(line) == ("HostingFailures", 1, "Count", [MODEL, {**MODEL, "Reason": code}])


@pytest.mark.parametrize(
    "text", ["", "quota", "a text that nobody bounds", "https://answers/?X-Amz-Signature=1"]
)
def test_a_reason_is_never_free_text(text):
    assert read(emf.failure(LABELS, text, NOW))[3][1]["Reason"] == "OTHER"


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
    document = {**json.loads(emf.superseded(LABELS, NOW)), **change}
    assert words in wrong(json.dumps(document))[0]


def test_what_is_printed_is_the_line_and_no_more(capfd):
    line = emf.superseded(LABELS, NOW)
    emf.emit(line)
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
