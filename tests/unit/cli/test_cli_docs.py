"""docs/cli.md says what the command does: its policies, options, exit codes, reasons and JSON members."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import typer

from hosted_model_cli import commands, exits, lease_view, listing, owners
from hosted_model_cli.aws import Cloud
from hosted_model_runtime.contract import Tag
from unit.cli.conftest import Command, lease
from unit.cli.test_cli_show import equipped
from unit.docs.pages import blocks, code, rows

PAGE = "docs/cli.md"


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
    arns = [command.model(tags=lease()), command.model("labels/v1", service="rekognition", tags=lease())]
    command.aws.stacks[0].status = "UPDATE_IN_PROGRESS"
    assert command("ls", "--all-regions").exit_code == 0
    assert all(command("show", arn).exit_code == 0 for arn in arns)

    def ended(*_: Any) -> None:
        command.aws.stacks[0].status = "UPDATE_COMPLETE"

    monkeypatch.setattr(Cloud, "wait", ended)
    assert command("watch", "Inspection").exit_code == 0
    read, _ = policies()
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
    for name, service in (("boards/1", "lookoutvision"), ("labels/v1", "rekognition")):
        arn = command.model(name, service=service, tags=lease())
        assert command("stop", "--yes", arn).exit_code == 0
    read, stop = policies()
    assert stop <= called(command) <= stop | read


def test_stop_may_remove_the_tags_of_a_lease_and_no_others() -> None:
    _, stop = (json.loads(one.text)["Statement"] for one in blocks("json") if one.page == PAGE)
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
    assert {code(row[0])[0] for row in rows(PAGE, "said")} == known


def test_the_json_members(command: Command) -> None:
    command.model()
    document = json.loads(command("ls", "--json").stdout)
    assert document["version"] == listing.JSON_VERSION == 1
    assert {code(row[0])[0] for row in rows(PAGE, "member")} == set(document)
    said = {name for row in rows(PAGE, "member of a model") for name in code(row[0])}
    assert said == set(document["models"][0])
