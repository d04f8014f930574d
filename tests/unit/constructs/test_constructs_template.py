"""What is deployed: few resources, in an order that a Delete survives, in every partition and scope."""

from __future__ import annotations

import json
from pathlib import Path

import jsii
import pytest
from aws_cdk import (
    App,
    Aspects,
    CfnResource,
    Environment,
    IAspect,
    NestedStack,
    RemovalPolicy,
    Stack,
    Stage,
    Tags,
)
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from aws_cdk.assertions import Template
from constructs import IConstruct

from hosted_model import (
    HostedModel,
    HostedModelProvider,
    LookoutVisionModel,
    RekognitionCustomLabelsModel,
    asset,
)
from hosted_model_runtime.contract import Env
from unit.constructs.conftest import PROJECT_ARN, VERSION_ARN, models, only, resources, text


def vision(scope, construct_id="Model", version="3", **more):
    return LookoutVisionModel(scope, construct_id, project_name="boards", model_version=version, **more)


def labels(scope, construct_id="Labels", **more):
    return RekognitionCustomLabelsModel(scope, construct_id, project_version_arn=VERSION_ARN, **more)


def test_the_custom_resource(stack):
    vision(stack, min_inference_units=2, max_inference_units=4)
    resource = only(models(stack))
    token = resource["Properties"].pop("ServiceToken")
    assert token == {"Fn::GetAtt": [next(iter(resources(stack, "AWS::Lambda::Function"))), "Arn"]}
    assert resource["Properties"] == {
        "ServiceTimeout": "3600",
        "Service": "lookoutvision",
        "Model": {"ProjectName": "boards", "ModelVersion": "3"},
        "MinInferenceUnits": 2,
        "MaxInferenceUnits": 4,
        "OnRunning": "FAIL",
        "HostingTimeoutSeconds": 3600,
    }
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Delete", "Delete")


def test_the_custom_resource_of_rekognition(stack):
    labels(stack)
    RekognitionCustomLabelsModel(stack, "Named", project_arn=PROJECT_ARN, version_name="v2")
    first, second = (each["Properties"] for each in models(stack).values())
    assert (first["Service"], first["Model"]) == ("rekognition", {"ProjectVersionArn": VERSION_ARN})
    assert "MaxInferenceUnits" not in first
    assert second["Model"] == {"ProjectArn": PROJECT_ARN, "VersionName": "v2"}


@pytest.mark.parametrize(("count", "policies"), [(1, 0), (10, 0), (80, 2), (200, 3)])
def test_seven_resources_for_the_first_model_and_one_for_each_further(stack, count, policies):
    for number in range(count):
        LookoutVisionModel(stack, f"M{number}", project_name=f"circuit-boards-{number:03}", model_version="3")
    found = Template.from_stack(stack).to_json()["Resources"]
    found_policies = sum(one["Type"] == "AWS::IAM::ManagedPolicy" for one in found.values())
    assert found_policies <= 2 + policies
    assert len(found) == 5 + found_policies + (count - 1)
    if policies == 0:
        kinds = {each["Type"] for each in found.values()} - {"Custom::HostedModel"}
        assert kinds == {
            "AWS::Lambda::Function",
            "AWS::Lambda::Permission",
            "AWS::IAM::Role",
            "AWS::IAM::ManagedPolicy",
            "AWS::Logs::LogGroup",
        }


def test_the_services_share_one_function(stack):
    vision(stack)
    labels(stack)
    assert len(Template.from_stack(stack).to_json()["Resources"]) == 8


def test_a_further_model_changes_one_variable_of_the_function():
    def function(count):
        stack = Stack(App(), "S")
        for number in range(1, count + 1):
            vision(stack, f"Model{number}", str(number), min_inference_units=1)
        if count > 1:
            labels(stack, min_inference_units=1)
        found = only(resources(stack, "AWS::Lambda::Function"))["Properties"]
        return found["Environment"]["Variables"].pop(Env.MODELS), found

    (one, of_one), (more, of_more) = function(1), function(3)
    assert one == "lookoutvision=1"
    assert more == "lookoutvision=3 rekognition=1"
    assert of_one == of_more


