"""A provider keeps its logical IDs, whatever it is called and wherever it stands in its stack.

CloudFormation refuses to change a custom resource's ServiceToken: with other IDs no model could be updated.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnElement, Environment, NestedStack, Stack, Stage
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_scheduler as scheduler
from aws_cdk.assertions import Template
from constructs import Construct

from hosted_model import HostedModelProvider, HostingHours, LookoutVisionModel
from unit.constructs.conftest import ACCOUNT, REGION, models

Place = Callable[[App], Stack]
PLACES: dict[str, Place] = {
    "stack": lambda app: Stack(app, "S"),
    "placed": lambda app: Stack(app, "S", env=Environment(account=ACCOUNT, region=REGION)),
    "stage": lambda app: Stack(Stage(app, "Prod"), "S"),
    "nested": lambda app: NestedStack(Stack(app, "S"), "Nested"),
}
Make = Callable[[Stack], Any]
EXPLICIT: dict[str, Make] = {
    "explicit": lambda stack: HostedModelProvider(stack, "HostedModelProvider"),
    "renamed": lambda stack: HostedModelProvider(stack, "Mine"),
    "nested scope": lambda stack: HostedModelProvider(Construct(Construct(stack, "Platform"), "Ml"), "Mine"),
    "hidden name": lambda stack: HostedModelProvider(Construct(stack, "Resource"), "Default"),
    "as a child of its name": lambda stack: HostedModelProvider(
        Construct(stack, "HostedModelProvider"), "HostedModelProvider"
    ),
}


def written(tmp_path: Path, place: Place, make: Make = lambda stack: None) -> dict[str, Any]:
    """The template of a stack with hours, hence a schedule role, and with more claims than one policy has."""
    stack = place(App(outdir=str(tmp_path)))
    make(stack)
    hours = HostingHours(
        start=scheduler.ScheduleExpression.cron(hour="8", minute="0"),
        stop=scheduler.ScheduleExpression.cron(hour="18", minute="0"),
    )
    for number in range(30):
        LookoutVisionModel(
            stack,
            f"M{number}",
            project_name=f"boards-{number}",
            model_version="3",
            hosting_hours=None if number else hours,
        )
    return without_paths(Template.from_stack(stack).to_json()["Resources"])


def without_paths(resources: dict[str, Any]) -> dict[str, Any]:
    """The resources without what CDK notes of the construct's path."""
    for each in resources.values():
        each.get("Metadata", {}).pop("aws:cdk:path", None)
    return resources


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest) -> Place:
    return PLACES[request.param]


@pytest.fixture(scope="module")
def implicit(place: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return written(tmp_path_factory.mktemp("out"), place)


@pytest.mark.parametrize("make", EXPLICIT)
def test_an_explicit_provider_is_written_as_an_implicit_one(tmp_path, place, implicit, make):
    kinds = [each["Type"] for each in implicit.values()]
    assert {"AWS::IAM::ManagedPolicy", "AWS::Scheduler::Schedule"} <= set(kinds)
    assert kinds.count("AWS::IAM::Role") == 2
    assert written(tmp_path, place, EXPLICIT[make]) == implicit


def test_the_ids_are_those_of_version_0_1(stack):
    """Stacks are out there with these; 0.1 had another policy, which is deleted once this one is there."""
    LookoutVisionModel(stack, "Model", project_name="boards", model_version="3")
    assert set(Template.from_stack(stack).to_json()["Resources"]) == {
        "HostedModelProviderFunction3B82E2EC",
        "HostedModelProviderLogs83EC9BD8",
        "HostedModelProviderRelayPermissionC9476D5B",
        "HostedModelProviderRolePolicy8FD2DBFC",
        "HostedModelProviderRolePolicy2314B5D8F",
        "HostedModelProviderRoleFDD0AA94",
        "Model0301700E",
    }


def test_a_security_group_stays_too(tmp_path):
    """A change of its description would replace it, and Lambda holds on to the old one."""

    def made(name: str) -> dict[str, Any]:
        stack = Stack(Stage(App(outdir=str(tmp_path / name)), "Prod"), "S")
        HostedModelProvider(stack, name, vpc=ec2.Vpc(stack, "Vpc", max_azs=1))
        return without_paths(Template.from_stack(stack).to_json()["Resources"])

    implicit = made("HostedModelProvider")
    assert "AWS::EC2::SecurityGroup" in {each["Type"] for each in implicit.values()}
    assert made("Mine") == implicit


def test_a_stacks_own_naming_is_followed(app):
    class Prefixed(Stack):
        def _allocate_logical_id(self, cfn_element: CfnElement) -> str:
            return "My" + super()._allocate_logical_id(cfn_element)

    stack = Prefixed(app, "S")
    stack.rename_logical_id("MyHostedModelProviderRoleFDD0AA94", "TheRole")
    HostedModelProvider(stack, "Mine")
    found = set(Template.from_stack(stack).to_json()["Resources"])
    assert {"MyHostedModelProviderFunction3B82E2EC", "TheRole"} <= found


def test_the_models_keep_their_own(stack):
    HostedModelProvider(stack, "Mine")
    LookoutVisionModel(stack, "Model", project_name="boards", model_version="3")
    assert list(models(stack)) == ["Model0301700E"]
