"""A stack that version 0.1 deployed is updated by this version: its model is not touched."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from support_apps import lookoutvision
from support_stage import Stage

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
#: The last commit of version 0.1.
VERSION_0_1 = "76d3c584ae3feaf31fd14696dc7af0fab32b981a"
_APP = """
import sys
from aws_cdk import App, Stack
from hosted_model import LookoutVisionModel
app = App(outdir=sys.argv[1])
stack = Stack(app, "Upgraded")
LookoutVisionModel(stack, "Model", project_name="upgraded", model_version="1")
app.synth()
"""


def synth_by_version_0_1(folder: Path) -> Path:
    """Synthesise a stack with the packages of version 0.1, taken from the history."""
    packed = subprocess.run(
        ["git", "archive", VERSION_0_1, "constructs", "lambda"], cwd=ROOT, capture_output=True, check=False
    )
    if packed.returncode:
        pytest.skip("this clone does not have the history of version 0.1")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder / "old", filter="data")
    path = os.pathsep.join(str(folder / "old" / root) for root in ("constructs", "lambda"))
    assembly = folder / "assembly"
    made = subprocess.run(
        [sys.executable, "-c", _APP, str(assembly)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return assembly


def test_a_stack_of_version_0_1_keeps_its_model(stage: Stage, synth, tmp_path: Path) -> None:
    stage.seed("upgraded", "1")
    assert stage.deploy(synth_by_version_0_1(tmp_path)) == 0
    before = stage.model("upgraded", "1")
    assert before.status == "HOSTED"

    assert stage.deploy(synth({"Upgraded": lookoutvision("upgraded")})) == 0
    same = stage.model("upgraded", "1")
    assert (same.status, same.starts, same.history) == (before.status, 1, before.history)

    assert stage.deploy(synth({"Upgraded": lookoutvision("upgraded", units=2)})) == 0
    resized = stage.model("upgraded", "1")
    assert (resized.status, resized.starts, resized.units) == ("HOSTED", 2, 2)

    assert stage.destroy(synth({"Upgraded": lookoutvision("upgraded")})) == 0
    stage.assert_gone("upgraded", "1", starts=2)
    assert stage.rules() == []
