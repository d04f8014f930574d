"""docs/cli.md says what the command does: its policies, options, exit codes, reasons and JSON members."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import typer
from aws_cdk import App
from aws_cdk import Stack as CdkStack

from hosted_model import HostingHours, RekognitionCustomLabelsModel
from hosted_model_cli import commands, differing, exits, lease_view, listing, owners
from hosted_model_cli.aws import Cloud
from hosted_model_runtime.contract import RESOURCE_TYPE, Tag
from hosted_model_runtime.decisions.marks import State
from support.aws_wire import Stack
from unit.cli.conftest import STACK_ID, Command, lease, with_hours
from unit.cli.test_cli_estimate import HERE, VERSION, at, boards, estimated
from unit.cli.test_cli_show import equipped
from unit.cli.test_cli_wake import function
from unit.docs.pages import blocks, code, rows

PAGE = "docs/cli.md"
ONE_OF_EACH = (("boards/1", "lookoutvision"), ("labels/v1", "rekognition"), ("shop/top-picks", "personalize"))


def policies() -> list[set[str]]:
    """The actions of each policy of the page."""
    return [
        {action for statement in json.loads(one.text)["Statement"] for action in statement["Action"]}
        for one in blocks("json")
        if one.page == PAGE
    ]


def called(command: Command) -> set[str]:
    """The actions that were called since the last time."""
    found = {f"{one.service}:{one.operation}" for one in command.simulator.calls} | command.aws.actions
    command.simulator.calls.clear()
    command.aws.actions.clear()
    return found


def test_the_policies_are_what_is_called_and_no_more(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    equipped(command)
    arns = [command.model(name, service=service, tags=lease()) for name, service in ONE_OF_EACH]
    command.aws.stacks[0].status = "UPDATE_IN_PROGRESS"
    assert command("ls", "--all-regions").exit_code == 0
    assert command("check").exit_code == 0
    assert command("estimate", "--stack", "Inspection").exit_code == 0
    assert all(command("show", arn).exit_code == 0 for arn in arns)

    def ended(*_: Any) -> None:
        command.aws.stacks[0].status = "UPDATE_COMPLETE"

    monkeypatch.setattr(Cloud, "wait", ended)
    assert command("watch", "Inspection").exit_code == 0
    read, _, _ = policies()
    assert called(command) == read


def test_the_policies_hold_in_every_partition() -> None:
    statements = [
        each
        for one in blocks("json")
        if one.page == PAGE
        for each in json.loads(one.text).get("Statement", [])
    ]
    named = [arn for each in statements if each["Resource"] != "*" for arn in each["Resource"]]
    assert len(named) > 5
    assert [arn for arn in named if not re.match(r"arn:\*:[a-z]+:\*:\*:.+", arn)] == []


def test_stop_needs_its_policy_besides(command: Command) -> None:
    for name, service in ONE_OF_EACH:
        arn = command.model(name, service=service, tags=lease())
        assert command("stop", "--yes", arn).exit_code == 0
    read, stop, _ = policies()
    assert stop <= called(command) <= stop | read


def test_release_needs_a_part_of_it(command: Command) -> None:
    for name, service in ONE_OF_EACH:
        arn = command.model(name, service=service, tags=lease())
        assert command("release", "--yes", arn).exit_code == 0
    read, stop, _ = policies()
    assert called(command) - read == {one for one in stop if one.endswith(":UntagResource")}


def test_wake_needs_its_policy_besides(hours: Command) -> None:
    arn = hours.model(status="TRAINED", tags=with_hours(lease()))
    hours.aws.invoked = function(hours, arn, "Start", State.DONE, "HOSTED")
    assert hours("wake", arn).exit_code == 0
    read, _, wake = policies()
    assert called(hours) - read == wake


def test_stop_may_remove_the_tags_of_a_lease_and_no_others() -> None:
    _, stop, _ = (json.loads(one.text)["Statement"] for one in blocks("json") if one.page == PAGE)
    keys = stop[1]["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"]
    assert set(keys) == set(Tag.OWNER)
    assert set(lease_view.removable(dict.fromkeys([*keys, Tag.CLOSED], "x"))) == set(keys)


def test_the_options() -> None:
    group = typer.main.get_command(commands.app)
    said = {code(row[0])[0]: set(code(row[1])) for row in rows(PAGE, "command")}
    known = {
        name: {option for one in command.params for option in one.opts if option.startswith("--")}
        for name, command in group.commands.items()  # type: ignore[attr-defined]
    }
    assert said == known


def test_the_exit_codes() -> None:
    known = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert {int(row[0]) for row in rows(PAGE, "exit code")} == known
    assert {int(one) for one in re.findall(r"(\d+) \w+", exits.EXPLAINED)} == known


def test_the_reasons() -> None:
    known = {one.reason for one in vars(owners).values() if isinstance(one, owners.Ownership) and one.reason}
    assert {code(row[0])[0] for row in rows(PAGE, "reason")} == known


def test_the_differences() -> None:
    said = [code(row[0])[0] for row in rows(PAGE, "said")]
    words = (
        differing.NOT_RUNNING,
        differing.NOT_RUNNING,
        "declared, could not be hosted",
        differing.ABSENT,
        "declared, cannot be hosted",
        differing.STOPPING,
        "runs with",
        differing.OUTSIDE,
    )
    assert len(said) == len(words)
    assert all(one.startswith(word) for one, word in zip(said, words, strict=True))


def members(heading: str) -> set[str]:
    return {name for row in rows(PAGE, heading) for name in code(row[0])}


def test_the_json_members(command: Command) -> None:
    command.stack()
    command.model("forgotten/2")
    listed = json.loads(command("ls", "--json").stdout)
    assert listed["version"] == listing.JSON_VERSION == 1
    assert members("member") == set(listed)
    assert members("member of a model") == set(listed["models"][0])
    checked = json.loads(command("check", "--json").stdout)
    assert members("member of a check") == set(checked)
    assert members("member of a difference") == set(checked["differences"][0])


def test_the_members_of_an_estimate(command: Command, app: App) -> None:
    boards(CdkStack(app, "Inspection", env=HERE))
    found = estimated(command, app)
    assert members("member of an estimate") == set(found)
    assert members("member of an estimated model") == set(found["models"][0])


def example(name: str) -> str:
    """What the page shows of a command; the line with the command is left out."""
    (text,) = (one.text for one in blocks("text") if one.page == PAGE and one.text.startswith(f"$ {name}\n"))
    return str(text.partition("\n")[2])


def alike(said: str) -> str:
    """A text without colours, blanks at the ends of lines, and times."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    return re.sub(r"\d{4}-\d\d-\d\d|\d\d:\d\d", "TIME", re.sub(r" +$", "", plain, flags=re.MULTILINE)).strip()


