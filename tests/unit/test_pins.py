"""Whatever the package or a target of the Makefile asks for is pinned."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}


def name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


@pytest.mark.parametrize("extra", ASKED)
def test_every_requirement_is_pinned(extra: str) -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {name(line) for line in lines if "==" in line}
    assert {name(one) for one in ASKED[extra]} <= pinned


def test_the_requirements_of_a_clone_are_pinned_and_bring_the_package() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert {"-c constraints.txt", "-e .", "aws-cdk-lib", "constructs", "crhelper", "boto3", "pytest"} <= set(
        lines
    )
