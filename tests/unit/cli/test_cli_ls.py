"""`hosted-model ls`: what is found, what is marked, how it reads."""

from __future__ import annotations

import json
import re
from importlib import metadata
from typing import Any

import pytest

from hosted_model_cli import listing, output, prices
from hosted_model_cli.commands import app
from hosted_model_cli.services import REGISTRY
from hosted_model_runtime.contract import RESOURCE_TYPE, Tag
from unit.cli.conftest import LOGICAL_ID, OTHER, REGION, STACK_ID, Command, lease

LONG = "a-project-of-a-name-that-is-rather-long/12"
BOTH = ("--region", REGION, "--region", OTHER)


def listed(command: Command, *options: str) -> dict[str, dict[str, Any]]:
    """The models of `ls --json`, by name."""
    result = command("ls", "--json", *options)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["models"]
    return {f"{one['project']}/{one['model_version']}": one for one in found}


def test_nothing_runs(command: Command) -> None:
    command.model(status="TRAINED")
    result = command("ls")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "No model runs.\n", "")


def test_one_line_a_model_in_a_pipe(command: Command) -> None:
    command.stack()
    mine = command.model(tags=lease())
    long = command.model(LONG, region=OTHER)
    labels = command.model("labels/v1", service="rekognition", max_inference_units=3)
    result = command("ls", *BOTH)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.isascii(), "no boxes"
    assert "\x1b" not in result.stdout, "no colours"
    head, *lines, empty, total = result.stdout.splitlines()
    assert not any(line.endswith(" ") for line in (head, *lines))
    assert head.split() == [*listing.COLUMNS, "REMARK"]
    rows = [re.split(r"  +", line, maxsplit=11) for line in lines]
    assert len({row.index("arn:") for row in (head.replace("ARN", "arn:"), *lines)}) == 1, "in columns"
    owner = f"Inspection/{LOGICAL_ID}"
    by_name = {row[1]: [cell for cell in row if cell] for row in rows}
    since, hours, usd = (by_name["boards/1"].pop(7) for _ in range(3))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", since)
    # Two hours and what this test took until here.
    assert (float(hours), float(usd)) == (pytest.approx(2, abs=0.1), pytest.approx(8, abs=0.4))
    service, nobody = "lookoutvision", "no stack owns it"
    assert list(by_name.values()) == [
        ["!", LONG, "HOSTED", "1", service, OTHER, "nobody", "-", "-", "-", long, nobody],
        ["-", "boards/1", "HOSTED", "1", service, REGION, owner, mine, "-"],
        ["!", "labels/v1", "RUNNING", "1-3", "rekognition", REGION, "nobody", "-", "-", "-", labels, nobody],
    ]
    assert (empty, total) == (
        "",
        "3 inference units in service, 8.00 USD an hour for those with a known price",
    )


@pytest.mark.usefixtures("frozen")
def test_a_table_on_a_terminal(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    command.stack()
    command.model(tags=lease())
    forgotten = command.model("forgotten/1", region=OTHER)
    result = command("ls", *BOTH)
    said = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout)
    monkeypatch.delenv("TTY_COMPATIBLE")
    piped = command("ls", "--table", *BOTH).stdout
    assert piped.isascii()
    assert re.search(r"^boards/1 +HOSTED +Inspection .* +2\.00 +8\.00$", piped, re.M)
    assert re.search(r"^ ?boards/1 +HOSTED +Inspection +\d{4}-\d\d-\d\d +2\.00 +8\.00 *$", said, re.M)
    assert f"! Otherwise than declared:\n  forgotten/1: no stack owns it\n    {forgotten}" in said
    assert [line for line in said.splitlines() if len(line) > 80 and "arn:" not in line] == []


def test_the_session_region_is_asked_and_no_other(command: Command) -> None:
    command.model()
    command.model("far/1", region=OTHER)
    assert set(listed(command)) == {"boards/1"}
    assert set(listed(command, "--region", OTHER)) == {"far/1"}
    assert set(listed(command, "--all-regions")) == {"boards/1", "far/1"}
    assert set(listed(command, "--service", "rekognition")) == set()


SHOWN = {
    "lookoutvision": "HOSTED STARTING_HOSTING STOPPING_HOSTING HOSTING_FAILED SYSTEM_UPDATING",
    "rekognition": "RUNNING STARTING STOPPING FAILED",
}
HIDDEN = {
    "lookoutvision": "TRAINED TRAINING TRAINING_FAILED DELETING",
    "rekognition": "STOPPED TRAINING_COMPLETED TRAINING_FAILED EXPIRED",
}


@pytest.mark.parametrize("service", SHOWN)
def test_which_statuses_are_listed(command: Command, service: str) -> None:
    for version, status in enumerate(f"{SHOWN[service]} {HIDDEN[service]}".split(), 1):
        command.model(f"p/{version}", service=service, status=status, start_seconds=60, stop_seconds=60)
    assert {one["status"] for one in listed(command).values()} == set(SHOWN[service].split())


