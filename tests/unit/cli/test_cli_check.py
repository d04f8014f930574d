"""`hosted-model check`: stacks against what is, for CI and cron."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hosted_model_cli import checking
from hosted_model_runtime.contract import RESOURCE_TYPE, Tag
from support.aws_wire import Stack
from unit.cli.conftest import LOGICAL_ID, OTHER, STACK_ID, Command, lease

ELSEWHERE = STACK_ID.replace("Inspection", "Other")


def test_all_is_as_declared(command: Command) -> None:
    command.stack()
    command.model(tags=lease())
    command.aws.stacks.append(
        Stack(ELSEWHERE, resources={"Bucket": ("AWS::S3::Bucket", "b", "CREATE_COMPLETE")})
    )
    result = command("check")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "As declared: 1 model of 1 stack.\n", "")


def differences(command: Command, *arguments: str) -> dict[str, str]:
    """What `check --json` says of each model; the exit code is 1 if it says anything."""
    result = command("check", "--json", *arguments)
    found = json.loads(result.stdout)["differences"]
    assert result.exit_code == (1 if found else 0), result.output
    return {f"{one['project']}/{one['model_version']}": one["difference"] for one in found}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"tags": lease(), "status": "TRAINED"}, "declared, not running since some time after "),
        ({"tags": lease(), "status": "HOSTING_FAILED"}, "declared, could not be hosted"),
        ({"tags": {}}, "runs without the lease of the stack that declares it"),
        ({"tags": {}, "status": "TRAINED"}, "declared, not running"),
        ({"tags": lease(stack_id=ELSEWHERE)}, f"declared, and commanded by {LOGICAL_ID} of stack Other"),
    ],
)
def test_a_declared_model_that_is_otherwise(command: Command, members: dict[str, Any], said: str) -> None:
    command.stack()
    arn = command.model(**members)
    for arguments in ((), ("Inspection",), (STACK_ID,)):
        assert differences(command, *arguments)["boards/1"].startswith(said)
    result = command("check")
    assert result.exit_code == 1
    assert f"! boards/1  Inspection/{LOGICAL_ID}  us-east-1  {arn}  {said}" in result.stdout


def test_a_declared_model_that_does_not_exist(command: Command) -> None:
    command.stack()
    assert differences(command) == {"boards/1": "declared, does not exist"}


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"])
def test_a_deploy_that_is_under_way_is_no_difference(command: Command, status: str) -> None:
    command.stack(status=status)
    command.model(status="TRAINED")
    assert differences(command) == {}


def test_what_runs_and_no_stack_declares(command: Command) -> None:
    gone = STACK_ID.replace("Inspection", "Gone")
    command.stack()
    command.model(tags=lease())
    command.model("forgotten/1")
    command.model("left/1", tags=lease(stack_id=gone))
    assert differences(command) == {"forgotten/1": "no stack owns it", "left/1": "its stack is gone"}
    assert differences(command, "Inspection") == {}, "none of its models"


def test_what_a_stack_left_behind(command: Command) -> None:
    command.stack(resources={LOGICAL_ID: (RESOURCE_TYPE, "lookoutvision/boards/1", "DELETE_FAILED")})
    command.model(tags=lease())
    assert differences(command, "Inspection") == {"boards/1": "its stack removed it and could not stop it"}


def test_a_model_of_each_service_and_name(command: Command) -> None:
    arn = command.model("labels/v1", service="rekognition", status="STOPPED")
    physical_id = f"rekognition/{arn.split(':project/')[1]}"
    resources = {
        LOGICAL_ID: (RESOURCE_TYPE, physical_id, "CREATE_COMPLETE"),
        "Latest": (RESOURCE_TYPE, "lookoutvision/boards/latest", "CREATE_COMPLETE"),
        "Invented": (RESOURCE_TYPE, "Inspection-Invented-1XYZ", "CREATE_FAILED"),
    }
    command.stack(resources=resources)
    command.model("boards/7", status="TRAINED")
    said = "declared, not running"
    assert differences(command) == {"labels/v1": said, "boards/7": said}
    assert differences(command, "--service", "rekognition") == {"labels/v1": said}


def test_a_stack_that_does_not_exist(command: Command) -> None:
    result = command("check", "Inspektion")
    assert (result.exit_code, result.stdout) == (1, "! Inspektion: there is no such stack\n")
    document = json.loads(command("check", "--json", "Inspektion").stdout)
    assert document["missing_stacks"] == ["Inspektion"]


def test_a_stack_that_could_not_be_asked_does_not_count_as_missing(command: Command) -> None:
    command.stack()
    command.model(tags=lease())
    command.aws.stacks.append(Stack(ELSEWHERE))
    command.aws.denied.add("cloudformation:DescribeStacks Other")
    result = command("check", "Inspection", "Other")
    assert result.exit_code == 3, result.output
    assert "no such stack" not in result.output
    assert "1 model of 1 stack" in result.stdout


def test_a_stack_of_another_region(command: Command) -> None:
    there = STACK_ID.replace("us-east-1", OTHER)
    command.aws.stacks.append(Stack(there, resources=dict(command.stack().resources)))
    command.model(tags=lease())
    assert differences(command, "--region", "us-east-1", "--region", OTHER, there) == {
        "boards/1": "declared, does not exist"
    }


@pytest.mark.parametrize("denied", ["ListStacks", "DescribeStacks", "ListStackResources"])
def test_what_could_not_be_asked_is_not_well(command: Command, denied: str) -> None:
    command.stack()
    command.model(tags=lease())
    command.aws.denied.add(f"cloudformation:{denied}")
    assert command("check").exit_code == 3


def test_the_document(command: Command) -> None:
    command.stack()
    document = json.loads(command("check", "--json").stdout)
    assert document["version"] == checking.JSON_VERSION == 1
    (one,) = document["differences"]
    assert one["stack_id"] == STACK_ID
    assert (one["logical_id"], one["arn"]) == (LOGICAL_ID, "")
    assert Tag.STACK not in one
