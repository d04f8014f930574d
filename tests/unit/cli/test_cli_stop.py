"""`hosted-model stop`: asks, refuses, stops, and leaves the right tags."""

from __future__ import annotations

import io
from typing import Any

import pytest
import typer

from hosted_model_cli import stopping
from hosted_model_cli.aws import Cloud
from hosted_model_cli.models import target
from hosted_model_runtime.contract import RESOURCE_TYPE, Tag
from unit.cli.conftest import LOGICAL_ID, STACK_ID, Command, lease

CLOSED = {Tag.CLOSED: "20261123T000000Z/id/resource/stack"}


@pytest.mark.parametrize(
    ("service", "name", "running", "stopped"),
    [
        ("lookoutvision", "boards/1", "HOSTED", "TRAINED"),
        ("lookoutvision", "boards/1", "HOSTING_FAILED", "TRAINED"),
        ("rekognition", "boards/v1", "RUNNING", "STOPPED"),
    ],
)
def test_what_no_stack_declares_is_stopped(
    command: Command, service: str, name: str, running: str, stopped: str
) -> None:
    tags = {**lease(), **CLOSED, "team": "vision"}
    arn = command.model(name, service=service, status=running, tags=tags)
    result = command("stop", "--yes", arn)
    assert result.exit_code == 0, result.output
    found = command.found(arn)
    assert (found["status"], found["stops"]) == (stopped, 1)
    assert found["tags"] == {**CLOSED, "team": "vision"}, "the owner is gone"
    assert f"is {stopped}: it is not billed" in result.stdout
    assert running in result.stderr, "progress"


@pytest.mark.parametrize("status", ["DELETE_FAILED", "DELETE_COMPLETE"])
def test_what_a_stack_gave_up_is_stopped_without_force(command: Command, status: str) -> None:
    command.stack(resources={LOGICAL_ID: (RESOURCE_TYPE, "lookoutvision/boards/1", status)})
    arn = command.model(tags=lease())
    assert command("stop", "--yes", arn).exit_code == 0
    assert (command.found(arn)["status"], command.found(arn)["tags"]) == ("TRAINED", {})


def test_a_model_whose_create_is_not_listed_yet_is_refused(command: Command) -> None:
    del command.stack(status="CREATE_IN_PROGRESS").resources[LOGICAL_ID]
    arn = command.model(tags=lease())
    assert command("stop", "--yes", arn).exit_code == 4
    assert command.found(arn)["status"] == "HOSTED"


def test_a_declared_model_is_refused(command: Command) -> None:
    command.stack()
    arn = command.model(tags=lease())
    result = command("stop", "--yes", arn)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "of stack Inspection declares boards/1" in result.stderr
    assert command.found(arn)["status"] == "HOSTED"


def test_force_stops_a_declared_model_and_leaves_its_lease(command: Command) -> None:
    command.stack()
    tags = lease()
    arn = command.model(tags=tags)
    assert command("stop", "--yes", "--force", arn).exit_code == 0
    assert (command.found(arn)["status"], command.found(arn)["tags"]) == ("TRAINED", tags)


def test_what_is_not_known_is_refused(command: Command) -> None:
    command.stack()
    arn = command.model(tags=lease())
    command.aws.denied.add("cloudformation:ListStackResources")
    assert command("stop", "--yes", arn).exit_code == 4
    assert command.found(arn)["status"] == "HOSTED"
    assert command("stop", "--yes", "--force", arn).exit_code == 0
    assert command.found(arn)["tags"][Tag.STACK] == STACK_ID, "it may be declared"


def test_without_a_terminal_it_wants_yes(command: Command) -> None:
    arn = command.model()
    result = command("stop", arn, input="y\n")
    assert result.exit_code == 4
    assert "--yes" in result.stderr
    assert command.found(arn)["status"] == "HOSTED"


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("agrees", "code", "status"), [(True, 0, "TRAINED"), (False, 4, "HOSTED")])
def test_it_asks(
    command: Command, monkeypatch: pytest.MonkeyPatch, agrees: bool, code: int, status: str
) -> None:
    arn, asked = command.model(), []
    monkeypatch.setattr("sys.stdin", Terminal())

    def confirm(text: str) -> bool:
        asked.append(text)
        return agrees

    assert stop(arn, confirm) == code
    assert asked == ["Lookout for Vision model boards/1 in us-east-1 is HOSTED with 1 unit. Stop it?"]
    assert command.found(arn)["status"] == status


