"""docs/first-ten-minutes.md, typed: each command in one shell, and what it prints against what is shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from support_package import environment
from support_stage import CHECKOUT

from hosted_model_local import run_folder
from hosted_model_local.environment import search_path
from support import transcript

pytestmark = pytest.mark.e2e

STEPS = transcript.steps(CHECKOUT / "docs" / "first-ten-minutes.md")
#: They install, and run the demo: minutes. test_fresh_clone.py does the first on every run.
SLOW = ("1. ", "2. ")
SECONDS, SECONDS_FROM_THE_CLONE = 600, 2400


def type_all(steps: list[transcript.Step], folder: Path, variables: Mapping[str, str]) -> None:
    """Type the steps in this folder, on a cloud of its own, and compare."""
    folder.mkdir()
    state = folder / "cloud"
    seconds = SECONDS_FROM_THE_CLONE if steps == STEPS else SECONDS
    try:
        played = transcript.play(steps, folder, {**variables, run_folder.STATE_VARIABLE: str(state)}, seconds)
        assert run_folder.load(state) is None, "the page ends what it started"
    finally:
        run_folder.end(state)
    for step, printed in played:
        assert transcript.missing(step, printed) is None, f"{step.title}\n{printed}"


@pytest.mark.slow
def test_an_app_of_three_models(tmp_path: Path) -> None:
    """From `up` to `down`, with the packages that this test has."""
    steps = [step for step in STEPS if not step.title.startswith(SLOW)]
    (tmp_path / "page").mkdir()
    variables = environment() | {"PYTHONPATH": os.pathsep.join(sys.path)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    type_all(steps, tmp_path / "page" / "clone", variables | {"PATH": path})


@pytest.mark.newcomer
def test_the_whole_page(tmp_path: Path) -> None:
    """From `git clone`, with what a new machine has and the pinned cdk command. `make newcomer` runs it."""
    python, ours = Path(sys.base_prefix) / "bin", str(Path(sys.executable).parent)
    path = search_path(f"{python}{os.pathsep}{os.defpath}", tmp_path / "bin").split(os.pathsep)
    path = os.pathsep.join(one for one in path if one != ours)
    type_all(STEPS, tmp_path / "page", environment() | {"PATH": path, "REPOSITORY": str(CHECKOUT)})
