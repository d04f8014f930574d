"""Fills a stack with models in each design; the names are those of the tables and plots."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources as cr

from hosted_model import LookoutVisionModel

from . import code

#: Project and version.
Model = tuple[str, str]

#: crhelper's README, "Polling".
CRHELPER_POLICY = (
    "lambda:AddPermission",
    "lambda:RemovePermission",
    "events:PutRule",
    "events:DeleteRule",
    "events:PutTargets",
    "events:RemoveTargets",
)


def hosted_model(stack: Stack, models: Sequence[Model]) -> None:
    """This project's construct."""
    for number, (project, version) in enumerate(models, 1):
        LookoutVisionModel(
            stack, f"Model{number}", project_name=project, model_version=version, min_inference_units=1
        )


def crhelper(stack: Stack, models: Sequence[Model], **options: object) -> None:
    """crhelper with these options of its ``CfnResource``; none are its defaults."""
    environment = {"CRHELPER_OPTIONS": json.dumps(options)} if options else {}
    function = _function(stack, "Function", "with_crhelper", "handler", models, 15, environment)
    function.add_to_role_policy(iam.PolicyStatement(actions=list(CRHELPER_POLICY), resources=["*"]))
    _resources(stack, function.function_arn, models, function.role)


def provider(stack: Stack, models: Sequence[Model], query_interval: Duration | None = None) -> None:
    """The Provider framework; no interval is its default of five seconds."""
    on_event = _function(stack, "OnEvent", "with_provider", "on_event", models, 1)
    is_complete = _function(stack, "IsComplete", "with_provider", "is_complete", models, 1)
    made = cr.Provider(
        stack,
        "Provider",
        on_event_handler=on_event,
        is_complete_handler=is_complete,
        query_interval=query_interval,
        total_timeout=Duration.hours(1),
    )
    _resources(stack, made.service_token, models, on_event.role, is_complete.role)


def sleeper(stack: Stack, models: Sequence[Model]) -> None:
    """One function that sleeps and asks."""
    function = _function(stack, "Function", "with_sleep", "handler", models, 15)
    _resources(stack, function.function_arn, models, function.role)


DESIGNS: Mapping[str, Callable[[Stack, Sequence[Model]], None]] = {
    "hosted-model": hosted_model,
    "crhelper-2min": crhelper,
    "crhelper-1min": lambda stack, models: crhelper(
        stack, models, polling_interval=1, log_level="INFO", sleep_on_delete=0
    ),
    "provider-5s": provider,
    "provider-1s": lambda stack, models: provider(stack, models, Duration.seconds(1)),
    "sleeper-5s": sleeper,
}


def _function(
    stack: Stack,
    construct_id: str,
    folder: str,
    handler: str,
    models: Sequence[Model],
    minutes: int,
    environment: Mapping[str, str] | None = None,
) -> lambda_.Function:
    function = lambda_.Function(
        stack,
        construct_id,
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=lambda_.Architecture.ARM_64,
        handler=f"index.{handler}",
        code=lambda_.Code.from_asset(code.stage(folder)),
        timeout=Duration.minutes(minutes),
        environment=dict(environment or {}),
    )
    arns = [
        stack.format_arn(service="lookoutvision", resource="model", resource_name=f"{project}/{version}")
        for project, version in models
    ]
    actions = ["lookoutvision:StartModel", "lookoutvision:DescribeModel", "lookoutvision:StopModel"]
    function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=arns))
    return function


def _resources(stack: Stack, token: str, models: Sequence[Model], *roles: iam.IRole | None) -> None:
    for number, (project, version) in enumerate(models, 1):
        resource = CustomResource(
            stack,
            f"Model{number}",
            resource_type="Custom::HostedModel",
            service_token=token,
            properties={"ProjectName": project, "ModelVersion": version, "MinInferenceUnits": 1},
        )
        # The last Delete needs the permissions that the first Create needed.
        resource.node.add_dependency(*(role for role in roles if role is not None))
