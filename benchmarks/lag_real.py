"""Lag in real time: each design's whole stack on one local cloud, its models on one simulator.

The lag is the time from the moment at which the model became HOSTED, which the simulator's history holds
exactly, to CloudFormation's event CREATE_COMPLETE of the custom resource, whose time stamp has milliseconds.
One clock gives both.

The first stack of each design is deployed by the real ``cdk``, which publishes the assets; its start takes
about five seconds. Further stacks are made from its template by CloudFormation's CreateStack, with nothing
changed but the names, side by side, one every few seconds, the longest starts first. The starts' times are
spread a little, the same way for every design, so that no design's fixed interval is hit or missed by luck.

Where the local cloud is harder on a design than AWS: a look of the Provider framework that finds nothing ends
with an error of its own function, after which the local cloud starts a new Node process, where AWS would use
the old one again. That adds some tenths of a second to the lag of ``provider-5s`` and ``provider-1s``.

Every row carries how busy the machine's processors were, and how much of that was the cloud's own: where the
first is near 1, or far above the second, the figures say more about the machine than about the designs.

The simulator's quota of five requests a second is off here: ``growth`` measures it. IAM is enforced.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import urllib3

from hosted_model_local import clients, processes
from hosted_model_local.cloud import LocalCloud

ROOT = Path(__file__).resolve().parents[1]
DESIGNS = ("hosted-model", "crhelper-2min", "crhelper-1min", "provider-5s", "provider-1s", "sleeper-5s")
QUICK_DESIGNS = tuple(design for design in DESIGNS if design not in ("crhelper-2min", "sleeper-5s"))
STARTS = (5, 20, 90, 200)
QUICK_STARTS = (5, 20)
REPETITIONS = 3
#: The first stack's start, which the real cdk deploys.
FIRST_START = 5
#: Creating a stack costs about a second of processor time; this many seconds apart they do not pile up.
GAP_SECONDS = 4.0
#: How many stacks of a design may be under way at once. Each look of the Provider framework starts a Node
#: process on the local cloud: more of these would slow the others down.
AT_ONCE = {"provider-1s": 2}
#: Start times are spread by at most this: half of the longest fixed interval under a minute.
SPREAD_SECONDS = 2.5
_LOOK_SECONDS = 1.0
_LIMIT_SECONDS = 600.0
_CDK_SECONDS = 400.0
_RESOURCE_TYPES = ("Custom::HostedModel", "AWS::CloudFormation::CustomResource")
_SEED = 6

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One stack: a design, a start time and a repetition; its model's project is called as the stack."""

    design: str
    nominal: int
    repetition: int
    start_seconds: float

    @property
    def stack(self) -> str:
        return f"lag-{self.design}-{self.nominal}-{self.repetition}"

    @property
    def by(self) -> str:
        return "cdk deploy" if (self.nominal, self.repetition) == (FIRST_START, 0) else "CreateStack"


def plan(quick: bool) -> list[Run]:
    """Return every stack, those that the cdk deploys first, then the longest starts first."""
    designs, starts = (QUICK_DESIGNS, QUICK_STARTS) if quick else (DESIGNS, STARTS)
    repetitions = 1 if quick else REPETITIONS
    draw = random.Random(_SEED)
    runs = []
    for nominal in sorted(starts, reverse=True):
        spread = min(SPREAD_SECONDS, nominal / 5)
        for repetition in range(repetitions):
            # Stratified: one draw from each of as many equal parts of the spread as there are repetitions.
            part = (repetition + draw.random()) / repetitions
            start = round(nominal + spread * (2 * part - 1), 3)
            runs += [Run(design, nominal, repetition, start) for design in designs]
    return sorted(runs, key=lambda run: run.by != "cdk deploy")


def measure(quick: bool, progress: Progress) -> list[dict[str, Any]]:
    """Return one row for each stack.

    Raises
    ------
    RuntimeError
        A deploy failed, or a stack is not complete in ten minutes.
    """
    runs = plan(quick)
    with TemporaryDirectory(prefix="lag-real-") as name:
        folder = Path(name)
        cloud = LocalCloud(
            folder / "cloud", requests_per_second=0, say=lambda line: progress(f"lag-real: {line}")
        )
        with cloud:
            return _Stage(cloud, folder, progress).measure(runs)