def other_type(physical_id: str) -> dict[str, Any]:
    return {"resources": {LOGICAL_ID: ("AWS::S3::Bucket", physical_id, "CREATE_COMPLETE")}}


def resource(status: str, physical_id: str = "lookoutvision/boards/1") -> dict[str, Any]:
    return {"resources": {LOGICAL_ID: (RESOURCE_TYPE, physical_id, status)}}


ANOTHER = resource("UPDATE_COMPLETE", "lookoutvision/boards/2")


@pytest.mark.parametrize(
    ("stack", "declared", "why"),
    [
        ({}, True, None),
        ({"status": "UPDATE_IN_PROGRESS", **resource("UPDATE_IN_PROGRESS", "x")}, True, None),
        ({"status": "CREATE_IN_PROGRESS", **resource("CREATE_IN_PROGRESS", "")}, True, None),
        ({"status": "UPDATE_ROLLBACK_COMPLETE"}, True, None),
        (None, False, "its stack is gone"),
        ({"status": "DELETE_COMPLETE"}, False, "its stack is gone"),
        ({"status": "DELETE_IN_PROGRESS"}, False, "its stack is being deleted"),
        ({"status": "DELETE_FAILED"}, False, "the deletion of its stack failed"),
        ({"resources": {"Other": (RESOURCE_TYPE, "x", "CREATE_COMPLETE")}}, None, ""),
        (resource("DELETE_COMPLETE"), False, "its stack no longer declares it"),
        (resource("DELETE_SKIPPED"), False, "its stack no longer declares it"),
        (other_type("x"), False, "its stack no longer declares it"),
        (
            resource("UPDATE_COMPLETE", "lookoutvision/boards/2"),
            False,
            "its stack declares another model now",
        ),
    ],
)
def test_who_declares_it(command: Command, stack: dict[str, Any] | None, declared: Any, why: Any) -> None:
    command.model(tags=lease())
    if stack is not None:
        made = command.stack(**stack)
        if declared is None:
            # A stack without the resource.
            del made.resources[LOGICAL_ID]
            declared, why = False, "its stack no longer declares it"
    found = listed(command)["boards/1"]
    assert (found["declared"], found["why_not_declared"]) == (declared, why)


def test_no_tags_and_strange_tags(command: Command) -> None:
    command.model("a/1")
    command.model("b/1", tags={Tag.STACK: "me", Tag.REQUEST: "what?"})
    command.model("c/1", tags={Tag.CLOSED: "20261123T000000Z/id/resource/stack"})
    found = listed(command)
    assert {one["why_not_declared"] for one in found.values()} == {"no stack owns it"}
    assert found["b/1"]["stack_name"] == "me"
    assert {one["hours"] for one in found.values()} == {None}


@pytest.mark.usefixtures("frozen")
def test_the_json_document(command: Command) -> None:
    command.stack()
    arn = command.model(tags=lease(hours_ago=3), min_inference_units=2)
    found = listed(command)["boards/1"]
    assert abs(found.pop("hours") - 3) < 0.01
    assert abs(found.pop("cost") - 24) < 0.1
    assert found.pop("hosted_at").endswith("+00:00")
    assert found == {
        "service": "lookoutvision",
        "region": REGION,
        "project": "boards",
        "model_version": "1",
        "arn": arn,
        "status": "HOSTED",
        "phase": "RUNNING",
        "min_inference_units": 2,
        "max_inference_units": None,
        "stack_id": STACK_ID,
        "stack_name": "Inspection",
        "logical_id": LOGICAL_ID,
        "declared": True,
        "why_not_declared": None,
        "difference": None,
        "asleep": False,
        "price_per_unit_hour": 4.0,
        "currency": "USD",
    }


def test_money(command: Command) -> None:
    command.model("here/1", tags=lease(), min_inference_units=3)
    command.model("there/1", tags=lease(), region=OTHER)
    command.model("gone/1", tags=lease(), status="STOPPING_HOSTING", stop_seconds=60)
    found = listed(command, *BOTH)
    assert round(found["here/1"]["cost"]) == 24
    assert found["there/1"]["cost"] is None, "no line in the table"
    assert found["gone/1"]["hours"] is None, "a model that stops bills no more"
    found = listed(command, *BOTH, "--price-per-unit-hour", "0.5")
    assert [round(found[name]["cost"]) for name in ("here/1", "there/1")] == [3, 1]


def test_the_table_of_prices_is_dated() -> None:
    assert prices.per_unit_hour("rekognition", "us-east-1") == 4.0
    assert prices.per_unit_hour("rekognition", "mars-north-1") is None
    for one in (price for row in REGISTRY.values() for price in row.prices):
        assert re.fullmatch(r"20\d\d-\d\d", one.dated)
        assert "pricing" in one.page


