"""Wrong input fails at synth, and the error alone is enough to mend it: path, value, rule."""

from __future__ import annotations

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, RemovalPolicy, Stack, Stage
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template

from hosted_model import HostedModelProvider, LookoutVisionModel, OnRunning, RekognitionCustomLabelsModel
from unit.constructs.conftest import ACCOUNT, PROJECT_ARN, REGION, VERSION_ARN, models, only

VISION = {"project_name": "boards", "model_version": "3"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"project_name": "_boards"},
            "project_name must match [a-zA-Z0-9][a-zA-Z0-9_\\-]*, but it is '_boards'",
        ),
        ({"project_name": ""}, "project_name must have 1 to 255 characters, but '' has 0"),
        ({"project_name": "b" * 256}, "has 256 (StartModel, Amazon Lookout for Vision API Reference)"),
        ({"project_name": None}, "project_name must be a string, but it is None"),
        ({"model_version": "03"}, "model_version must match ([1-9][0-9]*|latest), but it is '03'"),
        ({"model_version": "Latest"}, "but it is 'Latest'"),
        ({"model_version": 3}, "model_version must be a string, but it is 3"),
        ({"model_version": "12345678901"}, "model_version must have 1 to 10 characters"),
        ({"min_inference_units": 0}, "min_inference_units must be at least 1, but it is 0"),
        ({"min_inference_units": -1}, "min_inference_units must be at least 1, but it is -1"),
        ({"min_inference_units": 1.5}, "min_inference_units must be a whole number, but it is 1.5"),
        ({"min_inference_units": 1.0}, "min_inference_units must be a whole number, but it is 1.0"),
        ({"min_inference_units": True}, "min_inference_units must be a whole number, but it is True"),
        ({"min_inference_units": "1"}, "min_inference_units must be a whole number, but it is '1'"),
        ({"max_inference_units": 0}, "max_inference_units must be at least 1, but it is 0"),
        (
            {"min_inference_units": 3, "max_inference_units": 2},
            "max_inference_units (2) must not be smaller than min_inference_units (3)",
        ),
        (
            {"hosting_timeout": Duration.seconds(59)},
            "hosting_timeout must be whole seconds from 60 to 3600, but it is 59 (ServiceTimeout,",
        ),
        ({"hosting_timeout": Duration.minutes(61)}, "but it is 3660"),
        ({"hosting_timeout": Duration.millis(60_500)}, "but it is 60.5"),
        ({"on_running": "ADOPT"}, "on_running must be a member of OnRunning, but it is 'ADOPT'"),
        (
            {"removal_policy": "RETAIN"},
            "must be a member of RemovalPolicy, but it is 'RETAIN'",
        ),
        ({"removal_policy": RemovalPolicy.SNAPSHOT}, "removal_policy must be DESTROY or RETAIN"),
    ],
    # Not the Duration itself, which has an address in its name: two workers must find the same tests.
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_wrong_input(stack, wrong, said):
    with pytest.raises(ValueError, match=r"^S/Inspector: ") as raised:
        LookoutVisionModel(stack, "Inspector", **{**VISION, **wrong})
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {},
            "name the model by project_version_arn, or by project_arn and version_name, but given is neither",
        ),
        ({"project_arn": PROJECT_ARN}, "but given is project_arn"),
        ({"version_name": "v1"}, "but given is version_name"),
        ({"project_version_arn": VERSION_ARN, "version_name": "v1"}, "project_version_arn, version_name"),
        ({"project_version_arn": PROJECT_ARN}, "project_version_arn must match (^arn:"),
        ({"project_version_arn": "boards"}, "project_version_arn must have 20 to 2048 characters"),
        ({"project_arn": VERSION_ARN, "version_name": "v1"}, "project_arn must match (^arn:"),
        ({"project_arn": PROJECT_ARN, "version_name": "v 1"}, "version_name must match [a-zA-Z0-9_.\\-]+"),
        ({"project_arn": PROJECT_ARN, "version_name": "v" * 256}, "version_name must have 1 to 255"),
        (
            {"project_version_arn": VERSION_ARN.replace(REGION, "us-east-1")},
            f"must be of the stack's region {REGION}, but it is 'arn:aws:rekognition:us-east-1:",
        ),
        (
            {"project_version_arn": VERSION_ARN.replace(ACCOUNT, "444455556666")},
            f"project_version_arn must be of the stack's account {ACCOUNT}",
        ),
        (
            {"project_arn": PROJECT_ARN.replace(REGION, "us-east-1"), "version_name": "v1"},
            "project_arn must be of the stack's region",
        ),
        (
            {"project_version_arn": VERSION_ARN, "min_inference_units": 0},
            "min_inference_units must be at least",
        ),
    ],
    ids=str,
)
def test_wrong_input_for_rekognition(placed, given, said):
    with pytest.raises(ValueError, match=r"^Placed/Labels: ") as raised:
        RekognitionCustomLabelsModel(placed, "Labels", **given)
    assert said in str(raised.value)


def test_an_arn_of_anywhere_passes_where_the_stack_may_be_anywhere(stack):
    RekognitionCustomLabelsModel(stack, "Labels", project_version_arn=VERSION_ARN)


def test_the_ends_of_every_range_pass(stack):
    LookoutVisionModel(stack, "A", project_name="b" * 255, model_version="1234567890")
    LookoutVisionModel(stack, "B", **VISION, max_inference_units=1, hosting_timeout=Duration.seconds(60))
    LookoutVisionModel(
        stack, "C", project_name="0", model_version="latest", hosting_timeout=Duration.hours(1)
    )
    found = models(stack)
    assert [each["Properties"]["ServiceTimeout"] for each in found.values()] == ["3600", "60", "3600"]


