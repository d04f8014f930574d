"""A newcomer's first minutes: a clone, a virtual environment, `pip install -r requirements.txt`, `cdk synth`.

It installs some 70 MB into a new environment, which takes half a minute with what pip has cached.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support_package import SECONDS, clone, environment, offline
from support_stage import CHECKOUT

pytestmark = pytest.mark.e2e

#: What a person types, in the clone's folder. Byte code is left out for speed.
INSTALL = """set -e
"{python}" -m venv .venv
. .venv/bin/activate
PIP_NO_COMPILE=1 pip install --quiet --disable-pip-version-check -r requirements.txt
"""
SYNTH = ". .venv/bin/activate && cdk synth --quiet && python -m pytest --version"


def shell(text: str, folder: Path, variables: dict[str, str]) -> str:
    done = subprocess.run(
        ["sh", "-c", text], cwd=folder, env=variables,
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_clone_and_its_requirements_synthesise(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    # Node and npm are not needed to install: only what the system has for everybody is on PATH.
    shell(INSTALL.format(python=sys.executable), folder, environment() | {"PATH": os.defpath})
    assert "pytest" in shell(SYNTH, folder, offline(tmp_path / "bin"))
    template = json.loads((folder / "cdk.out" / "HostedModels.template.json").read_text())
    assert "AWS::Lambda::Function" in {one["Type"] for one in template["Resources"].values()}
    where = shell(
        ". .venv/bin/activate && python -c 'import hosted_model as h; print(h.__file__)'",
        folder,
        environment(),
    )
    assert Path(where.strip()).is_relative_to(folder)
    assert not Path(where.strip()).is_relative_to(CHECKOUT)
