"""The policy is the lease's fence: what it lets through, decided as IAM decides, tags in view."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from hosted_model import HostedModelProvider, LookoutVisionModel, RekognitionCustomLabelsModel
from unit.constructs.conftest import ACCOUNT, PROJECT_ARN, REGION, VERSION_ARN

MINE = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/S/0"
OTHER = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Other/1"
STACK, CLOSED = "hosted-model:stack", "hosted-model:closed"
FREE: dict[str, str] = {}
OWN, FOREIGN = {STACK: MINE}, {STACK: OTHER}
# Closed by a Delete of this stack, and of the other one.
HERE, THERE = ({CLOSED: f"20260131T000000Z/request/resource/{stack}"} for stack in "01")

VISION = f"arn:aws:lookoutvision:{REGION}:{ACCOUNT}:model/boards"
LABELS = f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/boards/version"
SERVICES = {
    "lookoutvision": ("StartModel", "StopModel", f"{VISION}/3", f"{VISION}/4"),
    "rekognition": ("StartProjectVersion", "StopProjectVersion", VERSION_ARN, f"{LABELS}/v9/1"),
    # Named by its project: the time stamp is open, the version's name is not.
    "rekognition by name": (
        "StartProjectVersion",
        "StopProjectVersion",
        f"{LABELS}/v2/1600000000009",
        f"{LABELS}/v22/1600000000009",
    ),
}


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    stack = _stack(tmp_path_factory)
    LookoutVisionModel(stack, "Vision", project_name="boards", model_version="3")
    RekognitionCustomLabelsModel(stack, "ByArn", project_version_arn=VERSION_ARN)
    RekognitionCustomLabelsModel(stack, "ByName", project_arn=PROJECT_ARN, version_name="v2")
    return _policies(stack)


@pytest.fixture(scope="module")
def last_policies(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What is in force when the last model of a stack is deleted and its provider stays."""
    stack = _stack(tmp_path_factory)
    HostedModelProvider(stack, "Provider")
    return _policies(stack)


def _stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    app = App(outdir=str(tmp_path_factory.mktemp("out")))
    return Stack(app, "S", env=Environment(account=ACCOUNT, region=REGION))


def _policies(stack: Stack) -> list[Any]:
    resources = Template.from_stack(stack).to_json()["Resources"].values()
    documents = [each["Properties"]["PolicyDocument"] for each in resources if "Policy" in each["Type"]]
    return [parse_policy_document(_deployed(document)) for document in documents]


def _deployed(value: Any) -> Any:
    known = {"AWS::Partition": "aws", "AWS::StackId": MINE}
    match value:
        case {"Ref": name}:
            return known[name]
        case {"Fn::Join": [separator, parts]}:
            return separator.join(map(_deployed, parts))
        case {"Fn::Select": [index, items]}:
            return _deployed(items)[int(index)]
        case {"Fn::Split": [separator, text]}:
            return _deployed(text).split(separator)
        case {"Fn::GetAtt": _}:
            return "unknown"
        case dict():
            return {key: _deployed(each) for key, each in value.items()}
        case list():
            return [_deployed(each) for each in value]
    return value


def tagging(stack: str = MINE, *more: str) -> dict[str, Any]:
    return {f"aws:requesttag/{STACK}": stack, "aws:tagkeys": [STACK, *more]}


def untagging(*keys: str) -> dict[str, Any]:
    return {"aws:tagkeys": list(keys)}


@pytest.mark.parametrize(
    ("verb", "declared", "tags", "request_context", "allowed"),
    [
        # To claim: what is declared, and free or this stack's own.
        ("tag", True, FREE, tagging(), True),
        ("tag", True, OWN, tagging(), True),
        ("tag", True, FOREIGN, tagging(), False),
        ("tag", True, FREE, tagging(OTHER), False),
        ("tag", True, OWN, tagging(OTHER), False),
        ("tag", True, FREE, tagging(MINE, "team"), False),
        ("tag", True, FREE | HERE, tagging(), False),
        ("tag", True, OWN | HERE, tagging(), False),
        ("tag", True, FREE | THERE, tagging(), True),
        ("tag", False, FREE, tagging(), False),
        # A model that was replaced is declared no more, and is cleaned up all the same.
        ("tag", False, OWN, tagging(), True),
        ("tag", False, FOREIGN, tagging(), False),
        # To close what nobody owns, as the last word of a Delete.
        ("tag", True, FREE, {"aws:tagkeys": [CLOSED]}, True),
        # To reopen.
        ("untag", True, FREE | HERE, untagging(CLOSED), True),
        ("untag", True, FOREIGN | HERE, untagging(CLOSED), False),
        ("untag", False, FREE | HERE, untagging(CLOSED), False),
        # To let go.
        ("untag", False, OWN, untagging(STACK), True),
        ("untag", True, FOREIGN, untagging(STACK), False),
        ("untag", True, OWN, untagging("team"), False),
        ("start", True, OWN, {}, True),
        ("start", True, FREE, {}, False),
        ("start", True, FOREIGN, {}, False),
        ("start", True, OWN | HERE, {}, False),
        ("start", True, OWN | THERE, {}, True),
        ("stop", False, OWN, {}, True),
        ("stop", False, OWN | HERE, {}, True),
        ("stop", True, FREE, {}, False),
        ("stop", True, FOREIGN, {}, False),
    ],
)
@pytest.mark.parametrize("service", SERVICES)
def test_what_gets_through(policies, service, verb, declared, tags, request_context, allowed):
    resource = SERVICES[service][2 if declared else 3]
    assert _allows(policies, service, verb, resource, tags, request_context) is allowed


@pytest.mark.parametrize(
    ("verb", "tags", "request_context", "allowed"),
    [
        # To close, to stop, to let go.
        ("tag", OWN, {"aws:tagkeys": [CLOSED]}, True),
        ("stop", OWN | HERE, {}, True),
        ("untag", OWN | HERE, untagging(STACK), True),
        ("stop", FREE, {}, False),
        ("stop", FOREIGN, {}, False),
        ("tag", FREE, tagging(), False),
        ("tag", OWN, tagging(OTHER), False),
        ("tag", FOREIGN, {"aws:tagkeys": [CLOSED]}, False),
        ("untag", FOREIGN, untagging(STACK), False),
        # A Delete starts nothing.
        ("start", OWN, {}, False),
    ],
)
@pytest.mark.parametrize("service", SERVICES)
def test_the_last_model_can_be_deleted(last_policies, service, verb, tags, request_context, allowed):
    resource = SERVICES[service][2]
    assert _allows(last_policies, service, verb, resource, tags, request_context) is allowed


def _allows(
    policies: list[Any],
    service: str,
    verb: str,
    resource: str,
    tags: dict[str, str],
    request_context: dict[str, Any],
) -> bool:
    start, stop, *_ = SERVICES[service]
    operation = {"tag": "TagResource", "untag": "UntagResource", "start": start, "stop": stop}[verb]
    context = {
        # An absent key is absent, not an empty list.
        "aws:tagkeys": None,
        **{f"aws:resourcetag/{key}": value for key, value in tags.items()},
        **request_context,
    }
    decision = evaluate(
        EvalContext(
            principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/Role/session",
            principal_type="AssumedRole",
            principal_account=ACCOUNT,
            action=f"{service.split()[0]}:{operation}",
            resource_arn=resource,
            region=REGION,
            service_context=context,
        ),
        policies,
    ).decision
    return bool(decision == "Allow")
