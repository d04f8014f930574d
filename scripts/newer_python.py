#!/usr/bin/env python3
"""The runtime's tests on the newest Python that this machine has, in an environment of their own in .venvs.

The function runs on a later Python than the oldest one that the package admits, which may be the one that
made ``.venv``. What is installed is what the function's code and its tests import. The CDK is not: the
template whose policy is in force in the tests is made by the Python that runs this and comes as a file.

Where there is no newer Python, one line says so, and that is all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venvs" / "newer-python"
PYTHON = FOLDER / "bin" / "python"
TESTS = ("unit/runtime", "protocol/test_lifecycle.py", "protocol/test_hours.py", "protocol/test_measures.py")
NEEDS = (
    "aiohttp", "boto3", "crhelper", "greenlet", "hypothesis", "pytest", "pytest-timeout",
    "pytest-xdist", "trustme",
)  # fmt: skip
#: Of it the tests use what evaluates policies, which needs nothing else.
ALONE = "ministack"
_WORKS = "import ensurepip, sys, venv; print(*sys.version_info[:2])"


def main() -> int:
    """Run the tests; returns pytest's exit code."""
    newest = find()
    if newest is None:
        print(f"No Python newer than {_text(sys.version_info[:2])} is installed: nothing was run.")
        return 0
    install(newest)
    template = FOLDER / "template.json"
    template.write_text(json.dumps(_template()))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {
        "PYTHONPATH": os.pathsep.join(str(ROOT / root) for root in ("lambda", "local")),
        "HOSTED_MODEL_TESTS_TEMPLATE": str(template),
    }
    tests = (ROOT / "tests" / name for name in TESTS)
    command = [PYTHON, "-m", "pytest", "-q", *("-n", "2", "--dist", "worksteal"), *tests]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def find() -> str | None:
    """Return the newest Python that is newer than this one and can make environments; None: there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found: dict[tuple[int, int], str] = {}
    for path in (*pyenv.glob("3.*/bin/python3.*"), *_on_path()):
        if re.fullmatch(r"python3\.\d+", path.name) and (version := _version(path)):
            found.setdefault(version, str(path))
    newest = max(found, default=(0, 0))
    return found[newest] if newest > sys.version_info[:2] else None


def _on_path() -> list[Path]:
    folders = [Path(one) for one in os.environ.get("PATH", "").split(os.pathsep) if one]
    return [path for folder in folders for path in folder.glob("python3.*")]


def _version(path: Path) -> tuple[int, int] | None:
    """Return the version of a Python that works; a name on PATH may stand for one that is not there."""
    try:
        done = subprocess.run([path, "-c", _WORKS], capture_output=True, text=True, timeout=30, check=True)
        major, minor = map(int, done.stdout.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return major, minor


def install(python: str) -> None:
    """Make the environment, unless it is there with these versions."""
    pins = ROOT / "constraints.txt"
    wanted = "\n".join([python, *NEEDS, ALONE, pins.read_text(encoding="utf-8")])
    ready = FOLDER / "ready"
    if ready.is_file() and ready.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.parent.mkdir(exist_ok=True)
    subprocess.run([python, "-m", "venv", FOLDER], check=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", pins]
    subprocess.run([*pip, *NEEDS], check=True)
    subprocess.run([*pip, "--no-deps", ALONE], check=True)
    ready.write_text(wanted, encoding="utf-8")


def _template() -> object:
    sys.path.insert(0, str(ROOT / "tests"))
    from support.policy import template

    return template()


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    sys.exit(main())