def test_tokens_pass(stack):
    number = CfnParameter(stack, "Units", type="Number").value_as_number
    name = CfnParameter(stack, "Name").value_as_string
    LookoutVisionModel(
        stack,
        "Vision",
        project_name=name,
        model_version=CfnParameter(stack, "Version").value_as_string,
        min_inference_units=number,
        max_inference_units=number,
    )
    properties = only(models(stack))["Properties"]
    assert properties["Model"] == {"ProjectName": {"Ref": "Name"}, "ModelVersion": {"Ref": "Version"}}
    assert properties["MinInferenceUnits"] == properties["MaxInferenceUnits"] == {"Ref": "Units"}


def test_a_token_stands_beside_a_number(stack):
    number = CfnParameter(stack, "Units", type="Number").value_as_number
    LookoutVisionModel(stack, "A", **VISION, min_inference_units=7, max_inference_units=number)
    with pytest.raises(ValueError, match="max_inference_units must be at least 1"):
        LookoutVisionModel(stack, "B", **VISION, min_inference_units=number, max_inference_units=0)


def test_tokens_pass_for_rekognition(placed):
    arn = CfnParameter(placed, "Arn").value_as_string
    RekognitionCustomLabelsModel(placed, "A", project_version_arn=arn)
    project = CfnParameter(placed, "Project").value_as_string
    RekognitionCustomLabelsModel(
        placed, "B", project_arn=project, version_name=CfnParameter(placed, "Version").value_as_string
    )
    first, second = (each["Properties"]["Model"] for each in models(placed).values())
    assert first == {"ProjectVersionArn": {"Ref": "Arn"}}
    assert second == {"ProjectArn": {"Ref": "Project"}, "VersionName": {"Ref": "Version"}}


def test_a_timeout_is_known_at_synth(stack):
    number = CfnParameter(stack, "Seconds", type="Number").value_as_number
    with pytest.raises(ValueError, match="S/A: hosting_timeout must be known at synth"):
        LookoutVisionModel(stack, "A", **VISION, hosting_timeout=Duration.seconds(number))


def test_one_model_has_one_owner(stack):
    LookoutVisionModel(stack, "First", **VISION)
    with pytest.raises(ValueError, match="S/Second: model boards/3 is declared by S/First already"):
        LookoutVisionModel(stack, "Second", **VISION)


def test_one_owner_in_all_stacks_of_an_environment(app):
    def stack_of(scope: App | Stage, name: str, region: str) -> Stack:
        return Stack(scope, name, env=Environment(account=ACCOUNT, region=region))

    LookoutVisionModel(stack_of(app, "One", "eu-west-1"), "Model", **VISION)
    LookoutVisionModel(stack_of(app, "Far", "us-east-1"), "Model", **VISION)
    second = stack_of(Stage(app, "Prod"), "Two", "eu-west-1")
    with pytest.raises(ValueError, match="Prod/Two/Model: model boards/3 is declared by One/Model already"):
        LookoutVisionModel(second, "Model", **VISION)


def test_stacks_of_unknown_environments_may_be_apart(app):
    for name in ("One", "Two"):
        LookoutVisionModel(Stack(app, name), "Model", **VISION)


def test_two_names_of_one_rekognition_model(placed):
    RekognitionCustomLabelsModel(placed, "First", project_version_arn=VERSION_ARN)
    with pytest.raises(ValueError, match="model boards/v1 is declared by Placed/First already"):
        RekognitionCustomLabelsModel(placed, "Second", project_arn=PROJECT_ARN, version_name="v1")


def test_the_services_do_not_meet(stack):
    LookoutVisionModel(stack, "Vision", project_name="boards", model_version="1")
    RekognitionCustomLabelsModel(stack, "Labels", project_arn=PROJECT_ARN, version_name="1")


def test_a_stack_has_one_provider(stack):
    LookoutVisionModel(stack, "Model", **VISION)
    with pytest.raises(
        ValueError, match="S/Mine: the stack has a provider, S/HostedModelProvider: "
    ) as raised:
        HostedModelProvider(stack, "Mine")
    assert "made before" in str(raised.value)


def test_a_provider_is_found_by_whatever_name(stack):
    mine = HostedModelProvider(stack, "Mine", memory_size=512)
    assert LookoutVisionModel(stack, "Model", **VISION).provider is mine
    Template.from_stack(stack).resource_count_is("AWS::Lambda::Function", 1)


def test_properties_that_exclude_one_another(stack):
    group = logs.LogGroup(stack, "Group")
    with pytest.raises(ValueError, match="S/P: log_group excludes log_retention and log_encryption_key"):
        HostedModelProvider(stack, "P", log_group=group, log_retention=logs.RetentionDays.ONE_DAY)
    with pytest.raises(ValueError, match="S/P: vpc_subnets and security_groups need vpc"):
        HostedModelProvider(stack, "P", vpc_subnets=ec2.SubnetSelection())
    # What failed took nobody's place.
    assert isinstance(HostedModelProvider(stack, "P"), HostedModelProvider)


def test_adopting_is_asked_for_by_name(stack):
    LookoutVisionModel(stack, "Model", **VISION, on_running=OnRunning.ADOPT)
    assert only(models(stack))["Properties"]["OnRunning"] == "ADOPT"
