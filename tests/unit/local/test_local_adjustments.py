"""What is put right of ministack, where that is logic of our own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hosted_model_local.ministack_adjustments import (
    HeldResources,
    keep_alarms_on_metric_math,
    refuse_another_service_token,
    rule_arn,
)

NEEDS = {"Model": {"Policy", "Function"}, "Function": {"Role"}}


def with_dependencies(names: list[str], remaining: set[str]) -> set[str]:
    found = set(names)
    for name in names:
        found |= with_dependencies(list(NEEDS.get(name, set()) & remaining), remaining)
    return found


@pytest.fixture
def resources() -> dict[str, Any]:
    return {
        name: {"ResourceStatus": "CREATE_COMPLETE"}
        for name in ("Model", "Policy", "Function", "Role", "Logs")
    }


def test_what_a_failed_deletion_needs_is_out_of_reach(resources: dict[str, Any]) -> None:
    held = HeldResources(resources, with_dependencies)
    assert all(map(held.get, resources))
    held["Model"]["ResourceStatus"] = "DELETE_FAILED"
    assert {name for name in resources if held.get(name)} == {"Model", "Logs"}
    assert dict(held) == resources


def test_a_deletion_that_is_tried_again_reaches_everything(resources: dict[str, Any]) -> None:
    resources["Model"]["ResourceStatus"] = "DELETE_FAILED"
    held = HeldResources(resources, with_dependencies)
    assert all(map(held.get, resources))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"Rule": "r", "Ids": ["1"]}, "rule/r"),
        ({"Rule": "r", "EventBusName": "default"}, "rule/r"),
        ({"Rule": "r", "EventBusName": "b"}, "rule/b/r"),
        ({"Name": "r"}, ""),
        ([], ""),
    ],
)
def test_rules_are_named_as_iam_knows_them(document: object, expected: str) -> None:
    found = rule_arn(json.dumps(document).encode(), "eu-west-1", "000000000000")
    assert found == (expected and f"arn:aws:events:eu-west-1:000000000000:{expected}")


def test_an_alarm_on_metric_math_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.services.cloudformation import provisioners

    record = provisioners._cw_metric_alarm_record
    monkeypatch.setattr(provisioners, "_cw_metric_alarm_record", record)
    template = {
        "Metrics": [{"Id": "units", "MetricStat": {}}, {"Id": "idle", "Expression": "units * 2"}],
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 24,
        "Threshold": 0,
    }
    with pytest.raises(ValueError, match="metric math"):
        record("Idle", template)
    keep_alarms_on_metric_math()
    made = provisioners._cw_metric_alarm_record("Idle", template)
    assert (made["AlarmName"], made["MetricName"]) == ("Idle", "units * 2")
    assert made["StateValue"] == "INSUFFICIENT_DATA"
    with pytest.raises(ValueError, match="MetricName"):
        provisioners._cw_metric_alarm_record("Plain", {**template, "Metrics": []})


OLD, NEW = ({"ServiceToken": f"arn:aws:lambda:eu-west-1:000000000000:function:{name}"} for name in ("a", "b"))


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        ("Custom::HostedModel", OLD, NEW, "Modifying service token is not allowed."),
        ("AWS::CloudFormation::CustomResource", OLD, NEW, "Modifying service token is not allowed."),
        ("Custom::HostedModel", OLD, {**OLD, "Units": "2"}, None),
        ("AWS::SQS::Queue", OLD, NEW, None),
    ],
)
def test_a_custom_resource_keeps_its_function(
    monkeypatch: pytest.MonkeyPatch, kind: str, old: dict[str, Any], new: dict[str, Any], said: str | None
) -> None:
    from ministack.services.cloudformation import provisioners, stacks

    name = "_custom_named_replacement_error"
    for module in (provisioners, stacks):
        monkeypatch.setattr(module, name, getattr(module, name))
    refuse_another_service_token()
    assert stacks._custom_named_replacement_error(kind, old, new) == said
    if said:
        # Nothing is invoked: there is no such function.
        with pytest.raises(ValueError, match=said):
            provisioners._update_resource(kind, "id", old, new, "Stack", "Model", {})
