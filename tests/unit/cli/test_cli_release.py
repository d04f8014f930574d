"""`hosted-model release`: removes the lease of what no stack declares, and of nothing else."""

from __future__ import annotations

import pytest

from hosted_model_cli import releasing
from hosted_model_cli.aws import Cloud
from hosted_model_cli.models import target
from hosted_model_runtime.contract import RESOURCE_TYPE, Tag
from unit.cli.conftest import LOGICAL_ID, Command, lease
from unit.cli.test_cli_stop import CLOSED, Terminal


@pytest.mark.parametrize(("service", "status"), [("lookoutvision", "TRAINED"), ("rekognition", "RUNNING")])
def test_what_no_stack_declares_is_let_go_as_it_is(command: Command, service: str, status: str) -> None:
    arn = command.model("labels/1", service=service, status=status, tags={**lease(), **CLOSED, "team": "x"})
    result = command("release", "--yes", arn)
    assert result.exit_code == 0, result.output
    assert (command.found(arn)["status"], command.found(arn)["tags"]) == (status, {**CLOSED, "team": "x"})
    assert result.stdout.startswith(f"removed {Tag.LOGICAL_ID}, {Tag.REQUEST}, {Tag.STACK} of ")


@pytest.mark.parametrize(
    ("stack", "resource", "why"),
    [
        ("CREATE_COMPLETE", "CREATE_COMPLETE", "declares boards/1"),
        ("UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "declares boards/1"),
        ("DELETE_IN_PROGRESS", "CREATE_COMPLETE", "its stack is being deleted"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "DELETE_IN_PROGRESS", "its stack is removing it"),
        ("DELETE_FAILED", "DELETE_FAILED", "without its lease it would run on"),
    ],
)
def test_what_has_an_owner_is_refused(command: Command, stack: str, resource: str, why: str) -> None:
    command.stack(status=stack, resources={LOGICAL_ID: (RESOURCE_TYPE, "lookoutvision/boards/1", resource)})
    arn = command.model(tags=lease())
    result = command("release", "--yes", arn)
    assert result.exit_code == 4
    assert why in result.stderr
    assert Tag.STACK in command.found(arn)["tags"]


@pytest.mark.parametrize("resource", ["DELETE_FAILED", "DELETE_SKIPPED"])
def test_what_a_stack_left_behind_is_let_go(command: Command, resource: str) -> None:
    command.stack(resources={LOGICAL_ID: (RESOURCE_TYPE, "lookoutvision/boards/1", resource)})
    arn = command.model(tags=lease())
    assert command("release", "--yes", arn).exit_code == 0
    assert command.found(arn)["tags"] == {}


def test_what_is_not_known_is_refused(command: Command) -> None:
    command.stack()
    arn = command.model(tags=lease())
    command.aws.denied.add("cloudformation:DescribeStacks")
    assert command("release", "--yes", arn).exit_code == 4


def test_a_model_without_a_lease(command: Command) -> None:
    arn = command.model(tags=CLOSED)
    assert (command("release", "--yes", arn).exit_code, command.found(arn)["tags"]) == (0, CLOSED)
    assert command("release", "--yes", arn.replace("boards", "none")).exit_code == 1


def test_it_asks(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    arn, asked = command.model(tags=lease()), []
    assert command("release", arn).exit_code == 4, "no terminal"
    monkeypatch.setattr("sys.stdin", Terminal())

    def no(question: str) -> bool:
        asked.append(question)
        return False

    assert releasing.release(Cloud(), target(arn), yes=False, confirm=no) == 4
    assert "is HOSTED, and goes on so without an owner: `hosted-model stop` stops it. Remove" in asked[0]
    assert Tag.STACK in command.found(arn)["tags"]


def test_a_stack_that_comes_while_somebody_thinks(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = command.model(tags=lease())
    monkeypatch.setattr("sys.stdin", Terminal())
    assert releasing.release(Cloud(), target(arn), yes=False, confirm=lambda _: bool(command.stack())) == 4
    assert Tag.STACK in command.found(arn)["tags"]
