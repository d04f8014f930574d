"""Stages the function's code from two installed packages: ours and crhelper.

Both are found as Python finds them, so a checkout and an installed wheel give the same files, hence the same
asset hash; nothing is downloaded and no container is run at synth.
"""

from __future__ import annotations

import importlib.util
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

PACKAGES = ("hosted_model_runtime", "crhelper")
_PREFIX = "hosted-model-"
_NO_STAGING = "aws:cdk:disable-asset-staging"
_SUFFIXES = {".py", ".json"}
#: Keeps the staged folders alive until the app's process ends, when CDK has long copied them.
_STAGED: list[TemporaryDirectory[str]] = []


@cache
def stage(stays: bool = False) -> str:
    """Return a folder that holds the code of the function; made once a process.

    Parameters
    ----------
    stays
        Whether it is there after the process.

    Raises
    ------
    ModuleNotFoundError
        When the runtime or crhelper is not installed beside the construct.
    """
    folder = mkdtemp(prefix=_PREFIX) if stays else _temporary()
    for package in PACKAGES:
        _copy(_folder(package), Path(folder) / package)
    return folder


def _temporary() -> str:
    _STAGED.append(TemporaryDirectory(prefix=_PREFIX))
    return _STAGED[-1].name


def code(scope: Construct) -> lambda_.Code:
    """Return the function's code as a CDK asset; its hash is that of the files' content.

    With ``cdk synth --no-staging`` the CDK copies nothing: then the folder stays, for SAM to find it.
    """
    return lambda_.Code.from_asset(stage(bool(scope.node.try_get_context(_NO_STAGING))))


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"The package {package} is not installed", name=package)
    return Path(spec.submodule_search_locations[0])


def _copy(source: Path, target: Path) -> None:
    for file in sorted(source.rglob("*")):
        if file.suffix in _SUFFIXES and "__pycache__" not in file.parts:
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
