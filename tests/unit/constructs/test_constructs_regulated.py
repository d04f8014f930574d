"""The example for a security team: five packs of cdk-nag, and checkov where it is installed, find nothing."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
from pathlib import Path
from typing import Any

import aws_cdk
import cdk_nag
import pytest
from aws_cdk import App, Stack

from hosted_model import RekognitionCustomLabelsModel
from unit.constructs.conftest import VERSION_ARN

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "examples" / "regulated"
#: Made by `make checkov`: its pins do not go with ours.
CHECKOV = ROOT / ".venvs" / "checkov" / "bin" / "checkov"
PACKS = (
    "AwsSolutionsChecks",
    "HIPAASecurityChecks",
    "NIST80053R5Checks",
    "PCIDSS321Checks",
    "ServerlessChecks",
)


def with_packs(app: App) -> App:
    aws_cdk.Validations.of(app).add_plugins(*(getattr(cdk_nag, name)(app, verbose=True) for name in PACKS))
    return app


def found(app: App) -> dict[str, set[str]]:
    """The rules that are broken, by pack."""
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    return {
        each["pluginName"]: {violation["ruleName"] for violation in each["violations"]}
        for each in report["pluginReports"]
    }


@pytest.fixture
def regulated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> App:
    context: Any = json.loads((FOLDER / "cdk.json").read_text())["context"]
    app = App(outdir=str(tmp_path), context=context)
    monkeypatch.setattr(aws_cdk, "App", lambda: app)
    return app


def test_five_packs_find_nothing(regulated):
    with_packs(regulated)
    runpy.run_path(str(FOLDER / "app.py"))
    assert set().union(*found(regulated).values()) == set()


def test_each_pack_finds_what_the_default_leaves_to_the_user(tmp_path):
    """So the test above asks all of them."""
    app = with_packs(App(outdir=str(tmp_path)))
    RekognitionCustomLabelsModel(Stack(app, "S"), "Model", project_version_arn=VERSION_ARN)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    rules = {
        pack.split(".")[0]: {rule.rpartition("-")[2] for rule in rules} for pack, rules in found(app).items()
    }
    lambda_rules = {"LambdaConcurrency", "LambdaDLQ", "LambdaInsideVPC"}
    assert rules["HIPAA"] == rules["NIST"] == {*lambda_rules, "CloudWatchLogGroupEncrypted"}
    assert rules["PCI"] == {"LambdaInsideVPC", "CloudWatchLogGroupEncrypted"}
    assert rules["Serverless"] == {"LambdaDLQ", "LambdaTracing"}
    assert rules["AwsSolutions"] == set()


@pytest.mark.skipif(not CHECKOV.exists(), reason="checkov is not installed: make checkov")
def test_checkov_finds_nothing(regulated, tmp_path):
    runpy.run_path(str(FOLDER / "app.py"))
    template = Path(regulated.outdir) / "Regulated.template.json"
    done = subprocess.run(
        [str(CHECKOV), "--file", str(template), "--framework", "cloudformation", "--compact", "--quiet"],
        env={**os.environ, "LOG_LEVEL": "ERROR", "BC_SKIP_MAPPING": "TRUE"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