class _Stage:
    """One local cloud with the stacks of one measure."""

    def __init__(self, cloud: LocalCloud, folder: Path, progress: Progress) -> None:
        self._cloud, self._folder, self._progress = cloud, folder, progress
        self._simulator = clients.Simulator(cloud.simulator_url)
        self._cloudformation = clients.aws(
            "cloudformation",
            endpoint=cloud.ministack_url,
            bundle=cloud.environment["SSL_CERT_FILE"],
            region=cloud.region,
        )

    def measure(self, runs: list[Run]) -> list[dict[str, Any]]:
        first = [run for run in runs if run.by == "cdk deploy"]
        rest = [run for run in runs if run.by != "cdk deploy"]
        for run in runs:
            self._simulator.seed(
                run.stack, "1", service="lookoutvision", status="TRAINED", start_seconds=run.start_seconds
            )
        assembly = self._synth(first)
        before, own_before = _busy_seconds(), self._own_seconds()
        began = time.monotonic()
        self._deploy(assembly, first)
        templates = {run.design: (run, _template(assembly, run)) for run in first}
        while rest:
            if chosen := next_run(rest, self._in_progress()):
                rest.remove(chosen)
                self._create(chosen, *templates[chosen.design])
                self._progress(f"lag-real: {chosen.stack}, {len(rest)} to come")
            time.sleep(GAP_SECONDS)
        self._wait()
        whole = (time.monotonic() - began) * (os.cpu_count() or 1)
        load = {
            "processor_busy": round((_busy_seconds() - before) / whole, 3),
            "processor_busy_by_cloud": round((self._own_seconds() - own_before) / whole, 3),
        }
        calls = self._calls()
        return [self._row(run, calls) | load for run in runs]

    def _own_seconds(self) -> float:
        """Return the processor time of the cloud's servers and functions so far."""
        return sum(map(_spent_seconds, (one.pid for one in self._cloud.running())))

    def _create(self, run: Run, like: Run, template: str) -> None:
        self._cloudformation.create_stack(
            StackName=run.stack,
            TemplateBody=template.replace(like.stack, run.stack),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )

    def _synth(self, runs: Iterable[Run]) -> Path:
        self._progress("lag-real: synthesising the designs' stacks")
        assembly = self._folder / "assembly"
        subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks.peers", str(assembly)),
                *(f"{run.stack}={run.design}:1" for run in runs),
            ],
            cwd=ROOT,
            env=self._cloud.process_environment(),
            check=True,
        )
        return assembly

    def _deploy(self, assembly: Path, runs: list[Run]) -> None:
        """Begin `cdk deploy` of the first stacks; return when none of them needs the cdk any more."""
        self._progress("lag-real: cdk deploy of each design's first stack")
        log = self._folder / "cdk.log"
        child = processes.start(
            [
                *("cdk", "deploy", "--all", "--app", str(assembly), "--require-approval", "never"),
                *("--method", "direct", "--concurrency", str(len(runs)), "--progress", "events", "--ci"),
            ],
            environment=self._cloud.process_environment(),
            cwd=ROOT,
            log=log,
        )
        identity = processes.identify(child.pid)
        deadline = time.monotonic() + _CDK_SECONDS
        try:
            # crhelper's first tick comes after one or two minutes: the other stacks need not wait for it, as
            # the assets are there once every stack is being made.
            while child.poll() is None and len(self._statuses()) <= len(runs):
                if time.monotonic() > deadline:
                    raise RuntimeError("cdk deploy does not end")
                time.sleep(_LOOK_SECONDS)
            if child.poll():
                raise RuntimeError("cdk deploy failed:\n" + log.read_text(errors="replace")[-4000:])
        finally:
            # CloudFormation goes on by itself; the command would only look on, at the others' cost.
            processes.end([identity] if identity and child.poll() is None else [])
            child.poll()

    def _statuses(self) -> dict[str, str]:
        pages = self._cloudformation.get_paginator("describe_stacks").paginate()
        return {one["StackName"]: one["StackStatus"] for page in pages for one in page["Stacks"]}

    def _in_progress(self) -> list[str]:
        return [name for name, status in self._statuses().items() if status.endswith("_IN_PROGRESS")]

    def _wait(self) -> None:
        deadline = time.monotonic() + _LIMIT_SECONDS
        while waiting := self._in_progress():
            if time.monotonic() > deadline:
                raise RuntimeError(f"not complete in {_LIMIT_SECONDS:g} s: {waiting}")
            self._progress(f"lag-real: {len(waiting)} stacks are not complete yet")
            time.sleep(_LOOK_SECONDS * 5)

    def _calls(self) -> Counter[tuple[str, str]]:
        """Return how often each operation was called, by project."""
        answer = urllib3.request("GET", f"{self._cloud.simulator_url}/_simulator/calls")
        return Counter(
            (project_of(str(call["resource"])), str(call["operation"])) for call in json.loads(answer.data)
        )

    def _row(self, run: Run, calls: Counter[tuple[str, str]]) -> dict[str, Any]:
        model = next(one for one in self._simulator.models() if one.project == run.stack)
        started = next((at for at, status in model.history if status == "STARTING_HOSTING"), None)
        hosted = next((at for at, status in model.history if status == "HOSTED"), None)
        events = self._events(run)
        complete = next((_seconds(event) for event in events if _is_end(event)), None)
        if started is None or hosted is None or complete is None or model.starts != 1:
            reasons = [one["ResourceStatusReason"] for one in events if one.get("ResourceStatusReason")]
            raise RuntimeError(f"{run.stack} failed: {reasons}\n{model}\n{self._cloud.log_tail()}")
        return {
            "measure": "lag-real",
            "design": run.design,
            "nominal_seconds": run.nominal,
            "start_seconds": run.start_seconds,
            "repetition": run.repetition,
            "by": run.by,
            "lag": round(complete - hosted, 3),
            "describe_calls": calls[run.stack, "DescribeModel"],
            "quota": "off",
        }

    def _events(self, run: Run) -> list[dict[str, Any]]:
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=run.stack)
        return [event for page in pages for event in page["StackEvents"]]


