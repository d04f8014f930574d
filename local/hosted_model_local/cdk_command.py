"""The cdk command: that on PATH, that of the checkout, or a pinned one fetched once for this user."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

# As package.json and package-lock.json of the repository have them, which the installed package has not.
VERSION = "2.1148.1"
INTEGRITY = "sha512-K3d02L17IwmAuiBWNuX1DzYhKUs9GrKYI7bZnGJfJ1bKz9ymXFxfudBOL3rUb8JAusDNSULiQU2fsJH7kyY2XA=="
FETCH_SECONDS = 300
_LINES = 5


class CdkCommandError(RuntimeError):
    """There is no cdk command, and none could be fetched; the message says how to get one."""


def fetched_folder(base: Mapping[str, str]) -> Path:
    """Where the pinned command is, or would be: in the user's cache."""
    cache = base.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "hosted-model-local" / f"aws-cdk-{VERSION}" / "node_modules" / ".bin"


def fetch(base: Mapping[str, str], npm: list[str], say: Callable[[str], None]) -> None:
    """Install the pinned cdk command for this user, its checksum compared with ours.

    Parameters
    ----------
    npm
        The command line of npm; ``base`` has the Node that it needs on PATH.

    Raises
    ------
    CdkCommandError
        It cannot be fetched.
    """
    folder = fetched_folder(base).parents[1]
    say(f"there is no cdk command on PATH: fetching aws-cdk {VERSION} into {folder}")
    # Beside its final place, so that a broken download is never taken for a command.
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        draft.mkdir(parents=True)
        for name, document in _manifests().items():
            (draft / name).write_text(json.dumps(document))
        done = subprocess.run(
            [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=draft, env=dict(base), stdin=subprocess.DEVNULL, timeout=FETCH_SECONDS, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        if done.returncode:
            said = "\n".join(done.stdout.strip().splitlines()[:_LINES])
            raise CdkCommandError(f"{_ADVICE}\nnpm ended with exit code {done.returncode}: {said}")
        shutil.rmtree(folder, ignore_errors=True)
        draft.replace(folder)
    except (OSError, subprocess.SubprocessError) as error:
        raise CdkCommandError(f"{_ADVICE}\n{error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


_ADVICE = (
    f"there is no cdk command on PATH, and it could not be fetched: `npm install --global aws-cdk@{VERSION}` "
    "brings it, `up --no-bootstrap` does without"
)


def _manifests() -> dict[str, object]:
    needs = {"aws-cdk": VERSION}
    locked = {"version": VERSION, "integrity": INTEGRITY, "bin": {"cdk": "bin/cdk"}}
    packages = {"": {"dependencies": needs}, "node_modules/aws-cdk": locked}
    return {
        "package.json": {"private": True, "dependencies": needs},
        "package-lock.json": {"lockfileVersion": 3, "requires": True, "packages": packages},
    }
