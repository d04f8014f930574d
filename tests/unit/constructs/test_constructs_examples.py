"""The sample app and every example are synthesised as they stand, in this process."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
from aws_cdk.assertions import Template

# Before an example runs: what it replaces in aws_cdk must not be what the constructs import.
import hosted_model  # noqa: F401
from unit.constructs.conftest import ACCOUNT, PROJECT_ARN, REGION, VERSION_ARN

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/cdk.json"))
#: Those that an old aws-cdk-lib can synthesise: what acknowledges findings is younger.
HERE = [name for name in EXAMPLES if name != "regulated" or hasattr(aws_cdk, "Validations")]


@pytest.fixture
def synthesise(monkeypatch, tmp_path):
    """Run an app as the cdk command does: with its cdk.json's context and an output folder."""

    def run(folder: Path, **context: Any) -> dict[str, Any]:
        known = json.loads((folder / "cdk.json").read_text()).get("context", {})
        app = aws_cdk.App(outdir=str(tmp_path), context={**known, **context})
        monkeypatch.setattr(aws_cdk, "App", lambda: app)
        runpy.run_path(str(folder / "app.py"), run_name="__main__")
        return {
            stack.node.path: Template.from_stack(stack).to_json()["Resources"]
            for stack in app.node.children
            if isinstance(stack, aws_cdk.Stack)
        }

    return run


def kinds(resources: dict[str, Any]) -> list[str]:
    return [each["Type"] for each in resources.values()]


def test_there_are_as_many_as_the_list_says():
    said = (ROOT / "examples" / "README.md").read_text()
    assert [name for name in EXAMPLES if f"[{name}]({name}/)" in said] == EXAMPLES
    assert len(EXAMPLES) == 10


@pytest.mark.parametrize("name", HERE)
def test_an_example(synthesise, name):
    folder = ROOT / "examples" / name
    stacks = synthesise(folder)
    hosted = [each for resources in stacks.values() for each in kinds(resources)]
    assert hosted.count("Custom::HostedModel") == {"several-models": 3, "blue-green": 2}.get(name, 1)
    assert hosted.count("Custom::HostedModel") >= 1
    assert (folder / "README.md").read_text().count("cdk deploy") >= 1
    # It can be tried on the local cloud: no account or region is written down.
    assert ACCOUNT not in json.dumps(stacks)


def test_what_the_api_waits_for(synthesise):
    resources = synthesise(ROOT / "examples" / "detect-behind-api")["DetectBehindApi"]
    (model,) = (name for name, each in resources.items() if each["Type"] == "Custom::HostedModel")
    (function,) = (
        each for name, each in resources.items() if name.startswith("Detect") and "Code" in str(each)
    )
    assert function["Properties"]["Environment"]["Variables"]["MODEL_ARN"] == {
        "Fn::GetAtt": [model, "ModelArn"]
    }
    (api,) = (each for each in resources.values() if each["Type"] == "AWS::ApiGatewayV2::Api")
    assert api["DependsOn"] == [model]


def test_blue_green_follows_its_context(synthesise):
    resources = synthesise(ROOT / "examples" / "blue-green", versions="v2 v3", live="v3")["BlueGreen"]
    (live,) = (each for each in resources.values() if each["Type"] == "AWS::SSM::Parameter")
    assert live["Properties"]["Value"]["Fn::GetAtt"][0].startswith("Modelv3")


@pytest.mark.parametrize(
    ("context", "model", "units"),
    [
        ({}, {"ProjectName": "circuit-boards", "ModelVersion": "1"}, (1, None)),
        (
            # From the command line every value is a text.
            {"project": "caps", "version": "7", "min_units": "2", "max_units": "4"},
            {"ProjectName": "caps", "ModelVersion": "7"},
            (2, 4),
        ),
        (
            {"service": "rekognition", "project": "boards", "version": "v1", "model_arn": VERSION_ARN},
            {"ProjectVersionArn": VERSION_ARN},
            (1, None),
        ),
        (
            {"service": "rekognition", "project": PROJECT_ARN, "version": "v1"},
            {"ProjectArn": PROJECT_ARN, "VersionName": "v1"},
            (1, None),
        ),
    ],
    ids=str,
)
def test_the_sample_app(synthesise, monkeypatch, context, model, units):
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", ACCOUNT)
    monkeypatch.setenv("CDK_DEFAULT_REGION", REGION)
    resources = synthesise(ROOT, **context)["HostedModels"]
    (found,) = (each for each in resources.values() if each["Type"] == "Custom::HostedModel")
    properties = found["Properties"]
    assert properties["Model"] == model
    assert (properties["MinInferenceUnits"], properties.get("MaxInferenceUnits")) == units


_SYNTHESISE = """
import json, runpy, sys
from pathlib import Path
import aws_cdk
from aws_cdk import aws_ec2, aws_iam, aws_kms, aws_scheduler
from hosted_model import HostedModelProvider, HostingHours, LookoutVisionModel
make = aws_cdk.App
for number, folder in enumerate(map(Path, sys.argv[2:])):
    context = json.loads((folder / "cdk.json").read_text()).get("context", {})
    aws_cdk.App = lambda: make(outdir=f"{sys.argv[1]}/{number}", context=context)
    runpy.run_path(str(folder / "app.py"), run_name="__main__")

# What no example uses.
app = make(outdir=f"{sys.argv[1]}/more")
stack = aws_cdk.Stack(app, "More")
HostedModelProvider(stack, "P", vpc=aws_ec2.Vpc(stack, "Vpc"), log_encryption_key=aws_kms.Key(stack, "Key"))
cron = aws_scheduler.ScheduleExpression.cron
model = LookoutVisionModel(
    stack, "Model", project_name="boards", model_version="3",
    hosting_hours=HostingHours(start=cron(hour="8", minute="0"), stop=cron(hour="18", minute="0")),
)
role = aws_iam.Role(stack, "Role", assumed_by=aws_iam.AccountRootPrincipal())
model.grant(role, "lookoutvision:DescribeModel")
model.add_idle_alarm()
model.add_hosting_failure_alarm()
app.synth()
"""


def test_no_app_uses_what_the_cdk_has_deprecated(tmp_path):
    folders = [ROOT, *(ROOT / "examples" / name for name in HERE)]
    command = [sys.executable, "-c", _SYNTHESISE, str(tmp_path), *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert len([*tmp_path.glob("*/manifest.json")]) == len(folders) + 1
    lines = (done.stdout + done.stderr).splitlines()
    assert [line for line in lines if "deprecated" in line.lower()] == []
