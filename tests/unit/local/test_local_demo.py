"""The demo's tables, checks and progress lines; its steps run in the end-to-end tests."""

import io
import re
from pathlib import Path
from typing import Any

import botocore
import pytest
from rich.console import Console

from hosted_model_local import demo
from hosted_model_local.clients import ModelView
from hosted_model_local.demo_services import SERVICES
from hosted_model_local.progress import Progress, StackEvents, digest
from hosted_model_local.simulator import Simulator, registry
from hosted_model_local.simulator.server import ThreadedServer


def model(status: str, *history: tuple[float, str], units: int | None = None) -> ModelView:
    return ModelView("lookoutvision", "boards", "1", "arn", status, units, {}, 0, 0.0, history)


class Stack:
    """Stands for a CloudFormation client."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.asked: list[str] = []

    def describe_stack_events(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        self.asked.append(StackName)
        return {"StackEvents": self.events}


def event(number: int, status: str) -> dict[str, Any]:
    return {"EventId": str(number), "StackId": "id", "LogicalResourceId": "R", "ResourceStatus": status}


def test_events_come_once_oldest_first_and_then_by_stack_id() -> None:
    stack = Stack()
    events = StackEvents(stack, "Boards")
    stack.events = [event(2, "B"), event(1, "A")]
    assert [one["ResourceStatus"] for one in events.new()] == ["A", "B"]
    assert events.new() == []
    stack.events = [event(3, "C"), *stack.events]
    assert [one["ResourceStatus"] for one in events.new()] == ["C"]
    assert stack.asked == ["Boards", "id", "id"]


def test_events_that_come_together_are_told_in_few_lines() -> None:
    def of(name: str, *statuses: str) -> list[dict[str, Any]]:
        return [event(0, one) | {"LogicalResourceId": name, "EventId": name + one} for one in statuses]

    seen = [*of("Stack", "UPDATE_IN_PROGRESS")]
    for name in "ABC":
        seen += of(name, "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
    seen += of("Model", "UPDATE_FAILED", "DELETE_IN_PROGRESS")
    seen[-2]["ResourceStatusReason"] = "Received [FAILED]. Message returned: no capacity"
    assert digest(seen) == [
        "Stack  UPDATE_IN_PROGRESS",
        "3 resources  UPDATE_COMPLETE",
        "Model  UPDATE_FAILED  no capacity",
        "Model  DELETE_IN_PROGRESS",
    ]


def test_a_pipe_gets_one_line_for_each_change() -> None:
    stack, seen = Stack(), [model("TRAINED", units=1)]
    out = Console(file=io.StringIO(), width=80)
    with Progress(out, "deploy", models=lambda: seen, events=StackEvents(stack, "Boards")) as progress:
        seen[0] = model("STARTING_HOSTING", units=1)
        progress.look()
        progress.look()
        seen[0] = model("HOSTED", units=2)
        stack.events = [event(1, "CREATE_COMPLETE")]
        progress.look()
    assert isinstance(out.file, io.StringIO)
    lines = [line.split("  ", 2)[2] for line in out.file.getvalue().splitlines()]
    assert lines == [
        "model boards/1: TRAINED -> STARTING_HOSTING, 1 unit",
        "model boards/1: STARTING_HOSTING, 1 unit -> HOSTED, 2 units",
        "CloudFormation: R  CREATE_COMPLETE",
    ]


def test_times_are_read_from_the_history() -> None:
    one = model("TRAINED", (1, "TRAINED"), (2, "HOSTED"), (5, "STOPPING_HOSTING"), (6, "TRAINED"))
    assert demo._first(one, "HOSTED") == 2
    assert demo._last_end(one, "HOSTED") == 5
    assert demo._first(one, "HOSTING_FAILED") is None
    assert demo._last_end(model("HOSTED", (1, "HOSTED")), "HOSTED") is None


def test_a_missed_expectation_is_remembered_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    checks = demo._Checks()
    checks.check("this is so", True)
    checks.check("that is so", False, "not")
    assert checks.missed == ["that is so"]
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("this is so")
    assert said[1].endswith("that is so (seen: not)")


def test_without_an_app_it_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    assert demo.run(app=tmp_path) == 1
    assert "cdk.json" in capsys.readouterr().out


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_names_its_models_to_the_sample_app(name: str) -> None:
    script = SERVICES[name]
    context = script.context(model("TRAINED"))
    assert context["service"] == name
    assert {"project", "version"} <= set(context)


def test_the_demo_has_every_service_of_the_registry() -> None:
    assert list(SERVICES) == [one.name for one in registry.SERVICES]


REASON = (
    "Lookout for Vision model circuit-boards/3 could not be hosted (HOSTING_FAILED): " + "no capacity " * 30
)
SAID = "Received response status [FAILED] from custom resource. Message returned: "


@pytest.mark.parametrize("terminal", [True, False])
def test_the_whole_reason_is_shown(terminal: bool) -> None:
    stack = Stack()
    out = Console(file=io.StringIO(), width=80, force_terminal=terminal, color_system=None)
    with Progress(
        out, "deploy", models=lambda: [model("TRAINED")], events=StackEvents(stack, "B")
    ) as progress:
        stack.events = [
            event(1, "CREATE_FAILED")
            | {"ResourceStatusReason": f"{SAID}{REASON.strip()} (RequestId: 5afa-1)"}
        ]
        progress.look()
    assert isinstance(out.file, io.StringIO)
    # The line below is drawn anew whenever it has been a while: what moves the cursor ends a line here.
    shown = re.sub(r"\r|\x1b\[[0-9;?]*[AK]", "\n", out.file.getvalue())
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    (start,) = [
        at for at, line in enumerate(shown.splitlines()) if "CloudFormation: R  CREATE_FAILED" in line
    ]
    lines = [line for line in shown.splitlines()[start:] if line]
    if terminal:
        assert max(map(len, lines)) <= 80
    else:
        assert len(lines) == 1
    assert " ".join(" ".join(lines).split()).partition("CREATE_FAILED ")[2].startswith(REASON.strip())
    assert "RequestId" not in shown


def test_a_reason_without_end_is_cut_between_words() -> None:
    (said,) = digest([event(1, "CREATE_FAILED") | {"ResourceStatusReason": "capacity " * 400}])
    assert len(said) < 1100
    assert said.endswith("capacity …")


class Cloud:
    """Stands for a cloud of which only the simulator runs."""

    ministack_url, region = "https://127.0.0.1:9", "us-east-1"
    environment = {"SSL_CERT_FILE": str(Path(botocore.__file__).with_name("cacert.pem"))}

    def __init__(self, simulator_url: str, folder: Path) -> None:
        self.simulator_url, self.state_dir = simulator_url, folder


@pytest.mark.parametrize("code", [1, 0])
def test_a_wrong_app_fails_at_the_first_step_and_says_so_once(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo.Demo, "_cdk", lambda self, arguments: code)
    monkeypatch.setattr(demo.Demo, "_expect_stack", lambda self, status: None)
    with ThreadedServer(Simulator()) as server:
        made = demo.Demo(SERVICES["lookoutvision"], Cloud(server.url, tmp_path), tmp_path, 1.0)  # type: ignore[arg-type]
        made.play()
    said = capsys.readouterr().out
    assert (made.complete, said.count("The demo ends here"), "2. " in said) == (False, 1, False)
    assert len(made.missed) == 1