def test_stopped_models(command: Command) -> None:
    command.stack()
    command.model(status="TRAINED", tags=lease())
    command.model("boards/2", status="TRAINED")
    command.model("boards/3", status="TRAINED", tags=lease(stack_id=STACK_ID.replace("Ins", "Pre")))
    assert set(listed(command)) == {"boards/1"}
    assert set(listed(command, "--all")) == {"boards/1", "boards/2", "boards/3"}
    assert listed(command, "--running") == {}


def test_a_stopped_model_of_nobody_costs_one_question(command: Command) -> None:
    command.model("boards/2", status="TRAINED")
    for options, asked in (((), ["ListTagsForResource"]), (("--running",), [])):
        command.simulator.calls.clear()
        assert listed(command, *options) == {}
        operations = [one.operation for one in command.simulator.calls]
        assert [one for one in operations if one in ("DescribeModel", "ListTagsForResource")] == asked


def test_declared_and_not_running(command: Command) -> None:
    command.stack()
    arn = command.model(status="TRAINED", tags=lease())
    result = command("ls")
    row = next(line for line in result.stdout.splitlines() if line.startswith("!"))
    assert re.search(rf"{arn}  declared, not running since some time after 20[-0-9]+ \d\d:\d\d UTC$", row)
    assert re.search(r"^Remark    ! declared, not running since", command("show", arn).stdout, re.M)


def test_one_region_that_fails_is_not_the_end(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    command.model()
    monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", "http://127.0.0.1:9")
    result = command("ls", "--json")
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert [one["project"] for one in document["models"]] == ["boards"]
    (problem,) = document["problems"]
    assert (problem["service"], problem["region"]) == ("rekognition", REGION)
    assert problem["message"] == "rekognition:DescribeProjects: EndpointConnectionError"
    assert result.stderr.startswith(f"warning: rekognition in {REGION}: ")


def test_what_cloudformation_refuses_is_not_known(command: Command) -> None:
    command.stack()
    command.model(tags=lease())
    command.aws.denied.add("cloudformation:DescribeStacks")
    result = command("ls")
    assert result.exit_code == 3
    assert re.search(r"^\?  boards/1 .* not known whether a stack declares it: ", result.stdout, re.M)
    assert "AccessDenied" in result.stderr


def test_all_regions_without_permission_to_list_them(command: Command) -> None:
    command.model(region=OTHER)
    command.aws.denied.add("ec2:DescribeRegions")
    result = command("ls", "--all-regions", "--service", "lookoutvision", "--json")
    assert result.exit_code == 3
    assert [one["region"] for one in json.loads(result.stdout)["models"]] == [OTHER]


@pytest.mark.parametrize(
    "arguments",
    [
        ("ls", "--region", REGION, "--all-regions"),
        ("ls", "--service", "s3"),
        ("ls", "--price-per-unit-hour", "-1"),
        ("ls", "--all", "--running"),
        ("estimate",),
        ("estimate", "cdk.out", "--stack", "Inspection"),
        ("ls", "--no-such-option"),
        ("show", "arn:aws:s3:::bucket"),
        ("stop", "arn:aws:lookoutvision:us-east-1:000000000000:model/boards/latest"),
        ("watch",),
        ("nothing",),
    ],
)
def test_wrong_usage(command: Command, arguments: tuple[str, ...]) -> None:
    result = command(*arguments)
    assert result.exit_code == 2
    assert result.stderr.isascii()


def test_no_profile_and_no_credentials(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    result = command("ls", "--profile", "no-such-profile")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no-such-profile" in result.stderr
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    result = command("ls")
    assert (result.exit_code, result.stderr) == (1, "error: Unable to locate credentials\n")


def test_every_help_names_the_exit_codes(command: Command) -> None:
    names = [one.name or one.callback.__name__ for one in app.registered_commands if one.callback]
    assert len(names) == 9
    for arguments in ((), *((name,) for name in names)):
        result = command(*arguments, "--help")
        assert result.exit_code == 0
        assert command(*arguments, "-h").stdout == result.stdout
        assert "3 partial" in " ".join(result.stdout.split())
        assert not re.search(r"[a-z,]\.\.\.", result.stdout), "nothing is cut"
        assert max(map(len, result.stdout.splitlines())) <= 80


def test_the_version(command: Command) -> None:
    result = command("--version")
    assert (result.exit_code, result.stdout) == (0, f"hosted-model {metadata.version('cdk-hosted-model')}\n")


def test_durations() -> None:
    assert [output.elapsed(one) for one in (0, 59.4, 65, 7205)] == ["0 s", "59 s", "1:05", "2:00:05"]
