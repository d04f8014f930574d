"""A model has one owner, in whatever way two constructs name it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations_with_replacement

import pytest
from aws_cdk import App, Aws, CfnParameter, Environment, Fn, NestedStack, Stack
from constructs import Construct

from hosted_model import LookoutVisionModel, RekognitionCustomLabelsModel
from unit.constructs.conftest import ACCOUNT, PROJECT_ARN, REGION, VERSION_ARN

HERE = f"arn:{Aws.PARTITION}:rekognition:{Aws.REGION}:{Aws.ACCOUNT_ID}:project"
BOARDS = "boards/version/v1/1600000000001"
Declare = Callable[[Construct, str], object]


def by_arn(arn: str) -> Declare:
    return lambda scope, name: RekognitionCustomLabelsModel(scope, name, project_version_arn=arn)


def by_name(project_arn: str, version: str = "v1") -> Declare:
    return lambda scope, name: RekognitionCustomLabelsModel(
        scope, name, project_arn=project_arn, version_name=version
    )


#: The same model, named in each way that an app may have.
WAYS: dict[str, Declare] = {
    "ARN": by_arn(VERSION_ARN),
    "ARN of here": by_arn(f"{HERE}/{BOARDS}"),
    "formatted ARN": lambda scope, name: by_arn(
        Stack.of(scope).format_arn(service="rekognition", resource="project", resource_name=BOARDS)
    )(scope, name),
    "joined ARN": by_arn(Fn.join("/", [HERE, BOARDS])),
    "substituted ARN": by_arn(
        Fn.sub(f"arn:aws:rekognition:${{AWS::Region}}:${{AWS::AccountId}}:project/{BOARDS}")
    ),
    "name": by_name(PROJECT_ARN),
    "name here": by_name(f"{HERE}/boards/1600000000000"),
    "name in a joined ARN": by_name(Fn.join("", [HERE, "/boards/", "1600000000000"])),
}
PAIRS = list(combinations_with_replacement(WAYS, 2))


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_one_rekognition_model_by_two_names(app, stack, first, second):
    assert refused(app, lambda: (WAYS[first](stack, "First"), WAYS[second](stack, "Second"))) == (
        "model boards/v1 is declared by S/{} already: a model has one owner"
    )


@pytest.mark.parametrize("place", ["nested stack", "two nested stacks"])
@pytest.mark.parametrize("way", WAYS)
def test_nested_stacks_are_deployed_to_one_place(app, stack, place, way):
    first = stack if place == "nested stack" else NestedStack(stack, "A")
    second = NestedStack(NestedStack(stack, "B"), "C")
    said = refused(app, lambda: (WAYS[way](first, "First"), WAYS[way](second, "Second")))
    assert "model boards/v1 is declared by S/" in said


def test_parameters_name_one_model_too(app, stack):
    arn = CfnParameter(stack, "Arn")

    def declare() -> None:
        for name in ("First", "Second"):
            by_arn(arn.value_as_string)(stack, name)

    assert "is declared by S/{} already" in refused(app, declare)


def test_parameters_name_one_lookout_for_vision_model_too(app, stack):
    project = CfnParameter(stack, "Project")

    def declare() -> None:
        for name in ("First", "Second"):
            LookoutVisionModel(stack, name, project_name=project.value_as_string, model_version="3")

    assert "/3 is declared by S/{} already" in refused(app, declare)


def test_what_may_be_two_models_passes(app, stack):
    first, second = (CfnParameter(stack, name) for name in ("One", "Two"))
    for number, arn in enumerate(
        (
            first.value_as_string,
            second.value_as_string,
            f"{HERE}/boards/version/v1/1",
            f"{HERE}/boards/version/v2/1",
            f"{HERE}/caps/version/v1/1",
            f"{HERE}/{first.value_as_string}/version/v1/1",
            Fn.join("/", [HERE, second.value_as_string, "version/v1/1"]),
        )
    ):
        by_arn(arn)(stack, f"M{number}")
    app.synth()


def test_stacks_that_may_be_apart_pass(app):
    for name in ("One", "Two"):
        stack = Stack(app, name)
        by_arn(f"{HERE}/{BOARDS}")(stack, "ByArn")
        LookoutVisionModel(
            stack, "Vision", project_name=CfnParameter(stack, "Project").value_as_string, model_version="3"
        )
    app.synth()


def test_stacks_of_one_environment_do_not(app):
    here = Environment(account=ACCOUNT, region=REGION)
    one, two = (Stack(app, name, env=here) for name in ("One", "Two"))
    said = refused(
        app,
        lambda: (
            by_arn(Fn.join("/", [HERE, BOARDS]))(one, "Model"),
            by_arn(f"{HERE}/{BOARDS}")(two, "Model"),
        ),
    )
    assert "model boards/v1 is declared by " in said


def test_references_to_two_stacks_are_two_models(app):
    """Each reads ``{"Ref": "Project"}`` until the CDK has resolved references between stacks."""
    user = Stack(app, "User")
    for name in ("Blue", "Green"):
        project = CfnParameter(Stack(app, name), "Project").value_as_string
        LookoutVisionModel(user, name, project_name=project, model_version="3")
        by_arn(Fn.join("/", [HERE, project, "version/v1/1"]))(user, f"{name}Labels")
    app.synth()


def test_synthesising_twice_says_nothing_new(app, stack):
    by_arn(Fn.join("/", [HERE, BOARDS]))(stack, "Model")
    app.synth(force=True)
    app.synth(force=True)


def refused(app: App, declare: Callable[[], object]) -> str:
    """What the app is refused for, at once or at synth; the name of the first owner is left open."""

    def both() -> None:
        declare()
        app.synth()

    with pytest.raises((ValueError, RuntimeError), match="a model has one owner") as raised:
        both()
    (line,) = (each for each in str(raised.value).splitlines() if "a model has one owner" in each)
    said = line[line.index("model ") :]
    for name in ("First", "Second"):
        said = said.replace(f"S/{name} ", "S/{} ")
    return said
