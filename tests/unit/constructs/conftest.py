"""One jsii process for all; an app of its own for each test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, Stage
from aws_cdk.assertions import Template

ACCOUNT, REGION = "111122223333", "eu-west-1"
PROJECT_ARN = f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/boards/1600000000000"
VERSION_ARN = f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/boards/version/v1/1600000000001"

RECOMMENDER_ARN = f"arn:aws:personalize:{REGION}:{ACCOUNT}:recommender/top-picks"


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(outdir=str(tmp_path / "cdk.out"))


@pytest.fixture
def stack(app: App) -> Stack:
    return Stack(app, "S")


@pytest.fixture
def placed(app: App) -> Stack:
    """A stack whose account and region are known."""
    return Stack(app, "Placed", env=Environment(account=ACCOUNT, region=REGION))


def resources(stack: Stack, kind: str) -> dict[str, Any]:
    """The template's resources of one type, by logical ID."""
    return dict(Template.from_stack(stack).find_resources(kind))


def only(found: Mapping[str, Any]) -> Any:
    """The one value there is."""
    (value,) = found.values()
    return value


def models(stack: Stack) -> dict[str, Any]:
    return resources(stack, "Custom::HostedModel")


def statements(template: Mapping[str, Any]) -> dict[str, Any]:
    """Every IAM statement of a template, by its Sid."""
    found: dict[str, Any] = {}
    for resource in template["Resources"].values():
        if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                sid = statement.get("Sid", "Logs")
                assert sid not in found
                found[sid] = {key: value for key, value in statement.items() if key != "Sid"}
    return found


def text(value: Any) -> str:
    """A resolved value as it will read after the deploy, references in angle brackets."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(text, parts))
    return "<…>"


def messages(scope: Stack | App | Stage, kind: str = "aws:cdk:warning") -> list[str]:
    """What synth says about a scope."""
    return [
        str(entry.data)
        for construct in scope.node.find_all()
        for entry in construct.node.metadata
        if entry.type == kind
    ]
