"""A service that is known from outside alone is synthesised, hosted, measured, listed and stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from hosted_model import HostedModelProvider
from hosted_model.grants import SERVICES as GRANTS
from hosted_model_cli.services import REGISTRY
from hosted_model_local.simulator.registry import SERVICES as SIMULATED
from hosted_model_runtime.contract import Tag
from hosted_model_runtime.services import ADAPTERS
from support import toy
from support.cases import CASES, PROJECT
from support.cloudformation import Stack as StackInWorld
from support.cloudformation import play
from support.models import model, seed
from support.world import World
from unit.cli.conftest import Command, command, lease  # noqa: F401
from unit.constructs.conftest import statements


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    yield from toy.register(monkeypatch, tmp_path / "models")


@pytest.fixture
def world(registered: None, virtual_time: None) -> Iterator[World]:
    made = World(latency=0.02)
    yield made
    made.discard()


@pytest.fixture
def user(
    registered: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> Command:
    """The command, whose own fixture takes the description of the toy's API away."""
    found: Command = request.getfixturevalue("command")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))
    return found


def test_every_registry_has_the_same_services() -> None:
    """A service that is left out of one is refused there, or seen by nobody, and only in use."""
    stack = Stack(App(), "S")
    granted = {row(stack).service for row in GRANTS}
    simulated = {kind.name for kind in SIMULATED}
    assert set(ADAPTERS) == granted == set(REGISTRY) == simulated == set(CASES)


@pytest.mark.parametrize("declared", [True, False])
def test_its_models_can_be_stopped_as_long_as_there_is_a_provider(tmp_path: Path, declared: bool) -> None:
    stack = Stack(App(outdir=str(tmp_path / "cdk.out")), "S")
    HostedModelProvider(stack, "Provider")
    if declared:
        toy.ToyModel(stack, "Bear", box="box", toy="bear")
    template = Template.from_stack(stack).to_json()
    said = statements(template)
    assert said["ToyStop"]["Action"] == ["toy:Halt", "toy:Tag", "toy:Untag"]
    assert f"aws:ResourceTag/{Tag.STACK}" in said["ToyStop"]["Condition"]["StringEquals"]
    assert ("ToyStart" in said, "ToyClaim" in said) == (declared, declared)
    made = [one for one in template["Resources"].values() if one["Type"] == "Custom::HostedModel"]
    members = [one["Properties"]["Model"] for one in made]
    assert members == ([{"Box": "box", "Toy": "bear"}] if declared else [])


def test_the_function_hosts_measures_and_stops_it(world: World) -> None:
    """Under its role's policy, through the simulator, from the handler to the wire."""
    seed(world, toy.CASE, start_seconds=300)
    stack = StackInWorld(world, toy.CASE)
    play(world, stack.create(toy.CASE.properties("1", units=2)))
    assert stack.status == "CREATE_COMPLETE"
    assert stack.physical_id == f"toy/{PROJECT}/1"
    hosted = model(world, toy.CASE)
    assert (hosted["status"], hosted["starts"], hosted["min_inference_units"]) == ("DANCING", 1, 2)
    assert hosted["tags"][Tag.STACK] == stack.id
    world.run(seconds=3600)
    play(world, stack.delete())
    world.run(seconds=5)
    assert stack.status == "DELETED"
    stopped = model(world, toy.CASE)
    assert (stopped["status"], stopped["stops"]) == ("STILL", 1)
    assert Tag.STACK not in stopped["tags"]
    lines = [json.loads(line) for line in world.metrics]
    assert [_measured(line) for line in lines] == ["TimeToHosted", "HostingSeconds"]
    assert {(line["Service"], line["Project"], line["Version"]) for line in lines} == {("toy", PROJECT, "1")}


def _measured(line: dict[str, Any]) -> str:
    (metric,) = line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    return str(metric["Name"])


def test_a_toy_of_another_stack_is_left_alone(world: World) -> None:
    seed(world, toy.CASE, status="DANCING", tags=lease(f"toy/{PROJECT}/1"))
    stack = StackInWorld(world, toy.CASE)
    play(world, stack.create(toy.CASE.properties("1")))
    assert stack.status == "ROLLBACK_COMPLETE"
    found = model(world, toy.CASE)
    assert (found["starts"], found["stops"], found["status"]) == (0, 0, "DANCING")


def test_the_command_lists_and_stops_it(user: Command) -> None:
    arn = user.model("box/bear", service="toy", min_inference_units=2)
    user.stack(physical_id="toy/box/bear")
    listed = user("ls")
    assert (listed.exit_code, listed.stderr) == (0, "")
    assert "box/bear" in listed.stdout
    assert "2 inference units in service, 1.00 USD an hour" in listed.stdout
    stopped = user("stop", "--yes", arn)
    assert stopped.exit_code == 0, stopped.output
    assert user.found(arn)["status"] == "STILL"
