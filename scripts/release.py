"""Make a release in dist/ and try it: wheel, sdist, bill of materials, checksums. Nothing is uploaded.

It builds the sdist and from it the wheel, has twine check both, installs the wheel alone in a new virtual
environment, synthesises an example with it, and lists what that environment holds as a CycloneDX file. The
version is that of pyproject.toml, and CHANGELOG.md must tell of it.

Run by `make release`; exit code 1 and a sentence where something is not as it must be.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from hosted_model_local.environment import search_path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
EXAMPLE = ROOT / "examples" / "rekognition"
SECONDS = 600


def main() -> None:
    """Make it; what it made is said at the end."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    name, version = str(project["name"]), str(project["version"])
    if f"## [{version}]" not in (ROOT / "CHANGELOG.md").read_text():
        sys.exit(f"CHANGELOG.md has no chapter [{version}]: say what is new, then release")
    wheel, sdist = build(name, version)
    step("twine check")
    run(sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(sdist))
    with tempfile.TemporaryDirectory() as folder:
        python = install(wheel, Path(folder))
        check_version(python, name, version)
        synthesise(python, Path(folder))
        bill = DIST / f"{name}-{version}.cdx.json"
        list_parts(python, bill)
    made = [wheel, sdist, bill]
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in made)
    (DIST / "SHA256SUMS").write_text(sums)
    print(f"\ndist/ has version {version}; nothing was uploaded:\n{sums}", end="")


def build(name: str, version: str) -> tuple[Path, Path]:
    """The wheel and the sdist, into an empty dist/; the build backend is the pinned one."""
    step("build")
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(DIST), str(ROOT))
    stem = f"{name.replace('-', '_')}-{version}"
    wheel, sdist = DIST / f"{stem}-py3-none-any.whl", DIST / f"{stem}.tar.gz"
    if {wheel, sdist} != set(DIST.iterdir()):
        sys.exit(f"dist/ has {sorted(one.name for one in DIST.iterdir())}, not {wheel.name} and {sdist.name}")
    return wheel, sdist


def install(wheel: Path, folder: Path) -> Path:
    """The Python of a new virtual environment that holds the wheel and what it asks for."""
    step("install the wheel in a new environment")
    # Without pip of its own, so that the bill of materials lists what the wheel brings and nothing else.
    run(sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--disable-pip-version-check")
    run(*pip, "install", "--no-compile", "--constraint", str(ROOT / "constraints.txt"), str(wheel))
    run(*pip, "check")
    return python


def check_version(python: Path, name: str, version: str) -> None:
    """The installed package says its version, and does not come from the checkout."""
    ask = f"import importlib.metadata as m, hosted_model as h; print(m.version({name!r}), h.__file__)"
    said, _, where = run(str(python), "-c", ask).strip().partition(" ")
    if said != version or not Path(where).is_relative_to(python.parents[1]):
        sys.exit(f"the new environment has {said} at {where}, not {version} of its own")


def synthesise(python: Path, folder: Path) -> None:
    """`cdk synth` of an example with that Python."""
    step(f"synthesise {EXAMPLE.relative_to(ROOT)}")
    path = search_path(os.environ["PATH"], folder / "bin")
    output = folder / "cdk.out"
    command = ["cdk", "synth", "--quiet", "--output", str(output), "--app", f"{python} app.py"]
    run(*command, cwd=EXAMPLE, environment={**clean(), "PATH": path})
    templates = [json.loads(file.read_text()) for file in output.glob("*.template.json")]
    kinds = {one["Type"] for template in templates for one in template["Resources"].values()}
    if not {"AWS::Lambda::Function", "Custom::HostedModel"} <= kinds:
        sys.exit(f"the example's template has only {sorted(kinds)}")


def list_parts(python: Path, bill: Path) -> None:
    """A CycloneDX bill of materials of what the wheel brings, the same for the same versions."""
    step("bill of materials")
    options = ("--output-reproducible", "--output-format", "JSON", "--output-file", str(bill))
    about = ("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "library")
    run(sys.executable, "-m", "cyclonedx_py", "environment", *about, *options, str(python))
    parts = {one["name"] for one in json.loads(bill.read_text())["components"]}
    if not {"aws-cdk-lib", "boto3", "constructs", "crhelper"} <= parts or {"pip", "setuptools"} & parts:
        sys.exit(f"the bill of materials lists only {sorted(parts)}")


def clean() -> dict[str, str]:
    """The environment without AWS, the CDK and a path to this checkout's code."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_", "PYTHON"))
    }


def step(title: str) -> None:
    """Say what comes."""
    print(f"==> {title}", flush=True)


def run(*command: str, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> str:
    """What a command prints; if it fails, its whole output and the end."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment or clean(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
