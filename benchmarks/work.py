"""Work and price of one deploy whose model takes half an hour to start."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from statistics import fmean
from typing import Any

from benchmarks.prices import cost
from benchmarks.virtual import PROVIDER_ROUND_SECONDS, PROVIDERS, Run, deploy

START_SECONDS = 1800.0
#: Mebibytes at which our function is priced, beside its default.
MEMORY = (128, 160, 192, 256)
#: What a Function has by default (aws-cdk-lib.aws_lambda.Function): the peers'.
DEFAULT_MEMORY = 128
#: Billed initialisation of a new execution environment, in seconds: ours is charged for each invocation, as a
#: successor begins beside its predecessor; a peer's functions once each.
INIT_SECONDS = 0.5
#: How long one look bills, in seconds: the user's function, and the framework's that waits for it. Short, in
#: the peer's favour.
USER_SECONDS, FRAMEWORK_SECONDS = 0.06, 0.1
#: crhelper's and the sleeper's functions, and ours: arm64. The framework's own: x86, CDK's default.
GB = 1 / 1024


def default_memory() -> int:
    """Return the mebibytes that the construct gives the function by default."""
    from hosted_model import HostedModelProvider

    return int(inspect.signature(HostedModelProvider.__init__).parameters["memory_size"].default)


def _row(design: str, kind: str, amounts: dict[str, float], **members: Any) -> dict[str, Any]:
    return {
        "measure": "work",
        "design": design,
        "kind": kind,
        "start_seconds": START_SECONDS,
        "ok": True,
        "event_calls": 0,
        "policy_calls": 0,
        "gb_seconds": round(amounts.get("lambda-arm64", 0.0) + amounts.get("lambda-x86", 0.0), 3),
        "transitions": amounts.get("transition", 0),
        "price": cost(amounts),
        **members,
    }


def simulated(design: str, runs: list[Run], memory: int, initialisations: float) -> dict[str, Any]:
    """Return the row of a design whose handler ran."""
    invocations = fmean(run.invocations for run in runs)
    seconds = fmean(run.function_seconds for run in runs) + initialisations * INIT_SECONDS
    return _row(
        design,
        "simulated",
        {"lambda-request": invocations, "lambda-arm64": seconds * memory * GB},
        ok=all(run.ok for run in runs),
        memory=memory,
        invocations=invocations,
        looks=fmean(run.looks for run in runs),
        other_calls=fmean(run.other_calls for run in runs),
        event_calls=fmean(run.event_calls for run in runs),
        policy_calls=fmean(run.policy_calls for run in runs),
        lag=fmean(run.lag for run in runs if run.lag is not None) if all(run.ok for run in runs) else None,
    )


def modelled_provider(design: str, runs: list[Run]) -> dict[str, Any]:
    """Return the Provider framework's row: two functions a look, one transition a look."""
    looks = fmean(run.looks for run in runs)
    user = looks * USER_SECONDS + 2 * INIT_SECONDS
    framework = looks * FRAMEWORK_SECONDS + 2 * INIT_SECONDS
    amounts = {
        "lambda-request": 2 * looks,
        "lambda-arm64": user * DEFAULT_MEMORY * GB,
        "lambda-x86": framework * DEFAULT_MEMORY * GB,
        # The first of the looks is onEvent, outside the state machine.
        "transition": looks - 1,
    }
    return _row(
        design,
        "modelled",
        amounts,
        memory=DEFAULT_MEMORY,
        invocations=2 * looks,
        # onEvent starts; the others look.
        looks=looks - 1,
        other_calls=1,
        lag=fmean(run.lag for run in runs if run.lag is not None),
    )


def durable(interval: float) -> dict[str, Any]:
    """Return what a Lambda durable function would cost: CALCULATED, with one operation and wait a look."""
    looks = START_SECONDS / (interval + PROVIDER_ROUND_SECONDS)
    amounts = {
        "lambda-request": looks,
        "lambda-arm64": (looks * USER_SECONDS + INIT_SECONDS) * DEFAULT_MEMORY * GB,
        "lambda-durable": looks,
    }
    # What is late on average: half a round, and the look that sees the model.
    lag = (interval + PROVIDER_ROUND_SECONDS) / 2 + PROVIDER_ROUND_SECONDS
    return _row(
        f"durable-{interval:g}s",
        "calculated",
        amounts,
        memory=DEFAULT_MEMORY,
        invocations=looks,
        looks=looks,
        other_calls=1,
        lag=lag,
    )


def scheduler() -> dict[str, Any]:
    """Return what one EventBridge Scheduler entry for each look would cost: CALCULATED, a look a minute.

    A schedule is kept to the minute ("Schedule types in EventBridge Scheduler"), so no shorter one helps.
    """
    looks = START_SECONDS / 60
    amounts = {
        "lambda-request": looks,
        "lambda-arm64": (looks * USER_SECONDS + INIT_SECONDS) * DEFAULT_MEMORY * GB,
        "scheduler": looks,
    }
    return _row(
        "scheduler-60s",
        "calculated",
        amounts,
        memory=DEFAULT_MEMORY,
        invocations=looks,
        looks=looks,
        other_calls=1,
        event_calls=looks,
        lag=30.0,
    )


def measure(quick: bool, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return a row for each design, ours at several sizes, and for two mechanisms that were not chosen."""
    from benchmarks.pool import spread

    seeds = range(3 if quick else 10)
    designs = ("hosted-model", "crhelper-2min", "crhelper-1min", "sleeper-5s", *PROVIDERS)
    # Half an hour and a bit that differs, so that no interval falls on it by chance.
    jobs = [(design, START_SECONDS + 6 * seed, seed) for design in designs for seed in seeds]
    results = spread(deploy, jobs, progress, "work")
    runs = {
        design: [run for job, run in zip(jobs, results, strict=True) if job[0] == design]
        for design in designs
    }
    ours, chosen = runs["hosted-model"], default_memory()
    rows = [
        simulated("hosted-model", ours, memory, fmean(run.invocations for run in ours))
        | {"default": memory == chosen}
        for memory in sorted({*MEMORY, chosen})
    ]
    rows += [
        simulated(design, runs[design], DEFAULT_MEMORY, 1)
        for design in ("crhelper-2min", "crhelper-1min", "sleeper-5s")
    ]
    rows += [modelled_provider(design, runs[design]) for design in PROVIDERS]
    return [*rows, durable(2), durable(5), scheduler()]
