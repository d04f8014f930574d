"""What synth, cdk-nag and cfn-lint say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from aws_cdk import Annotations, App, Duration, Environment, RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import ManualArgs, lint

from hosted_model import (
    RETAINED,
    RETIRED,
    SHORT_TIMEOUT,
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
    messages,
)


def every_kind(stack: Stack, models: int = 1) -> None:
    """One model of each service and each way to name it, and more models than the role's policy takes."""
    for number in range(models):
        LookoutVisionModel(stack, f"M{number}", project_name=f"circuit-boards-{number}", model_version="3")
    LookoutVisionModel(stack, "Latest", project_name="boards", model_version="latest")
    RekognitionCustomLabelsModel(stack, "A", project_version_arn=VERSION_ARN)
    RekognitionCustomLabelsModel(stack, "B", project_arn=PROJECT_ARN, version_name="v2")
    PersonalizeRecommender(stack, "C", recommender_arn=RECOMMENDER_ARN)


@pytest.fixture(params=["anywhere", "placed"])
def deployed(request: pytest.FixtureRequest, app: App) -> Stack:
    known = Environment(account=ACCOUNT, region=REGION)
    return Stack(app, "S", env=known if request.param == "placed" else None)


def test_cdk_nag_has_nothing_to_say(app, deployed):
    every_kind(deployed, models=50)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))
    app.synth()
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    assert report["pluginReports"]
    for each in report["pluginReports"]:
        assert (each["conclusion"], each["violations"]) == ("success", [])


def test_cdk_nag_still_sees_what_a_user_adds(app, stack):
    every_kind(stack)
    iam.Role(stack, "Mine", assumed_by=iam.AccountRootPrincipal()).add_to_policy(
        iam.PolicyStatement(actions=["lookoutvision:ListModels"], resources=["*"])
    )
    HostedModelProvider.of(stack).role.add_to_policy(
        iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::mine/*"])
    )
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="ValidationFailed") as raised:
        app.synth()
    assert set(re.findall(r"AwsSolutions-[A-Z]+\d+(?:\[.*?\])?", str(raised.value))) == {
        "AwsSolutions-IAM5[Resource::*]",
        "AwsSolutions-IAM5[Resource::arn:aws:s3:::mine/*]",
    }


def test_cfn_lint_has_nothing_to_say(app, deployed):
    every_kind(deployed, models=50)
    template = app.synth().get_stack_by_name("S").template
    # Errors and warnings, as the command says them without options.
    assert lint(json.dumps(template), config=ManualArgs(regions=[REGION])) == []


def test_the_retirement_is_said_once_and_can_be_acknowledged(stack):
    model = LookoutVisionModel(stack, "Model", project_name="boards", model_version="3")
    (said,) = messages(stack)
    assert "2025-10-31" in said
    assert f"[ack: {RETIRED}]" in said
    Annotations.of(model).acknowledge_warning(RETIRED, "We know.")
    assert messages(stack) == []


def test_rekognition_lives(stack):
    RekognitionCustomLabelsModel(stack, "Model", project_version_arn=VERSION_ARN)
    assert messages(stack) == []


@pytest.mark.parametrize(("seconds", "warned"), [(60, 1), (599, 1), (600, 0), (3600, 0)])
def test_a_timeout_that_leaves_no_time_for_a_second_try_is_warned_of(stack, seconds, warned):
    timeout = Duration.seconds(seconds)
    RekognitionCustomLabelsModel(stack, "Model", project_version_arn=VERSION_ARN, hosting_timeout=timeout)
    said = messages(stack)
    assert [f"hosting_timeout is {seconds} s" in each for each in said] == [True] * warned
    Annotations.of(stack).acknowledge_warning(SHORT_TIMEOUT)
    assert messages(stack) == []


@pytest.mark.parametrize(
    "policy", [RemovalPolicy.RETAIN, RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE], ids=lambda each: each.name
)
def test_a_model_that_goes_on_billing_says_so(stack, policy):
    model = RekognitionCustomLabelsModel(
        stack, "Model", project_version_arn=VERSION_ARN, removal_policy=policy
    )
    (said,) = messages(stack)
    assert "running, and billed" in said
    assert f"[ack: {RETAINED}]" in said
    Annotations.of(stack).acknowledge_warning(RETAINED)
    assert messages(stack) == []
    assert model.node.path == "S/Model"
