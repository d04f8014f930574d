"""The package as others get it: built, and installed in a virtual environment of its own."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path

from support_stage import CHECKOUT

from hosted_model_local.environment import search_path

CONSTRAINTS = CHECKOUT / "constraints.txt"
VENV = CHECKOUT / ".venvs" / "wheel"
#: The first installation fetches some 70 MB; the first type check without a cache reads all of the CDK.
SECONDS = 600
#: Nobody listens on the discard port: whatever asks the network fails at once.
_NOWHERE = "http://127.0.0.1:9"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass(frozen=True)
class Distributions:
    """What `python -m build` made: the wheel that comes from the sdist, and the one from the checkout."""

    sdist: Path
    wheel: Path
    wheel_of_checkout: Path


def build(folder: Path) -> Distributions:
    """Build everything; without isolation, so that nothing is fetched."""
    both, direct = folder / "both", folder / "direct"
    run("-m", "build", "--no-isolation", "--outdir", str(both), str(CHECKOUT))
    run("-m", "build", "--no-isolation", "--wheel", "--outdir", str(direct), str(CHECKOUT))
    (sdist,), (wheel,), (of_checkout,) = both.glob("*.tar.gz"), both.glob("*.whl"), direct.glob("*.whl")
    return Distributions(sdist, wheel, of_checkout)


@contextmanager
def installed(wheel: Path) -> Iterator[Path]:
    """The Python of a virtual environment that holds this wheel and what it asks for, and nothing else.

    Made by `pip install` once for each set of dependencies; with the same ones only the wheel is installed
    anew. Whoever else tests this checkout waits meanwhile.
    """
    VENV.parent.mkdir(exist_ok=True)
    ready, python = VENV / "ready", VENV / "bin" / "python"
    wanted = _dependencies(wheel)
    with open(VENV.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if ready.exists() and ready.read_text() == wanted:
            _pip(python, "install", "--no-deps", "--force-reinstall", str(wheel))
        else:
            venv.create(VENV, clear=True, with_pip=True)
            _pip(python, "install", "--no-compile", "--constraint", str(CONSTRAINTS), str(wheel))
            ready.write_text(wanted)
        yield python


def clone(folder: Path) -> Path:
    """A copy of what git has of this checkout, changes that are not committed included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=SECONDS, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name)
    return folder


def type_check(python: Path, *files: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`mypy --strict`, without our configuration, for the packages of another Python.

    What `make lint` has learnt of the CDK, whose reading takes two minutes, is taken over: mypy compares
    contents before it believes it.
    """
    cache, ours = VENV / "mypy-cache", CHECKOUT / ".mypy_cache"
    if ours.exists() and not cache.exists():
        shutil.copytree(ours, cache)
    options = ("--strict", "--config-file=", "--python-executable", str(python), "--cache-dir", str(cache))
    return subprocess.run(
        [sys.executable, "-m", "mypy", *options, *files],
        cwd=cwd, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


def offline(tools: Path) -> dict[str, str]:
    """An environment with the cdk command, without AWS and without a way to the network."""
    proxies = {
        name: _NOWHERE for upper in _PROXIES for name in (upper, upper.lower())
    }  # fmt: skip
    kept = {name: value for name, value in environment().items() if name.upper() != "NO_PROXY"}
    return {
        **kept,
        **proxies,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": search_path(os.environ["PATH"], tools),
    }


def environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of ``base`` but those of AWS, the CDK and Python, which a user may not have."""
    return {
        name: value
        for name, value in base.items()
        if not name.startswith(("AWS_", "CDK_", "PYTHON", "VIRTUAL_"))
    }


def run(*arguments: str, python: str | Path = sys.executable) -> str:
    """What Python says when it is run with these arguments; a failure shows all of it."""
    done = subprocess.run(
        [str(python), *arguments],
        cwd=VENV.parent, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _pip(python: Path, *arguments: str) -> None:
    run("-m", "pip", "--quiet", "--disable-pip-version-check", *arguments, python=python)


def _dependencies(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = BytesParser().parsebytes(archive.read(name))
    needs = [one for one in metadata.get_all("Requires-Dist", []) if "extra ==" not in one]
    text = "\n".join([sys.version, *sorted(needs), CONSTRAINTS.read_text()])
    return hashlib.sha256(text.encode()).hexdigest()
