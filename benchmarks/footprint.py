"""What a design puts into an account and a repository: resources, template, asset; and what its synth takes.

``footprint``: CloudFormation resources, functions, roles, IAM statements and template bytes of a stack of 1,
10 and 100 models. The stack's own metadata (``AWS::CDK::Metadata``) is no resource here. Of a role, the
statements of its policies count, not that which says who may assume it. A managed policy of AWS counts as one
statement, however many it has. Bytes are those of the template as the CDK writes it.

``asset``: bytes of all code that a design's stack uploads, as files and as the archive that the cdk makes.

``synth``: seconds of a whole process that synthesises one model, against one with a bare CustomResource, and
against one with a function written by hand; the processes alternate. Seconds of processor time, those of the
processes it starts included, stand beside those of the clock: they suffer less from other work on a machine.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hosted_model_local.environment import search_path

ROOT = Path(__file__).resolve().parents[1]
SIZES = (1, 10, 100)
#: Their interval changes nothing here: one of each pair stands for both.
DESIGNS = {
    "hosted-model": "hosted-model",
    "crhelper": "crhelper-2min",
    "provider": "provider-5s",
    "sleeper": "sleeper-5s",
}
PAIRS, QUICK_PAIRS = 7, 2
AGAINST = {"bare": "a bare CustomResource", "function": "a function written by hand"}

Progress = Callable[[str], None]


def measure(quick: bool, progress: Progress) -> list[dict[str, Any]]:
    """Return the rows of ``footprint``, ``asset`` and ``synth``."""
    with TemporaryDirectory(prefix="footprint-") as name:
        folder = Path(name)
        environment = _environment(folder)
        progress("footprint: synthesising every design with 1, 10 and 100 models")
        assembly = folder / "assembly"
        stacks = [f"{name}-{size}={design}:{size}" for name, design in DESIGNS.items() for size in SIZES]
        subprocess.run(
            [sys.executable, "-m", "benchmarks.peers", str(assembly), *stacks],
            cwd=ROOT,
            env=environment,
            check=True,
        )
        rows = [_footprint(assembly, design, size) for design in DESIGNS for size in SIZES]
        rows += [_asset(assembly, design) for design in DESIGNS]
        pairs = QUICK_PAIRS if quick else PAIRS
        return rows + [_synth(kind, pairs, folder, environment, progress) for kind in AGAINST]


# --- footprint -------------------------------------------------------------------------------------------


def count(template: Mapping[str, Any]) -> dict[str, int]:
    """Return what a template has: resources, functions, roles, IAM statements."""
    resources = [one for one in template["Resources"].values() if one["Type"] != "AWS::CDK::Metadata"]
    kinds = Counter(one["Type"] for one in resources)
    return {
        "resources": len(resources),
        "functions": kinds["AWS::Lambda::Function"],
        "roles": kinds["AWS::IAM::Role"],
        "statements": sum(_statements(one) for one in resources),
    }


def _statements(resource: Mapping[str, Any]) -> int:
    properties = resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy":
            return len(properties["PolicyDocument"]["Statement"])
        case "AWS::IAM::Role":
            inline = [one["PolicyDocument"]["Statement"] for one in properties.get("Policies", [])]
            return sum(map(len, inline)) + len(properties.get("ManagedPolicyArns", []))
    return 0


def _footprint(assembly: Path, design: str, size: int) -> dict[str, Any]:
    file = assembly / f"{design}-{size}.template.json"
    found = count(json.loads(file.read_text()))
    size_in_bytes = file.stat().st_size
    return {
        "measure": "footprint",
        "design": design,
        "models": size,
        **found,
        "template_bytes": size_in_bytes,
    }


# --- asset -----------------------------------------------------------------------------------------------


def _asset(assembly: Path, design: str) -> dict[str, Any]:
    manifest = json.loads((assembly / f"{design}-1.assets.json").read_text())
    folders = [
        assembly / one["source"]["path"]
        for one in manifest["files"].values()
        if one["source"]["packaging"] == "zip"
    ]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return {
        "measure": "asset",
        "design": design,
        "assets": len(folders),
        "files": len(files),
        "bytes": sum(file.stat().st_size for file in files),
        "zipped_bytes": sum(map(zipped_bytes, folders)),
    }


def zipped_bytes(folder: Path) -> int:
    """Return the size of the archive of a folder, compressed as well as the format can."""
    with TemporaryDirectory() as name:
        archive = Path(name) / "asset.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as writer:
            for file in sorted(one for one in folder.rglob("*") if one.is_file()):
                writer.write(file, file.relative_to(folder))
        return archive.stat().st_size


# --- synth -----------------------------------------------------------------------------------------------


def _synth(
    against: str, pairs: int, folder: Path, environment: Mapping[str, str], progress: Progress
) -> dict[str, Any]:
    kinds = ("hosted-model", against)
    runs: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    # One run of each first, whose time nobody counts: files are read and compiled then.
    for number in range(pairs + 1):
        progress(f"synth: hosted-model against {AGAINST[against]}, pair {number} of {pairs}")
        for kind in kinds if number % 2 else reversed(kinds):
            spent = _run(kind, folder / "out", environment)
            if number:
                runs[kind].append(spent)
    ours, other = runs["hosted-model"], runs[against]
    return {
        "measure": "synth",
        "design": "hosted-model",
        "against": AGAINST[against],
        "pairs": pairs,
        "seconds": [round(clock, 3) for clock, _ in ours],
        "against_seconds": [round(clock, 3) for clock, _ in other],
        **_ratios("", [clock for clock, _ in ours], [clock for clock, _ in other]),
        **_ratios("processor_", [cpu for _, cpu in ours], [cpu for _, cpu in other]),
    }


def _ratios(prefix: str, ours: Sequence[float], other: Sequence[float]) -> dict[str, float]:
    return {
        f"{prefix}ratio": round(statistics.median(ours) / statistics.median(other), 4),
        f"{prefix}median_of_ratios": round(median_of_ratios(zip(ours, other, strict=True)), 4),
    }


def median_of_ratios(pairs: Iterable[tuple[float, float]]) -> float:
    """Return the median of each pair's own ratio: what both runs of a pair suffered is not in it."""
    return statistics.median(one / other for one, other in pairs)


def _run(kind: str, out: Path, environment: Mapping[str, str]) -> tuple[float, float]:
    """Return seconds of the clock and of processor time of one synth."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "synth_app.py"), kind],
        env={**environment, "CDK_OUTDIR": str(out)},
        check=True,
    )
    clock, after = time.perf_counter() - began, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return clock, spent


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment that ``scripts/cdk.sh`` gives to an app: a Node that can run it, no notices."""
    return {
        **os.environ,
        "PATH": search_path(os.environ["PATH"], folder / "bin"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "true",
    }


if __name__ == "__main__":
    for row in measure("--quick" in sys.argv, lambda line: print(line, file=sys.stderr, flush=True)):
        print(json.dumps(row))
