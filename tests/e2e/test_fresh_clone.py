"""A newcomer's first minutes: a clone, a virtual environment, `pip install -r requirements.txt`, `cdk synth`.

The commands are those of the first part of docs/first-ten-minutes.md; test_newcomer.py types the others. It
installs some 70 MB into a new environment, which takes half a minute with what pip has cached.
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

from support import transcript

pytestmark = pytest.mark.e2e

PAGE = CHECKOUT / "docs" / "first-ten-minutes.md"
ACTIVATE = ". .venv/bin/activate"
#: Byte code is left out for speed.
QUICK = {"PIP_NO_COMPILE": "1", "PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def typed() -> tuple[str, str]:
    """What a person types in the clone's folder: to install, and to synthesise."""
    clone_it, *install, synth = transcript.steps(PAGE)[0].typed.splitlines()
    assert clone_it.startswith("git clone ")
    assert ACTIVATE in install
    return "\n".join(install).replace("python3 ", f'"{sys.executable}" '), synth


def shell(text: str, folder: Path, variables: dict[str, str]) -> str:
    done = subprocess.run(
        ["sh", "-ec", text], cwd=folder, env=variables,
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_clone_and_its_requirements_synthesise(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    install, synth = typed()
    # Node and npm are not needed to install: only what the system has for everybody is on PATH.
    shell(install, folder, environment() | QUICK | {"PATH": os.defpath})
    after = f"{ACTIVATE}\n{synth}\npython -m pytest --version"
    assert "pytest" in shell(after, folder, offline(tmp_path / "bin"))
    template = json.loads((folder / "cdk.out" / "HostedModels.template.json").read_text())
    assert "AWS::Lambda::Function" in {one["Type"] for one in template["Resources"].values()}
    where = shell(
        ". .venv/bin/activate && python -c 'import hosted_model as h; print(h.__file__)'",
        folder,
        environment(),
    )
    assert Path(where.strip()).is_relative_to(folder)
    assert not Path(where.strip()).is_relative_to(CHECKOUT)
