"""`hosted-model watch`: an operation from its beginning to its end, whenever somebody begins to watch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from hosted_model_cli import watching
from hosted_model_cli.aws import Cloud
from hosted_model_cli.commands import app
from hosted_model_runtime.contract import RESOURCE_TYPE
from support.aws_wire import Stack
from unit.cli.conftest import LOGICAL_ID, REGION, STACK_ID, Command, lease

STACK = "AWS::CloudFormation::Stack"
#: CloudFormation's clock and the watcher's, in seconds.
NOW = [0]
Step = Callable[[Stack], Any]


def event(status: str, *, kind: str = STACK, reason: str = "") -> Step:
    """CloudFormation tells of a change; of the stack's own status, it has it from now on."""
    name, physical = ("Inspection", STACK_ID) if kind == STACK else (LOGICAL_ID, "")

    def happen(stack: Stack) -> None:
        if kind == STACK:
            stack.status = status
        stack.events.insert(
            0,
            {
                "StackId": STACK_ID,
                "StackName": "Inspection",
                "EventId": f"event-{len(stack.events)}",
                "LogicalResourceId": name,
                "PhysicalResourceId": physical,
                "ResourceType": kind,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
                "Timestamp": f"2026-11-23T08:{NOW[0] // 60:02}:{NOW[0] % 60:02}Z",
            },
        )

    return happen


def model(status: str, **more: str) -> Step:
    return lambda stack: event(status, kind=RESOURCE_TYPE, **more)(stack)


