"""The package in the hands of others: built, installed outside of the checkout, used by a second app.

What it proves: the wheel's own metadata bring all that an app needs (the environment is made by `pip install`
of the wheel alone, with this project's pinned versions); README's first app runs on it as it stands; nothing
of the checkout takes part, but for the local cloud, the type checker and the linter that look from outside.
The first run after a change of the dependencies installs them, some 40 s; later ones install the wheel only.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support_models import new_model
from support_package import SECONDS, Distributions, build, installed, offline, run, type_check
from support_stage import CHECKOUT, Stage

pytestmark = pytest.mark.e2e

PACKAGES = {
    "hosted_model": "constructs",
    "hosted_model_runtime": "lambda",
    "hosted_model_local": "local",
    "hosted_model_cli": "cli",
}
STACK, PROJECT, VERSION = "Inspection", "circuit-boards", "3"


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    (CHECKOUT / ".venvs").mkdir(exist_ok=True)
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def python(distributions: Distributions) -> Iterator[Path]:
    with installed(distributions.wheel) as made:
        yield made


@pytest.fixture
def user_app(tmp_path: Path, python: Path) -> Path:
    """README's first app, in a folder of its own."""
    folder = tmp_path / "app"
    folder.mkdir()
    first = re.search(r"```python\n(.*?)```", (CHECKOUT / "README.md").read_text(), re.S)
    assert first
    assert len([line for line in first[1].splitlines() if line]) <= 10
    (folder / "app.py").write_text(first[1])
    (folder / "cdk.json").write_text(json.dumps({"app": f"{python} app.py"}))
    return folder


def test_what_is_in_the_wheel_and_in_the_sdist(distributions: Distributions) -> None:
    expected = {
        str(file.relative_to(CHECKOUT / folder))
        for package, folder in PACKAGES.items()
        for file in (CHECKOUT / folder / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {
        "hosted_model_runtime/data/lookoutvision/2020-11-20/service-2.json",
        "hosted_model_local/simulator/server.py",
        *(f"{package}/py.typed" for package in PACKAGES),
    } <= expected
    found = contents(distributions.wheel)
    code = {name for name in found if ".dist-info/" not in name}
    assert code == expected
    (folder,) = {name.split("/")[0] for name in found.keys() - code}
    assert f"{folder}/licenses/LICENSE" in found
    assert found == contents(distributions.wheel_of_checkout), "by way of the sdist it is the same wheel"

    with tarfile.open(distributions.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    sources = {f"{PACKAGES[name.split('/')[0]]}/{name}" for name in expected}
    assert sources | {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= names
    assert {name.split("/")[0] for name in names if "/" in name} == set(PACKAGES.values())


def test_it_asks_for_no_more_than_an_app_has(python: Path) -> None:
    assert run("-m", "pip", "check", python=python).startswith("No broken requirements")
    found = {one["name"] for one in json.loads(run("-m", "pip", "list", "--format", "json", python=python))}
    assert {"cdk-hosted-model", "aws-cdk-lib", "constructs", "boto3", "crhelper"} <= found
    assert not found & {"ministack", "pytest", "mypy", "cdk-nag", "aiohttp", "typer"}
    say = f"import importlib.util as u; print(*(u.find_spec(p).origin for p in {list(PACKAGES)}))"
    assert all(Path(at).is_relative_to(python.parents[1]) for at in run("-c", say, python=python).split())


def test_types_reach_the_user(user_app: Path, python: Path) -> None:
    right = (user_app / "app.py").read_text()
    (user_app / "wrong.py").write_text(right.replace('project_name="circuit-boards"', "project_name=5"))
    checked = type_check(python, "app.py", cwd=user_app)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    wrong = type_check(python, "wrong.py", cwd=user_app).stdout
    assert 'Argument "project_name" to "LookoutVisionModel" has incompatible type "int"' in wrong


def test_a_users_app_from_synth_to_destroy(stage: Stage, user_app: Path, tmp_path: Path) -> None:
    synth(user_app, tmp_path / "wheel", tmp_path)
    synth(user_app, tmp_path / "checkout", tmp_path, "--app", f"{sys.executable} app.py")
    ours = template(tmp_path / "wheel")
    assert ours == template(tmp_path / "checkout"), "hash of the function's code included"
    lint = subprocess.run(
        [str(Path(sys.executable).parent / "cfn-lint"), str(tmp_path / "wheel" / f"{STACK}.template.json")],
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert (lint.returncode, lint.stdout) == (0, "")

    with new_model(stage, PROJECT, VERSION):
        deploy_and_destroy(stage, user_app, code(ours))


def deploy_and_destroy(stage: Stage, user_app: Path, ours: list[str]) -> None:
    deploy = stage.start("deploy", "--require-approval", "never", "--method", "direct", cwd=user_app)
    assert deploy.wait() == 0
    assert code(template(user_app / "cdk.out")) == ours, "each synth stages the code anew"
    hosted = stage.model(PROJECT, VERSION)
    assert (hosted.status, hosted.starts) == ("HOSTED", 1)
    assert stage.outputs(STACK) == {"ModelArn": hosted.arn}

    assert stage.destroy(user_app / "cdk.out") == 0
    assert stage.stack(STACK) is None
    stage.assert_gone(PROJECT, VERSION, starts=1)


def contents(wheel: Path) -> dict[str, int]:
    """The checksum of each file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {one.filename: one.CRC for one in archive.infolist()}


def synth(folder: Path, output: Path, tmp_path: Path, *more: str) -> None:
    """`cdk synth` of an app, offline."""
    done = subprocess.run(
        ["cdk", "synth", "--quiet", "--output", str(output), *more],
        cwd=folder, env=offline(tmp_path / "bin"), check=False,
        capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def template(assembly: Path) -> Any:
    return json.loads((assembly / f"{STACK}.template.json").read_text())


def code(synthesised: Any) -> list[str]:
    """The names of the functions' code: the hashes of their content."""
    return [
        each["Properties"]["Code"]["S3Key"]
        for each in synthesised["Resources"].values()
        if each["Type"] == "AWS::Lambda::Function"
    ]