@pytest.mark.usefixtures("frozen")
def test_the_example_of_ls(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    resources = {"Model0301700E": (RESOURCE_TYPE, "lookoutvision/circuit-boards/1", "CREATE_COMPLETE")}
    resources["Caps5D1F2A90"] = (RESOURCE_TYPE, "lookoutvision/caps/4", "CREATE_COMPLETE")
    command.aws.stacks.append(Stack(STACK_ID.replace("Inspection", "HostedModels"), resources=resources))
    for name, logical_id, status in (
        ("circuit-boards/1", "Model0301700E", "HOSTED"),
        ("caps/4", "Caps5D1F2A90", "TRAINED"),
    ):
        tags = lease(f"lookoutvision/{name}", hours_ago=0.25, stack_id=command.aws.stacks[0].stack_id)
        command.model(name, status=status, tags={**tags, Tag.LOGICAL_ID: logical_id})
    command.model("forgotten/2", region="eu-west-1", min_inference_units=2)
    arguments = ("ls", "--region", "us-east-1", "--region", "eu-west-1")
    assert alike(command(*arguments).stdout) == alike(example(" ".join(("hosted-model", *arguments))))


def test_the_example_of_check(command: Command) -> None:
    command.stack()
    command.model(tags=lease(), status="TRAINED")
    command.model("forgotten/2")
    assert alike(command("check").stdout) == alike(example("hosted-model check"))


def test_the_example_of_estimate(command: Command, app: App) -> None:
    stack = CdkStack(app, "Inspection", env=HERE)
    boards(stack, hosting_hours=HostingHours(start=at(8), stop=at(18)))
    RekognitionCustomLabelsModel(
        stack, "Labels", project_version_arn=VERSION, min_inference_units=1, max_inference_units=3
    )
    said = command("estimate", app.synth().directory).stdout
    assert alike(said) == alike(example("hosted-model estimate cdk.out"))
