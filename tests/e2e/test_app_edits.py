"""Ordinary edits of an app, by the real cdk command: what runs is what the app declares, and nothing is left.

CloudFormation applies the new policy first and deletes what is no longer declared last. `cdk deploy` ends
well although such a Delete failed: that is seen in the stack's events alone.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import CustomResource, Stack
from aws_cdk import aws_lambda as lambda_
from support_apps import Fill, lookoutvision, rekognition, together
from support_stage import Stage

from hosted_model import HostedModelProvider

pytestmark = pytest.mark.e2e

#: A model as these tests tell them apart: service, project and version.
Name = tuple[str, str, str]
Deploy = Callable[[str, Fill], int]


@pytest.fixture
def deploy(stage: Stage, synth) -> Deploy:
    """Run `cdk deploy` of one stack."""
    return lambda stack, fill: stage.deploy(synth({stack: fill}))


def vision(project: str) -> Name:
    return ("lookoutvision", project, "1")


def labels(project: str) -> Name:
    return ("rekognition", project, "v1")


def seed(stage: Stage, *names: Name) -> None:
    for service, project, version in names:
        stage.seed(project, version, service=service)


def by_arn(stage: Stage, seeded: Name, **more: str) -> Fill:
    """A Rekognition model of the app."""
    service, project, version = seeded
    return rekognition(stage.model(project, version, service).arn, **more)


def explicit(fill: Fill, name: str = "Provider", **properties: int) -> Fill:
    """The same, with a provider that the app makes."""

    def fill_and_shape(stack: Stack) -> None:
        HostedModelProvider(stack, name, **properties)
        fill(stack)

    return fill_and_shape


def nothing(stack: Stack) -> None:
    """A stack without a model."""


def broken(fill: Fill) -> Fill:
    """The same, and a resource that fails once all others are made."""

    def fill_and_break(stack: Stack) -> None:
        fill(stack)
        function = lambda_.Function(
            stack,
            "Fails",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline(_FAILS),
        )
        neighbour = CustomResource(stack, "Neighbour", service_token=function.function_arn)
        neighbour.node.add_dependency(*(each for each in stack.node.children if each.node.id == "NewName"))

    return fill_and_break


_FAILS = """
import json, urllib.request
def handler(event, context):
    failed = event["RequestType"] == "Create"
    answer = {
        "Status": "FAILED" if failed else "SUCCESS", "Reason": "the neighbour fails",
        "PhysicalResourceId": "neighbour", "StackId": event["StackId"],
        "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
    }
    urllib.request.urlopen(urllib.request.Request(
        event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT"))
"""


def assert_hosted(stage: Stage, name: Name, stack: str) -> None:
    """Check that the model runs, that it was started once and never stopped, and that the stack owns it."""
    service, project, version = name
    model = stage.model(project, version, service)
    seen = [status for _, status in model.history]
    assert model.status in ("HOSTED", "RUNNING")
    assert (model.starts, [status for status in seen if "STOP" in status]) == (1, [])
    assert f":stack/{stack}/" in model.tags["hosted-model:stack"]


def assert_gone(stage: Stage, name: Name) -> None:
    """Check that the model is stopped after its one start, and that nobody owns it."""
    service, project, version = name
    stage.assert_gone(project, version, service=service, starts=1)


def assert_clean(stage: Stage, stack: str) -> None:
    """Check that no deletion failed, and that no rule of the relay is left."""
    events = stage.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    failed = [
        (one["LogicalResourceId"], one.get("ResourceStatusReason"))
        for one in events
        if one["ResourceStatus"] == "DELETE_FAILED"
    ]
    assert failed == []
    assert stage.rules() == []


def destroy(stage: Stage, synth, stack: str) -> None:
    """Destroy the stack, and check that nothing failed."""
    identity = stage.stack(stack)["StackId"]
    assert stage.destroy(synth({stack: nothing})) == 0
    assert_clean(stage, identity)


def test_the_only_model_of_a_service_is_removed(stage: Stage, synth, deploy: Deploy) -> None:
    kept, removed = vision("edit-a"), labels("edit-a")
    seed(stage, kept, removed)
    keeps = lookoutvision("edit-a", name="Vision")
    assert deploy("EditA", together(keeps, by_arn(stage, removed, name="Labels"))) == 0
    assert_hosted(stage, removed, "EditA")

    assert deploy("EditA", keeps) == 0
    assert_gone(stage, removed)
    assert_hosted(stage, kept, "EditA")
    assert_clean(stage, "EditA")

    destroy(stage, synth, "EditA")
    assert_gone(stage, kept)


@pytest.mark.parametrize("service", ["lookoutvision", "rekognition"])
def test_the_only_model_is_removed_and_the_provider_stays(
    stage: Stage, synth, deploy: Deploy, service: str
) -> None:
    name = vision("edit-b") if service == "lookoutvision" else labels("edit-b")
    stack = f"EditB{service}"
    seed(stage, name)
    declares = lookoutvision("edit-b") if service == "lookoutvision" else by_arn(stage, name)
    assert deploy(stack, explicit(declares)) == 0
    assert_hosted(stage, name, stack)

    assert deploy(stack, explicit(nothing)) == 0
    assert_gone(stage, name)
    assert_clean(stage, stack)

    destroy(stage, synth, stack)
    assert_gone(stage, name)


@pytest.mark.parametrize("first", ["lookoutvision", "rekognition"])
def test_a_construct_becomes_another_services(stage: Stage, synth, deploy: Deploy, first: str) -> None:
    stack = f"EditC{first}"
    old, new = vision(stack), labels(stack)
    seed(stage, old, new)
    declares = [(old, lookoutvision(stack)), (new, by_arn(stage, new))]
    (before, declared_before), (after, declared_after) = declares if first == old[0] else declares[::-1]
    assert deploy(stack, declared_before) == 0
    assert_hosted(stage, before, stack)

    assert deploy(stack, declared_after) == 0
    assert_gone(stage, before)
    assert_hosted(stage, after, stack)
    assert_clean(stage, stack)

    destroy(stage, synth, stack)
    assert_gone(stage, after)


def test_a_construct_is_renamed(stage: Stage, synth, deploy: Deploy) -> None:
    names = vision("edit-rename"), labels("edit-rename")
    seed(stage, *names)

    def app(suffix: str) -> Fill:
        return together(
            lookoutvision("edit-rename", name=f"Vision{suffix}"),
            by_arn(stage, names[1], name=f"Labels{suffix}"),
        )

    assert deploy("EditRename", app("")) == 0
    assert deploy("EditRename", app("Renamed")) == 0
    for name in names:
        assert_hosted(stage, name, "EditRename")
    assert_clean(stage, "EditRename")

    destroy(stage, synth, "EditRename")
    for name in names:
        assert_gone(stage, name)


def test_a_rename_is_rolled_back(stage: Stage, synth, deploy: Deploy) -> None:
    """CloudFormation deletes the new name then, and tells the old one nothing: it is declared again."""
    name = vision("edit-undone")
    seed(stage, name)
    assert deploy("EditUndone", lookoutvision("edit-undone", name="OldName")) == 0
    before = stage.model("edit-undone").tags

    assert deploy("EditUndone", broken(lookoutvision("edit-undone", name="NewName"))) != 0
    assert stage.status("EditUndone") == "UPDATE_ROLLBACK_COMPLETE"
    assert "the neighbour fails" in stage.reasons("EditUndone")
    assert_hosted(stage, name, "EditUndone")
    owner = "hosted-model:logical-id"
    assert stage.model("edit-undone").tags[owner] == before[owner]
    assert_clean(stage, "EditUndone")

    # The old name commands it still: a change of it reaches the model.
    assert deploy("EditUndone", lookoutvision("edit-undone", units=2, name="OldName")) == 0
    resized = stage.model("edit-undone")
    assert (resized.status, resized.units, resized.starts) == ("HOSTED", 2, 2)
    destroy(stage, synth, "EditUndone")
    stage.assert_gone("edit-undone", starts=2)


def test_a_provider_is_made_explicit_later_and_renamed(stage: Stage, synth, deploy: Deploy) -> None:
    name = vision("edit-explicit")
    seed(stage, name)
    declares = lookoutvision("edit-explicit")
    assert deploy("EditExplicit", declares) == 0
    function, role = stage.function_name("EditExplicit"), stage.role_name("EditExplicit")

    for provider in ("Provider", "Renamed"):
        assert deploy("EditExplicit", explicit(declares, provider, memory_size=192)) == 0
        assert (stage.function_name("EditExplicit"), stage.role_name("EditExplicit")) == (function, role)
        assert_hosted(stage, name, "EditExplicit")
        assert_clean(stage, "EditExplicit")

    # Its function still commands the model.
    assert deploy("EditExplicit", explicit(lookoutvision("edit-explicit", units=2))) == 0
    resized = stage.model("edit-explicit")
    assert (resized.status, resized.units, resized.starts) == ("HOSTED", 2, 2)
    destroy(stage, synth, "EditExplicit")
    stage.assert_gone("edit-explicit", starts=2)