@pytest.fixture
def play(command: Command, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Watch while one step after the other happens, one for each look; time passes with each."""
    NOW[0] = 0

    def run(stack: Stack, *steps: Step, timeout: int = 600) -> Any:
        rest = iter(steps)

        def wait(self: Cloud, seconds: float) -> None:
            NOW[0] += 5
            next(rest, lambda _: None)(stack)

        monkeypatch.setattr(Cloud, "wait", wait)
        monkeypatch.setitem(watching.watch.__kwdefaults__, "clock", lambda: NOW[0])
        return CliRunner().invoke(app, ["watch", "Inspection", "--timeout", str(timeout)])

    return run


def told(result: Any) -> list[str]:
    """What was told, without the times."""
    return [line.split("  ", 1)[1] for line in result.stdout.splitlines()]


def test_a_deploy_from_start_to_end(command: Command, play: Callable[..., Any]) -> None:
    stack = command.stack(status="UPDATE_COMPLETE")
    event("UPDATE_COMPLETE")(stack)

    def hosting(status: str) -> Step:
        return lambda _: command.model(status=status, tags=lease(), start_seconds=3600)

    result = play(
        stack,
        event("UPDATE_IN_PROGRESS"),
        model("UPDATE_IN_PROGRESS"),
        hosting("STARTING_HOSTING"),
        hosting("HOSTED"),
        model("UPDATE_COMPLETE"),
        event("UPDATE_COMPLETE"),
    )
    assert result.exit_code == 0, result.output
    assert told(result) == [
        f"waiting for an operation of Inspection in {REGION}",
        "Inspection  UPDATE_IN_PROGRESS",
        f"{LOGICAL_ID}  UPDATE_IN_PROGRESS",
        "model boards/1  STARTING_HOSTING, 1 unit",
        "model boards/1  HOSTED, 1 unit (STARTING_HOSTING, 1 unit for at least 5 s)",
        f"{LOGICAL_ID}  UPDATE_COMPLETE",
        "Inspection  UPDATE_COMPLETE",
        "Inspection  UPDATE_COMPLETE after 25 s",
    ]


def test_a_deploy_that_runs_already(command: Command, play: Callable[..., Any]) -> None:
    stack = command.stack()
    for step in (event("CREATE_COMPLETE"), event("UPDATE_IN_PROGRESS"), model("UPDATE_IN_PROGRESS")):
        step(stack)
    result = play(stack, event("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), event("UPDATE_COMPLETE"))
    assert result.exit_code == 0
    assert told(result)[:2] == ["Inspection  UPDATE_IN_PROGRESS", f"{LOGICAL_ID}  UPDATE_IN_PROGRESS"]
    assert "CREATE_COMPLETE" not in result.stdout, "of an earlier operation"


def test_it_counts_from_the_operations_beginning(command: Command, play: Callable[..., Any]) -> None:
    stack = command.stack()
    event("UPDATE_IN_PROGRESS")(stack)
    NOW[0] = 600
    result = play(stack, lambda _: None, event("UPDATE_COMPLETE"))
    assert told(result)[-1] == "Inspection  UPDATE_COMPLETE after 10:10"


def test_on_a_terminal_a_failures_reason_stays(
    command: Command, play: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "100")
    failed = model("CREATE_FAILED", reason="Received [FAILED]. Message returned: no capacity")
    later = [model("DELETE_IN_PROGRESS")] * 20
    ended = event("ROLLBACK_COMPLETE")
    result = play(command.stack(), event("CREATE_IN_PROGRESS"), failed, *later, ended)
    assert result.exit_code == 1
    tail = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", result.stdout)
    # Printed once, above what is drawn anew again and again.
    assert tail.count("no capacity") == 1
    assert "Inspection  ROLLBACK_COMPLETE after" in tail


@pytest.mark.parametrize(
    "steps",
    [
        (event("CREATE_IN_PROGRESS"), event("ROLLBACK_IN_PROGRESS"), event("ROLLBACK_COMPLETE")),
        (event("UPDATE_IN_PROGRESS"), event("UPDATE_ROLLBACK_COMPLETE")),
        (event("UPDATE_IN_PROGRESS"), event("UPDATE_ROLLBACK_FAILED")),
        (event("DELETE_IN_PROGRESS"), event("DELETE_FAILED")),
    ],
)
def test_what_ends_badly_is_1(command: Command, play: Callable[..., Any], steps: tuple[Step, ...]) -> None:
    failed = model("CREATE_FAILED", reason="Received [FAILED]. Message returned: no capacity")
    result = play(command.stack(status="REVIEW_IN_PROGRESS"), *steps[:-1], failed, steps[-1])
    assert result.exit_code == 1
    assert f"{LOGICAL_ID}  CREATE_FAILED  no capacity" in told(result)


def test_a_deletion_that_ends_well(command: Command, play: Callable[..., Any]) -> None:
    stack = command.stack()

    def gone(stack: Stack) -> None:
        command.aws.stacks.remove(stack)

    assert play(stack, event("DELETE_IN_PROGRESS"), gone).exit_code == 0


def test_an_operation_between_two_looks(command: Command, play: Callable[..., Any]) -> None:
    stack = command.stack(status="CREATE_COMPLETE")

    def all_at_once(stack: Stack) -> None:
        for step in (event("UPDATE_IN_PROGRESS"), event("UPDATE_COMPLETE")):
            step(stack)

    result = play(stack, all_at_once)
    assert (result.exit_code, told(result)[-1]) == (0, "Inspection  UPDATE_COMPLETE after 0 s")


def test_a_stack_that_is_not_there_yet(command: Command, play: Callable[..., Any]) -> None:
    stack = Stack(STACK_ID)

    def made(stack: Stack) -> None:
        command.aws.stacks.append(stack)
        event("CREATE_IN_PROGRESS")(stack)

    result = play(stack, lambda _: None, made, event("CREATE_COMPLETE"))
    assert result.exit_code == 0
    waits = f"waiting for an operation of Inspection in {REGION}: there is no such stack yet"
    assert told(result)[0] == waits


def test_a_stack_that_never_comes(command: Command, play: Callable[..., Any]) -> None:
    result = play(Stack(STACK_ID), timeout=60)
    assert result.exit_code == 1
    assert "began within 1:00: there is no such stack" in result.stderr


def test_no_operation_in_time(command: Command, play: Callable[..., Any]) -> None:
    result = play(command.stack(), timeout=60)
    assert result.exit_code == 1
    assert "no operation of Inspection in us-east-1 began within 1:00" in result.stderr


def test_other_stacks_models_are_not_shown(command: Command, play: Callable[..., Any]) -> None:
    command.model(tags=lease(stack_id=STACK_ID.replace("Inspection", "Other")))
    command.model("nobody/1")
    result = play(command.stack(), event("UPDATE_IN_PROGRESS"), lambda _: None, event("UPDATE_COMPLETE"))
    assert (result.exit_code, "model " in result.stdout) == (0, False)


def test_models_that_may_not_be_asked_are_a_warning(command: Command, play: Callable[..., Any]) -> None:
    fault = {"operation": "ListProjects", "error": "AccessDeniedException", "times": 99}
    command.control("POST", "faults", fault)
    result = play(
        command.stack(), event("UPDATE_IN_PROGRESS"), *[lambda _: None] * 9, event("UPDATE_COMPLETE")
    )
    assert result.exit_code == 0
    assert result.stderr.count("AccessDeniedException") == 1, "once"


def test_a_service_that_the_region_lacks_is_no_warning(
    command: Command, play: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cloud, "lacks", lambda self, region, service, error: service == "lookoutvision")
    fault = {"operation": "ListProjects", "error": "AccessDeniedException", "times": 99}
    command.control("POST", "faults", fault)
    steps = [event("UPDATE_IN_PROGRESS"), *[lambda _: None] * 9, event("UPDATE_COMPLETE")]
    result = play(command.stack(), *steps)
    assert (result.exit_code, result.stderr) == (0, "")


def test_ctrl_c(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    command.stack(status="UPDATE_IN_PROGRESS")

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Cloud, "wait", interrupt)
    assert command("watch", "Inspection").exit_code == 130
