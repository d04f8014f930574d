"""Which regions are asked; and what is not offered, could not be asked, or does not exist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from hosted_model_cli.aws import Cloud
from hosted_model_runtime.services.base import sorted_error
from unit.cli.conftest import OTHER, REGION, Command

NEW = "eu-new-9"


@pytest.fixture
def unplugged(command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Calls go to AWS's own endpoints, of which none can be reached but those that live, in one region."""
    for name in ("LOOKOUTVISION", "REKOGNITION", "PERSONALIZE"):
        monkeypatch.delenv(f"AWS_ENDPOINT_URL_{name}", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL")

    def pages(self: Cloud, region: str, service: str, operation: str, **_: Any) -> Iterator[dict[str, Any]]:
        if region != REGION or service == "lookoutvision":
            problem = EndpointConnectionError(endpoint_url=f"https://{service}.{region}")
            raise sorted_error(problem, {}, f"{service}:{operation}") from problem
        yield {}

    monkeypatch.setattr(Cloud, "pages", pages)
    return command


def test_a_region_that_does_not_have_the_service_is_a_note(unplugged: Command) -> None:
    result = unplugged("ls", "--region", REGION, "--region", "eu-north-1")
    assert (result.exit_code, result.stdout) == (0, "No model runs.\n")
    assert result.stderr.splitlines() == [
        "note: lookoutvision is not offered in eu-north-1, us-east-1 (retired on 2025-10-31)",
        "note: personalize is not offered in eu-north-1",
        "note: rekognition is not offered in eu-north-1",
    ]
    document = json.loads(unplugged("ls", "--region", "eu-north-1", "--json").stdout)
    assert document["not_offered"] == [
        {"service": "lookoutvision", "region": "eu-north-1"},
        {"service": "personalize", "region": "eu-north-1"},
        {"service": "rekognition", "region": "eu-north-1"},
    ]
    assert document["problems"] == []


def test_a_region_that_has_the_service_and_cannot_be_reached_is_a_problem(unplugged: Command) -> None:
    result = unplugged("ls", "--region", REGION, "--region", OTHER)
    assert result.exit_code == 3
    assert "warning: rekognition in eu-west-1: rekognition:DescribeProjects: EndpointC" in result.stderr


def test_nothing_is_said_of_what_runs_when_nobody_could_be_asked(unplugged: Command) -> None:
    result = unplugged("ls", "--region", OTHER)
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize("service", ["rekognition", "lookoutvision"])
def test_a_local_cloud_that_is_down_is_a_problem(
    command: Command, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service.upper()}", "http://127.0.0.1:9")
    result = command("ls", "--service", service)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"warning: {service} in {REGION}" in result.stderr


@pytest.mark.parametrize("arguments", [("ls",), ("watch", "Inspection")])
def test_a_region_that_does_not_exist(command: Command, arguments: tuple[str, ...]) -> None:
    result = command(*arguments, "--region", "us-esat-1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: us-esat-1 is no region of AWS\n"


def test_a_region_that_does_not_exist_where_the_session_has_none(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert command("ls", "--region", REGION).exit_code == 0
    result = command("ls", "--region", "us-esat-1")
    assert (result.exit_code, result.stderr) == (2, "error: us-esat-1 is no region of AWS\n")


def test_a_region_that_is_newer_than_botocore(command: Command) -> None:
    command.aws.regions = (REGION, NEW)
    command.model(region=NEW)
    assert command("ls", "--region", NEW).exit_code == 0
    document = json.loads(command("ls", "--all-regions", "--json").stdout)
    assert [one["region"] for one in document["models"]] == [NEW]
