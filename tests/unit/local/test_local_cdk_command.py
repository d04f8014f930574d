"""The cdk command is fetched, pinned and whole, or nothing is started and one line says how to get it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from hosted_model_local import cdk_command, cloud, environment

ROOT = Path(__file__).parents[3]
#: Stands for npm: `ci` puts what package-lock.json has into node_modules.
NPM = """
import json, os, pathlib, sys
assert sys.argv[1] == "ci", sys.argv
lock = json.load(open("package-lock.json"))["packages"]
wanted = json.load(open("package.json"))["dependencies"]
assert lock[""]["dependencies"] == wanted == {"aws-cdk": lock["node_modules/aws-cdk"]["version"]}
pathlib.Path("node_modules/.bin").mkdir(parents=True)
pathlib.Path("node_modules/.bin/cdk").write_text(lock["node_modules/aws-cdk"]["integrity"])
"""


@pytest.fixture
def base(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_it_is_the_one_that_the_repository_pins() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]["node_modules/aws-cdk"]
    assert (locked["version"], locked["integrity"]) == (cdk_command.VERSION, cdk_command.INTEGRITY)


def test_it_is_fetched_into_the_users_cache(base: dict[str, str], tmp_path: Path) -> None:
    said: list[str] = []
    cdk_command.fetch(base, [sys.executable, "-c", NPM], said.append)
    command = cdk_command.fetched_folder(base) / "cdk"
    assert command.read_text() == cdk_command.INTEGRITY
    assert command.is_relative_to(tmp_path / "cache")
    assert cdk_command.VERSION in said[0]
    assert [one.name for one in (tmp_path / "cache" / "hosted-model-local").iterdir()] == [
        f"aws-cdk-{cdk_command.VERSION}"
    ]


@pytest.mark.parametrize("npm", [[sys.executable, "-c", "import sys; sys.exit('no network')"], ["/no/npm"]])
def test_a_fetch_that_fails_says_how_to_get_it_and_leaves_nothing(
    base: dict[str, str], tmp_path: Path, npm: list[str]
) -> None:
    with pytest.raises(cdk_command.CdkCommandError, match="npm install --global aws-cdk@") as caught:
        cdk_command.fetch(base, npm, lambda line: None)
    assert "no network" in str(caught.value) or "/no/npm" in str(caught.value)
    assert list((tmp_path / "cache" / "hosted-model-local").iterdir()) == []


def test_without_it_no_server_is_started(
    base: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_node_modules", list)
    monkeypatch.setattr(environment, "npm_command", lambda path: ["/no/npm"])
    monkeypatch.setattr(environment, "node_of_wheel_if_needed", lambda path: None)
    monkeypatch.setenv("XDG_CACHE_HOME", base["XDG_CACHE_HOME"])
    said: list[str] = []
    made = cloud.LocalCloud(tmp_path / "state", base={**base, "PATH": "/nowhere"}, say=said.append)
    with pytest.raises(cloud.LocalCloudError, match="npm install --global aws-cdk@"):
        made.start()
    assert made.pids == ()
    assert not any("starting" in line for line in said)