def next_run(rest: Iterable[Run], in_progress: Iterable[str]) -> Run | None:
    """Return the first run whose design has room; None while none has."""
    under_way = list(in_progress)
    for run in rest:
        limit = AT_ONCE.get(run.design)
        if limit is None or sum(name.startswith(f"lag-{run.design}-") for name in under_way) < limit:
            return run
    return None


def project_of(model_arn: str) -> str:
    """Return the project of ``arn:…:model/PROJECT/VERSION``."""
    return model_arn.partition(":model/")[2].partition("/")[0]


def _is_end(event: dict[str, Any]) -> bool:
    kind = event["ResourceType"]
    mine = kind.startswith("Custom::") or kind in _RESOURCE_TYPES
    return mine and event["ResourceStatus"] == "CREATE_COMPLETE"


def _seconds(event: dict[str, Any]) -> float:
    stamp: datetime = event["Timestamp"]
    return stamp.timestamp()


def _template(assembly: Path, run: Run) -> str:
    return json.dumps(json.loads((assembly / f"{run.stack}.template.json").read_text()))


def _busy_seconds() -> float:
    """Return the seconds that all processors of this machine have worked; 0 where the system does not say."""
    try:
        user, nice, system, _idle, _wait, irq, softirq, *_ = map(
            int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        )
    except (OSError, ValueError):
        return 0.0
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _spent_seconds(pid: int) -> float:
    """Return the processor time of a process, those of its children that have ended included."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    for row in measure("--quick" in sys.argv, lambda line: print(line, file=sys.stderr, flush=True)):
        print(json.dumps(row))
