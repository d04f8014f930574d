"""The apps that the tests deploy, synthesised here, as a cdk command that need not do so starts faster."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import App, Aspects, CfnOutput, Environment, IAspect, Stack
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from hosted_model import HostedModel, LookoutVisionModel, PersonalizeRecommender, RekognitionCustomLabelsModel
from hosted_model_local.environment import ACCOUNT

Fill = Callable[[Stack], None]
REGION = "us-east-1"
_CONTEXT = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]


def assembly(folder: Path, stacks: Mapping[str, Fill]) -> Path:
    """Synthesise one app to ``folder``; return the folder, for `cdk --app`."""
    flags = {name: value for name, value in _CONTEXT.items() if name.startswith("@aws-cdk/")}
    app = App(outdir=str(folder), context=flags)
    for name, fill in stacks.items():
        fill(Stack(app, name, env=Environment(account=ACCOUNT, region=REGION)))
    app.synth()
    return folder


def lookoutvision(
    project: str, version: str = "1", units: int = 1, *, name: str = "Model", **more: Any
) -> Fill:
    """A Lookout for Vision model."""

    def fill(stack: Stack) -> None:
        model = LookoutVisionModel(
            stack, name, project_name=project, model_version=version, min_inference_units=units, **more
        )
        outputs(stack, model)

    return fill


def rekognition(arn: str, units: int = 1, *, name: str = "Model", **more: Any) -> Fill:
    """A Rekognition Custom Labels model."""

    def fill(stack: Stack) -> None:
        model = RekognitionCustomLabelsModel(
            stack, name, project_version_arn=arn, min_inference_units=units, **more
        )
        outputs(stack, model)

    return fill


def personalize(arn: str, units: int = 1, *, name: str = "Model", **more: Any) -> Fill:
    """An Amazon Personalize recommender."""

    def fill(stack: Stack) -> None:
        model = PersonalizeRecommender(
            stack, name, recommender_arn=arn, min_recommendation_requests_per_second=units, **more
        )
        outputs(stack, model)

    return fill


def together(*fills: Fill) -> Fill:
    """Several models in one stack."""

    def fill(stack: Stack) -> None:
        for one in fills:
            one(stack)

    return fill


def without(action: str, fill: Fill) -> Fill:
    """The same, but the function's role lacks one action."""

    def fill_and_strip(stack: Stack) -> None:
        fill(stack)
        Aspects.of(stack).add(_Without(action))

    return fill_and_strip


@jsii.implements(IAspect)
class _Without:
    """Takes one action out of every policy's statements."""

    def __init__(self, action: str) -> None:
        self._action = action

    def visit(self, node: IConstruct) -> None:
        if not isinstance(node, iam.CfnPolicy | iam.CfnManagedPolicy):
            return
        document = Stack.of(node).resolve(node.policy_document)
        for statement in document["Statement"]:
            actions = statement["Action"]
            if isinstance(actions, list):
                statement["Action"] = [one for one in actions if one != self._action]
        document["Statement"] = [one for one in document["Statement"] if one["Action"] != self._action]
        node.policy_document = document


def function_timeout(fill: Fill, seconds: int) -> Fill:
    """The same, but Lambda ends the function's invocations after this time."""

    def fill_and_shorten(stack: Stack) -> None:
        fill(stack)
        model = next(one for one in stack.node.children if isinstance(one, HostedModel))
        model.provider.function.node.default_child.timeout = seconds  # type: ignore[union-attr]

    return fill_and_shorten


def granted(assembly: Path, stack: str) -> set[str]:
    """The actions that the template's policies allow the function."""
    template = json.loads((assembly / f"{stack}.template.json").read_text())
    found: set[str] = set()
    for resource in template["Resources"].values():
        if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                if statement["Effect"] == "Allow":
                    found.update([actions] if isinstance(actions, str) else actions)
    return found


def outputs(stack: Stack, model: HostedModel) -> None:
    """Give the stack the outputs of the sample app; of the first model only."""
    if stack.node.try_find_child("ModelArn"):
        return
    CfnOutput(stack, "ModelArn", value=model.model_arn)
    CfnOutput(stack, "ModelVersion", value=model.model_version)
    CfnOutput(stack, "Status", value=model.status)
    CfnOutput(stack, "HostedAt", value=model.hosted_at)