@pytest.mark.parametrize("interrupted", [True, False])
def test_no_answer_is_no(command: Command, monkeypatch: pytest.MonkeyPatch, interrupted: bool) -> None:
    """Typer makes one error of Ctrl-C and of Ctrl-D."""
    arn = command.model()
    monkeypatch.setattr("sys.stdin", Terminal())

    def confirm(_: str) -> bool:
        try:
            raise KeyboardInterrupt if interrupted else EOFError
        except (KeyboardInterrupt, EOFError):
            raise typer.Abort from None

    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            stop(arn, confirm)
    else:
        assert stop(arn, confirm) == 4
    assert command.found(arn)["status"] == "HOSTED"


def stop(arn: str, confirm: Any, **options: Any) -> int:
    given = {"force": False, "yes": False, "timeout": 60, **options}
    return stopping.stop(Cloud(), target(arn), confirm=confirm, **given)


def test_a_stack_that_comes_while_somebody_thinks(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = command.model()
    monkeypatch.setattr("sys.stdin", Terminal())

    def confirm(_: str) -> bool:
        command.stack()
        command.model(tags=lease())
        return True

    assert stop(arn, confirm) == 4
    assert command.found(arn)["status"] == "HOSTED"


def test_a_stack_that_comes_while_it_stops_keeps_its_tags(command: Command) -> None:
    arn = command.model(tags=lease(), stop_seconds=3600)
    tags = lease(stack_id=STACK_ID.replace("Inspection", "Other"))
    looks = iter(range(100))

    class Meanwhile(Cloud):
        def wait(self, seconds: float) -> None:
            if next(looks) == 2:
                command.model(status="TRAINED", tags=tags)

    options = {"force": False, "yes": True, "timeout": 60, "confirm": lambda _: True}
    assert stopping.stop(Meanwhile(), target(arn), **options) == 0
    assert command.found(arn)["tags"] == tags


def test_one_that_starts_is_stopped_when_it_can_be(command: Command) -> None:
    arn = command.model(status="STARTING_HOSTING", start_seconds=0.5)
    assert command("stop", "--yes", arn).exit_code == 0
    found = command.found(arn)
    assert (found["status"], found["stops"]) == ("TRAINED", 1)


def test_one_that_is_stopped_already(command: Command) -> None:
    arn = command.model(status="TRAINED", tags=lease())
    assert command("stop", "--yes", arn).exit_code == 0
    assert (command.found(arn)["stops"], command.found(arn)["tags"]) == (0, {})


def test_one_that_does_not_stop_in_time(command: Command) -> None:
    arn = command.model(tags=lease(), stop_seconds=3600)
    result = command("stop", "--yes", arn, "--timeout", "0")
    assert result.exit_code == 1
    assert "it may bill" in result.stderr
    assert command.found(arn)["tags"] != {}


def test_one_that_is_not_there(command: Command) -> None:
    result = command("stop", "--yes", "arn:aws:lookoutvision:us-east-1:000000000000:model/none/1")
    assert result.exit_code == 1
    assert "does not exist" in result.stderr


def test_what_the_service_refuses(command: Command) -> None:
    arn = command.model()
    command.control("POST", "faults", {"operation": "StopModel", "error": "AccessDeniedException"})
    result = command("stop", "--yes", arn)
    assert result.exit_code == 1
    assert "lookoutvision:StopModel: AccessDeniedException" in result.stderr


@pytest.mark.parametrize(
    ("status", "said"),
    [("HOSTED", "the stop goes on"), ("STARTING_HOSTING", "no stop is under way")],
)
def test_an_interrupted_stop_says_what_goes_on(
    command: Command, monkeypatch: pytest.MonkeyPatch, status: str, said: str
) -> None:
    arn = command.model(status=status, start_seconds=3600, stop_seconds=3600)

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Cloud, "wait", interrupt)
    result = command("stop", "--yes", arn)
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-2:] == [
        f"error: interrupted: {said}, and the tags stay; look again with",
        f"  hosted-model show {arn}",
    ]
