"""crhelper at the edge: what becomes of a request that this code does not understand."""

from __future__ import annotations

from typing import Any

import pytest

from hosted_model_runtime import index
from hosted_model_runtime.cloudformation.crhelper_resource import Invocation
from hosted_model_runtime.decisions.ends import Done, Failed
from unit.runtime.fakes import ISSUED, Clock, Relay

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/1"


@pytest.mark.parametrize(
    ("kind", "physical_id", "end"),
    [
        ("Create", None, Failed),
        # What newer code has started, older code that a rollback brings back does not know.
        ("Delete", "newer/shop", Failed),
        ("Delete", "hosted-model/Model", Done),
        ("Delete", "Mine-Model-1A2B3C4D5E6F", Done),
    ],
)
def test_a_service_that_it_does_not_know(kind: str, physical_id: str | None, end: type[Any]) -> None:
    event = {
        "RequestType": kind,
        "RequestId": "request-1",
        "StackId": STACK,
        "LogicalResourceId": "Model",
        "ResponseURL": "https://answers.example/a?X-Amz-Date=20260304T050607Z",
        "PhysicalResourceId": physical_id,
        "ResourceProperties": {"Service": "newer", "Model": {"Name": "shop"}, "MinInferenceUnits": "1"},
    }
    clock = Clock(ISSUED, 900)
    outcome = index.helper._handle(event, Invocation(clock, Relay(clock)))
    assert isinstance(outcome.end, end)
    if end is Failed:
        assert "Property Service must be one of" in outcome.end.reason