def test_the_function(stack):
    vision(stack)
    properties = only(resources(stack, "AWS::Lambda::Function"))["Properties"]
    assert (properties["Runtime"], properties["Architectures"]) == ("python3.14", ["arm64"])
    assert (properties["Timeout"], properties["MemorySize"]) == (900, 160)
    assert text(properties["Environment"]["Variables"][Env.RULE_PREFIX]).startswith("HostedModel-")
    assert only(resources(stack, "AWS::Logs::LogGroup"))["Properties"]["RetentionInDays"] == 30


def test_its_rules_alone_may_invoke_it(stack):
    vision(stack)
    properties = only(resources(stack, "AWS::Lambda::Permission"))["Properties"]
    assert properties["Principal"] == "events.amazonaws.com"
    # EventBridge would not be let in by it.
    assert "SourceAccount" not in properties
    arn = text(properties["SourceArn"])
    assert arn.startswith("arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:rule/HostedModel-<…>-*")


def test_what_a_delete_needs_is_deleted_after_it(stack):
    for number in range(80):
        LookoutVisionModel(stack, f"M{number}", project_name=f"circuit-boards-{number:03}", model_version="3")
    found = Template.from_stack(stack).to_json()["Resources"]
    needed = {
        name
        for name, each in found.items()
        if each["Type"].startswith("AWS::IAM") or each["Type"] == "AWS::Lambda::Permission"
    }
    # The role, its policy, the permission, and two policies with the rest of the models.
    assert len(needed) == 5
    for each in models(stack).values():
        assert needed <= set(each["DependsOn"])


def test_dependants_wait_until_it_is_hosted(stack):
    model = vision(stack)
    ssm.StringParameter(stack, "ByArn", string_value=model.model_arn)
    ssm.StringParameter(stack, "ByDependency", string_value="x").node.add_dependency(model)
    logical_id = next(iter(models(stack)))
    by_arn, by_dependency = resources(stack, "AWS::SSM::Parameter").values()
    assert by_arn["Properties"]["Value"] == {"Fn::GetAtt": [logical_id, "ModelArn"]}
    assert by_dependency["DependsOn"] == [logical_id]


def test_the_attributes(stack):
    model = vision(stack, version="latest")
    logical_id = next(iter(models(stack)))
    for value, name in (
        (model.model_arn, "ModelArn"),
        (model.model_version, "ModelVersion"),
        (model.status, "Status"),
        (model.hosted_at, "HostedAt"),
    ):
        assert stack.resolve(value) == {"Fn::GetAtt": [logical_id, name]}
    assert isinstance(model, HostedModel)
    assert model.stack is stack


def test_the_escape_hatch(stack):
    child = vision(stack).node.default_child
    assert isinstance(child, CfnResource)
    child.add_property_override("OnRunning", "ADOPT")
    assert only(models(stack))["Properties"]["OnRunning"] == "ADOPT"


def test_retain(stack):
    vision(stack, removal_policy=RemovalPolicy.RETAIN)
    resource = only(models(stack))
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", None])
def test_every_partition(app, region):
    stack = Stack(app, "S", env=Environment(region=region) if region else None)
    vision(stack)
    RekognitionCustomLabelsModel(
        stack,
        "Labels",
        project_version_arn=VERSION_ARN.replace("arn:aws:", "arn:aws-cn:").replace(
            "eu-west-1", region or "eu-west-1"
        ),
    )
    written = json.dumps(Template.from_stack(stack).to_json())
    assert "arn:aws:" not in written
    assert "amazonaws.com.cn" not in written


def test_nested_stacks_have_their_own(stack):
    vision(stack)
    nested = NestedStack(stack, "Nested")
    inner = vision(nested, "Model", "4")
    assert Stack.of(inner.provider) is nested
    assert len(Template.from_stack(nested).to_json()["Resources"]) == 7


def test_stages_of_a_pipeline(app):
    for region in ("eu-west-1", "us-east-1"):
        stage = Stage(app, f"In-{region}", env=Environment(account="111122223333", region=region))
        stack = Stack(stage, "S")
        vision(stack)
        assert len(Template.from_stack(stack).to_json()["Resources"]) == 7


def test_a_model_below_another_construct(stack):
    inner = HostedModelProvider.of(vision(stack))
    assert inner.node.path == "S/HostedModelProvider"


