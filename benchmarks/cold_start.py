"""What a cold start costs: the handler's import and one adapter's client, against boto3 and one client.

Every figure is of a process of its own, taken in turns. What is timed begins when the interpreter is up, for
Lambda starts that whatever the code is. What the function brings along is staged as it is deployed: sources
only, in a folder that is not written to. So it is compiled in every process, as Lambda does it, where
``/var/task`` is read-only; boto3 and the standard library come compiled, as in Lambda's runtime. One more row
has the function compiled too, to tell what compiling costs.

Memory is the most that the process had resident, the interpreter included: Lambda's "Max Memory Used" holds
its runtime client besides, a few MiB.
"""

from __future__ import annotations

import compileall
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import ROOT
from hosted_model_runtime.services import ADAPTERS

RUNS, QUICK_RUNS = 11, 4

Progress = Callable[[str], None]

#: What Lambda's own environment has, and the stack's; the client needs a region and finds keys.
ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_LAMBDA_FUNCTION_NAME": "HostedModels",
    "HOSTED_MODEL_RULE_PREFIX": "HostedModel-01234567-",
    "HOSTED_MODEL_STACK_ID": "arn:aws:cloudformation:us-east-1:000000000000:stack/HostedModels/01234567",
    "PYTHONDONTWRITEBYTECODE": "1",
}

#: In a process of its own: the constructs bring the CDK and its Node.
_STAGE = "import shutil, sys; from hosted_model import asset; shutil.copytree(asset.stage(), sys.argv[1])"
_BEGIN = "import sys, time; began, used = time.perf_counter(), time.process_time()"
_END = (
    "clock, cpu = time.perf_counter() - began, time.process_time() - used; "
    # Not ru_maxrss: it begins with that of the process that forked.
    "kib = [line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0]; "
    "print(clock, cpu, kib)"
)
_HANDLER = "from hosted_model_runtime import index"
_CLIENTS = {service: f"index.connect({service!r})" for service in ADAPTERS} | {
    "events": "from hosted_model_runtime.cloudformation import crhelper_resource as own; own._events()",
}


@dataclass(frozen=True)
class Subject:
    """One thing to start: the statements, what it is held against, whether its files are compiled before."""

    design: str
    what: str
    statements: tuple[str, ...]
    against: Subject | None = None
    compiled: bool = False


def _boto3(service: str) -> tuple[str, ...]:
    """Return what makes a client with boto3 alone."""
    data = "hosted_model_runtime/data"
    if not (ROOT / "lambda" / data / service).is_dir():
        return ("import boto3", f"boto3.client({service!r})")
    # boto3 does not know the service: it gets our service model, in the way in which the function gets it.
    return (
        "import boto3, botocore.session",
        "session = botocore.session.get_session()",
        f"session.get_component('data_loader').search_paths.append(sys.path[0] + '/{data}')",
        f"boto3.Session(botocore_session=session).client({service!r})",
    )


PYTHON = Subject("python", "the interpreter alone", ())
BASELINES = {
    service: Subject("boto3", f"boto3 and a client of {service}", _boto3(service)) for service in ADAPTERS
}
OURS = {
    service: Subject(
        "hosted-model", f"handler and client of {service}", (_HANDLER, _CLIENTS[service]), against
    )
    for service, against in BASELINES.items()
}
_FIRST, *_, _LAST = OURS
COMPILED = replace(OURS[_FIRST], what=f"{OURS[_FIRST].what}, compiled before", compiled=True)
ALL_CLIENTS = Subject(
    "hosted-model", "handler and every client", (_HANDLER, *_CLIENTS.values()), BASELINES[_LAST]
)
SUBJECTS = (PYTHON, *BASELINES.values(), *OURS.values(), COMPILED, ALL_CLIENTS)


def measure(quick: bool, progress: Progress) -> list[dict[str, Any]]:
    """Return one row for each subject; its ratios are to boto3 and a client of the same service."""
    runs = QUICK_RUNS if quick else RUNS
    with TemporaryDirectory(prefix="cold-start-") as name:
        plain, compiled = stage(Path(name)), Path(name) / "compiled"
        shutil.copytree(plain, compiled)
        compileall.compile_dir(compiled, quiet=2)
        taken: dict[Subject, list[tuple[float, float, int]]] = {subject: [] for subject in SUBJECTS}
        # The first round warms the system's file cache and is not counted.
        for number in range(runs + 1):
            progress(f"cold-start: round {number} of {runs}")
            for subject in SUBJECTS if number % 2 else SUBJECTS[::-1]:
                found = start(subject, compiled if subject.compiled else plain)
                if number:
                    taken[subject].append(found)
    return [_row(subject, taken) for subject in SUBJECTS]


def stage(folder: Path) -> Path:
    """Return the function's sources as they are deployed, in a new folder of this one."""
    task = folder / "task"
    subprocess.run([sys.executable, "-c", _STAGE, str(task)], check=True, stderr=subprocess.DEVNULL)
    return task


def start(subject: Subject, task: Path) -> tuple[float, float, int]:
    """Return seconds of the clock, seconds of processor time, and the most bytes resident of one process."""
    program = "; ".join([_BEGIN, f"sys.path.insert(0, {str(task)!r})", *subject.statements, _END])
    done = subprocess.run(
        [sys.executable, "-c", program],
        # In a folder without files: what lies where a process starts is found first.
        cwd=task.parent,
        env=environment(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    clock, cpu, kibibytes = done.stdout.split()
    return float(clock), float(cpu), int(kibibytes) * 1024


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return a process's environment: the machine's, but for AWS and Python that of Lambda."""
    kept = {name: value for name, value in base.items() if not name.startswith(("AWS_", "PYTHON"))}
    return kept | ENVIRONMENT


def _row(subject: Subject, taken: Mapping[Subject, list[tuple[float, float, int]]]) -> dict[str, Any]:
    clocks, cpus, sizes = zip(*taken[subject], strict=True)
    return {
        "measure": "cold-start",
        "design": subject.design,
        "what": subject.what,
        "runs": len(clocks),
        "seconds": [round(one, 4) for one in clocks],
        "processor_seconds": [round(one, 4) for one in cpus],
        "peak_mib": round(statistics.median(sizes) / 2**20, 1),
        "most_mib": round(max(sizes) / 2**20, 1),
        **_ratios(subject, taken),
    }


def _ratios(subject: Subject, taken: Mapping[Subject, list[tuple[float, float, int]]]) -> dict[str, Any]:
    if subject.against is None:
        return {}
    clocks, cpus, _ = zip(*taken[subject], strict=True)
    base_clocks, base_cpus, _ = zip(*taken[subject.against], strict=True)
    return {
        "against": subject.against.what,
        "ratio": ratio(clocks, base_clocks),
        "median_of_ratios": round(
            statistics.median(one / other for one, other in zip(clocks, base_clocks, strict=True)), 4
        ),
        "processor_ratio": ratio(cpus, base_cpus),
    }


def ratio(ours: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the ratio of the medians."""
    return round(statistics.median(ours) / statistics.median(other), 4)


if __name__ == "__main__":
    for row in measure("--quick" in sys.argv, lambda line: print(line, file=sys.stderr, flush=True)):
        print(json.dumps(row))
