"""What the function may do: every statement, written out; and that a hundred models fit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from hosted_model import (
    HostedModelProvider,
    LookoutVisionModel,
    PersonalizeRecommender,
    RekognitionCustomLabelsModel,
)
from unit.constructs.conftest import (
    ACCOUNT,
    PROJECT_ARN,
    RECOMMENDER_ARN,
    REGION,
    VERSION_ARN,
    resources,
    statements,
    text,
)

STACK_ID = {"Ref": "AWS::StackId"}
_NAMES = ("stack", "logical-id", "request", "hours", "former-logical-id", "former-request", "closed")
KEYS = [f"hosted-model:{name}" for name in _NAMES]
OURS = {"ForAllValues:StringEquals": {"aws:TagKeys": KEYS}}
MINE = {"aws:ResourceTag/hosted-model:stack": STACK_ID}
IN_MY_NAME = {"aws:RequestTag/hosted-model:stack": STACK_ID}
STACK_UUID = {"Fn::Select": [2, {"Fn::Split": ["/", STACK_ID]}]}
HERE = {"Fn::Join": ["", ["*/", STACK_UUID]]}
CLOSED = {"StringLike": {"aws:ResourceTag/hosted-model:closed": HERE}}

VISION = f"arn:<AWS::Partition>:lookoutvision:{REGION}:{ACCOUNT}:model"
RECOMMENDERS = f"arn:<AWS::Partition>:personalize:{REGION}:{ACCOUNT}:recommender"
LABELS = f"arn:<AWS::Partition>:rekognition:{REGION}:{ACCOUNT}:project"
RULES = f"arn:<AWS::Partition>:events:{REGION}:{ACCOUNT}:rule/HostedModel-<…>-*"


def allow(actions: Any, resource: Any, condition: Any = None, effect: str = "Allow") -> dict[str, Any]:
    said = {"Effect": effect, "Action": actions, "Resource": resource}
    return said | ({"Condition": condition} if condition else {})


def of_service(prefix: str, every: str, start: str, stop: str, claims: Any) -> dict[str, Any]:
    """What is there while the template declares models of a service."""
    service = prefix.lower()
    tag, untag = f"{service}:TagResource", f"{service}:UntagResource"
    return cleanup_of(prefix, every, start, stop) | {
        f"{prefix}Start": allow(f"{service}:{start}", every, {"StringEquals": MINE}),
        f"{prefix}Claim": allow(
            [tag, untag], claims, {"StringEqualsIfExists": {**MINE, **IN_MY_NAME}, **OURS}
        ),
    }


def cleanup_of(prefix: str, every: str, start: str, stop: str) -> dict[str, Any]:
    """What is there as long as the provider is, but for what reads."""
    service = prefix.lower()
    tag, untag = f"{service}:TagResource", f"{service}:UntagResource"
    fence = {"StringEquals": MINE, "StringEqualsIfExists": IN_MY_NAME, **OURS}
    return {
        f"{prefix}Stop": allow([f"{service}:{stop}", tag, untag], every, fence),
        f"{prefix}Closed": allow([f"{service}:{start}", tag], every, CLOSED, effect="Deny"),
    }


READS = {
    "LookoutVisionRead": allow(
        ["lookoutvision:DescribeModel", "lookoutvision:ListTagsForResource"], f"{VISION}/*/*"
    ),
    "LookoutVisionList": allow("lookoutvision:ListModels", "*"),
    "RekognitionRead": allow("rekognition:ListTagsForResource", f"{LABELS}/*/version/*/*"),
    "RekognitionDescribe": allow("rekognition:DescribeProjectVersions", f"{LABELS}/*/*"),
    "RekognitionList": allow("rekognition:DescribeProjects", "*"),
    "PersonalizeRead": allow("personalize:DescribeRecommender", f"{RECOMMENDERS}/*"),
    "PersonalizeList": allow("personalize:ListTagsForResource", "*"),
}
#: Of Personalize nobody knows whether it tells IAM its tags: each condition holds where its key is absent.
CLEANUP_OF_PERSONALIZE = {
    "PersonalizeStop": allow(
        "personalize:StopRecommender", f"{RECOMMENDERS}/*", {"StringEqualsIfExists": MINE}
    ),
    "PersonalizeTag": allow(
        ["personalize:TagResource", "personalize:UntagResource"],
        "*",
        {"StringEqualsIfExists": {**MINE, **IN_MY_NAME}, **OURS},
    ),
    "PersonalizeClosed": allow(
        ["personalize:StartRecommender", "personalize:UpdateRecommender", "personalize:TagResource"],
        "*",
        CLOSED,
        effect="Deny",
    ),
}
OPERATIONS = {
    "LookoutVision": (f"{VISION}/*/*", "StartModel", "StopModel"),
    "Rekognition": (f"{LABELS}/*/version/*/*", "StartProjectVersion", "StopProjectVersion"),
}


def test_every_statement(placed):
    LookoutVisionModel(placed, "A", project_name="boards", model_version="3")
    LookoutVisionModel(placed, "B", project_name="caps", model_version="latest")
    RekognitionCustomLabelsModel(placed, "C", project_version_arn=VERSION_ARN)
    RekognitionCustomLabelsModel(placed, "D", project_arn=PROJECT_ARN, version_name="v2")
    PersonalizeRecommender(placed, "E", recommender_arn=RECOMMENDER_ARN)
    found = statements(Template.from_stack(placed).to_json())
    log_group = found.pop("Logs")
    assert (log_group["Effect"], log_group["Action"]) == (
        "Allow",
        ["logs:CreateLogStream", "logs:PutLogEvents"],
    )
    assert text(log_group["Resource"]).startswith("<HostedModelProviderLogs")
    relay = ["PutRule", "PutTargets", "DescribeRule", "RemoveTargets", "DeleteRule"]
    assert {sid: _readable(statement) for sid, statement in found.items()} == {
        "Relay": allow([f"events:{action}" for action in relay], RULES),
        **READS,
        **of_service(
            "LookoutVision", *OPERATIONS["LookoutVision"], [f"{VISION}/boards/3", f"{VISION}/caps/*"]
        ),
        **of_service(
            "Rekognition", *OPERATIONS["Rekognition"], [VERSION_ARN, f"{LABELS}/boards/version/v2/*"]
        ),
        **CLEANUP_OF_PERSONALIZE,
        "PersonalizeClaim": allow(
            ["personalize:StartRecommender", "personalize:UpdateRecommender"],
            RECOMMENDER_ARN,
            {"StringEqualsIfExists": MINE},
        ),
    }


def _readable(statement: dict[str, Any]) -> dict[str, Any]:
    resource = statement["Resource"]
    return statement | {"Resource": [*map(text, resource)] if isinstance(resource, list) else text(resource)}


def test_what_a_delete_needs_is_there_for_every_service_whatever_is_declared(placed):
    """CloudFormation deletes what is no longer declared under the policy that no longer declares it."""
    HostedModelProvider(placed, "Provider")
    found = statements(Template.from_stack(placed).to_json())
    del found["Logs"], found["Relay"]
    wanted = READS | CLEANUP_OF_PERSONALIZE
    for prefix, operations in OPERATIONS.items():
        wanted = wanted | cleanup_of(prefix, *operations)
    assert {sid: _readable(statement) for sid, statement in found.items()} == wanted


def test_a_stack_starts_and_claims_nothing_of_a_service_that_it_does_not_declare(stack):
    RekognitionCustomLabelsModel(stack, "C", project_version_arn=VERSION_ARN)
    found = statements(Template.from_stack(stack).to_json())
    assert {sid for sid in found if "Start" in sid or "Claim" in sid} == {
        "RekognitionStart",
        "RekognitionClaim",
    }


def test_no_resource_is_everything_but_where_the_service_knows_nothing_narrower(stack):
    LookoutVisionModel(stack, "A", project_name="boards", model_version="3")
    RekognitionCustomLabelsModel(stack, "C", project_version_arn=VERSION_ARN)
    HostedModelProvider.of(stack)
    found = statements(Template.from_stack(stack).to_json())
    assert {sid for sid, each in found.items() if each["Resource"] == "*"} == {
        "LookoutVisionList",
        "RekognitionList",
        "PersonalizeList",
        "PersonalizeTag",
        "PersonalizeClosed",
    }


def test_a_vpc_needs_network_interfaces(stack):
    HostedModelProvider(stack, "Provider", vpc=ec2.Vpc(stack, "Vpc", nat_gateways=0, max_azs=1))
    vpc = statements(Template.from_stack(stack).to_json())["Vpc"]
    assert (vpc["Resource"], {action.split(":")[0] for action in vpc["Action"]}) == ("*", {"ec2"})


def test_the_same_arn_stands_there_once(stack):
    for version in ("3", "4"):
        LookoutVisionModel(stack, f"M{version}", project_name="boards", model_version=version)
    provider = HostedModelProvider.of(stack)
    before = statements(Template.from_stack(stack).to_json())["LookoutVisionClaim"]["Resource"]
    assert len(before) == 2
    assert provider is HostedModelProvider.of(stack)


@pytest.mark.parametrize("vpc", [False, True], ids=["open", "vpc"])
@pytest.mark.parametrize(
    ("name", "count", "stack_name"),
    [
        *(("circuit-boards-{:03}", count, "S") for count in (1, 10, 200)),
        ("circuit-boards-{:03}", 26, "s" * 128),
        *(("long-" + "x" * 240 + "-{:03}", count, "s" * 128) for count in (1, 100)),
    ],
    ids=lambda value: value if isinstance(value, int) else value[:4],
)
def test_the_policies_fit(tmp_path, name, count, stack_name, vpc):
    """A managed policy takes 6,144 characters, and a role ten of them; nothing is inline."""
    environment = Environment(account=ACCOUNT, region="ap-northeast-1")
    stack = Stack(App(outdir=str(tmp_path)), "S", env=environment, stack_name=stack_name)
    if vpc:
        HostedModelProvider(stack, "Provider", vpc=ec2.Vpc(stack, "Vpc", nat_gateways=0, max_azs=1))
    arn = VERSION_ARN.replace(REGION, "ap-northeast-1")
    for number in range(count):
        project = name.format(number)
        LookoutVisionModel(stack, f"M{number}", project_name=project, model_version="3")
        if number < 3:
            labels = arn.replace("project/boards", f"project/{project}")
            RekognitionCustomLabelsModel(stack, f"R{number}", project_version_arn=labels)
    template = Template.from_stack(stack).to_json()
    assert not [each for each in template["Resources"].values() if each["Type"] == "AWS::IAM::Policy"]
    sizes = _sizes(template, stack_name)
    assert max(sizes) <= 6_144
    assert len(sizes) <= 10
    claimed = [
        text(arn)
        for sid, each in statements(template).items()
        if sid.startswith("LookoutVisionClaim")
        for arn in ([each["Resource"]] if isinstance(each["Resource"], dict) else each["Resource"])
    ]
    wanted = [name.format(number) for number in range(count)]
    assert sorted(arn.rsplit("/", 2)[1] for arn in claimed) == wanted


def test_arns_that_are_known_at_deploy_fit_too(app):
    """By their parameters; a project and a version of 60 characters each, as the console names versions."""
    stack = Stack(app, "S", env=Environment(account=ACCOUNT, region="ap-northeast-1"))
    for number in range(60):
        arn = CfnParameter(stack, f"Arn{number}").value_as_string
        RekognitionCustomLabelsModel(stack, f"R{number}", project_version_arn=arn)
    assert max(_sizes(Template.from_stack(stack).to_json(), "S")) <= 6_144


def test_what_anybody_grants_to_the_role_is_not_inline_either(stack):
    provider = HostedModelProvider(stack, "Provider")
    provider.function.add_to_role_policy(
        iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::mine/*"])
    )
    sqs.Queue(stack, "Queue").grant_send_messages(provider.function)
    assert resources(stack, "AWS::IAM::Policy") == {}
    granted = json.dumps(resources(stack, "AWS::IAM::ManagedPolicy"))
    assert "s3:GetObject" in granted
    assert "sqs:SendMessage" in granted


def _sizes(template: dict[str, Any], stack_name: str) -> list[int]:
    return [
        len(
            json.dumps(_deployed(resource["Properties"]["PolicyDocument"], stack_name), separators=(",", ":"))
        )
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    ]


def _deployed(value: Any, stack_name: str) -> Any:
    """The document as IAM gets it, with the longest values that its references can have."""
    match value:
        case {"Ref": "AWS::Partition"}:
            return "aws-us-gov"
        case {"Ref": "AWS::StackId"}:
            return f"arn:aws-us-gov:cloudformation:ap-northeast-1:{ACCOUNT}:stack/{stack_name}/" + "0" * 36
        case {"Ref": name} if name.startswith("Arn"):
            project, version = "p" * 60, "v" * 60
            labels = f"arn:aws-us-gov:rekognition:ap-northeast-1:{ACCOUNT}:project"
            return f"{labels}/{project}/version/{version}/1700000000001"
        case {"Fn::GetAtt": _}:
            name = f"{stack_name}-HostedModelProviderLogs83EC9BD8-0123456789AB"
            return f"arn:aws-us-gov:logs:ap-northeast-1:{ACCOUNT}:log-group:{name}:*"
        case {"Fn::Select": [0, _]}:
            return "0" * 8
        case {"Fn::Select": [2, _]}:
            return "0" * 36
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_deployed(part, stack_name) for part in parts)
        case dict():
            return {key: _deployed(each, stack_name) for key, each in value.items()}
        case list():
            return [_deployed(each, stack_name) for each in value]
    return value