def test_the_asset_is_the_same_each_time(tmp_path):
    hashes = set()
    for number in range(2):
        stack = Stack(App(outdir=str(tmp_path / str(number))), f"S{number}")
        vision(stack)
        hashes.add(only(resources(stack, "AWS::Lambda::Function"))["Properties"]["Code"]["S3Key"])
    assert len(hashes) == 1


def test_the_asset_stays_where_nothing_copies_it(tmp_path):
    """``cdk synth --no-staging``: SAM reads the folder when the app's process is over."""
    app = App(outdir=str(tmp_path), context={"aws:cdk:disable-asset-staging": True})
    vision(Stack(app, "S"))
    (manifest,) = Path(app.synth().directory).glob("*.assets.json")
    paths = {each["source"].get("path") for each in json.loads(manifest.read_text())["files"].values()}
    assert asset.stage(True) in paths
    assert asset.stage(True) not in {each.name for each in asset._STAGED}


@jsii.implements(IAspect)
class Boundary:
    def visit(self, node: IConstruct) -> None:
        if isinstance(node, iam.CfnRole):
            node.permissions_boundary = "arn:x:iam::111122223333:policy/Boundary"


def test_a_permissions_boundary(app, stack):
    vision(stack)
    boundary = iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "Boundary")
    iam.PermissionsBoundary.of(app).apply(boundary)
    role = only(resources(stack, "AWS::IAM::Role"))
    assert text(role["Properties"]["PermissionsBoundary"]).endswith(":policy/Boundary")


def test_aspects(stack):
    vision(stack)
    Aspects.of(stack).add(Boundary())
    role = only(resources(stack, "AWS::IAM::Role"))
    assert role["Properties"]["PermissionsBoundary"] == "arn:x:iam::111122223333:policy/Boundary"


def test_tags_reach_whatever_can_have_them(stack):
    vision(stack)
    Tags.of(stack).add("team", "x")
    for kind in ("AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Logs::LogGroup"):
        assert only(resources(stack, kind))["Properties"]["Tags"] == [{"Key": "team", "Value": "x"}]


def test_log_group_and_memory(stack):
    group = logs.LogGroup(stack, "Group", retention=logs.RetentionDays.ONE_DAY)
    provider = HostedModelProvider(stack, "Provider", log_group=group, memory_size=512)
    vision(stack)
    properties = only(resources(stack, "AWS::Lambda::Function"))["Properties"]
    assert properties["MemorySize"] == 512
    assert properties["LoggingConfig"]["LogGroup"] == stack.resolve(group.log_group_name)
    assert (provider.log_group, isinstance(provider.function, lambda_.Function)) == (group, True)
    assert isinstance(provider.role, iam.Role)


def test_retention_and_encryption_of_logs(stack):
    key = kms.Key(stack, "Key")
    HostedModelProvider(stack, "Provider", log_retention=logs.RetentionDays.ONE_YEAR, log_encryption_key=key)
    properties = only(resources(stack, "AWS::Logs::LogGroup"))["Properties"]
    assert (properties["RetentionInDays"], properties["KmsKeyId"]) == (365, stack.resolve(key.key_arn))
    policy = only(resources(stack, "AWS::KMS::Key"))["Properties"]["KeyPolicy"]["Statement"][-1]
    assert text(policy["Principal"]["Service"]) == "logs.<AWS::Region>.<AWS::URLSuffix>"
    (pattern,) = policy["Condition"]["ArnLike"].values()
    assert text(pattern) == "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:*"


def test_a_vpc(stack):
    vpc = ec2.Vpc(stack, "Vpc", max_azs=1)
    endpoint = vpc.add_interface_endpoint("Events", service=ec2.InterfaceVpcEndpointAwsService.EVENTBRIDGE)
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
    HostedModelProvider(stack, "Provider", vpc=vpc, security_groups=[group])
    vision(stack)
    function = only(resources(stack, "AWS::Lambda::Function"))
    assert len(function["Properties"]["VpcConfig"]["SubnetIds"]) == 1
    assert function["Properties"]["VpcConfig"]["SecurityGroupIds"] == [stack.resolve(group.security_group_id)]
    # The last Delete calls from there: the way out is deleted after the function.
    assert stack.resolve(endpoint.node.default_child.logical_id) in function["DependsOn"]
    assert next(iter(resources(stack, "AWS::EC2::NatGateway"))) in function["DependsOn"]
