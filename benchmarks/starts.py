"""Looks and lag of starts whose end is known, more or less: the real handlers, in virtual time.

Each deploy is an update of a stopped model whose lease remembers a start; where nothing is known, a Create.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from benchmarks.growth import grow
from benchmarks.virtual import CHUNK, spread_of
from benchmarks.work import GB, INIT_SECONDS, default_memory

#: A start of half an hour, in seconds.
LENGTH = 1800.0
#: By name: what the lease remembers (seconds and percent), how long the starts take, and one sigma of what
#: the bound is derived from, in seconds; None: no bound is derived.
Draw = Callable[[random.Random], float]
CASES: dict[str, tuple[tuple[int, int], Draw, float | None]] = {
    "known within 5 %": ((1800, 5), lambda draws: draws.gauss(LENGTH, 0.05 * LENGTH), 0.05 * LENGTH),
    "known within 15 %": ((1800, 0), lambda draws: draws.gauss(LENGTH, 0.15 * LENGTH), 0.15 * LENGTH),
    "nothing known, 5 to 30 minutes": ((0, 0), lambda draws: draws.uniform(300, 1800), None),
    "remembered half as long": ((900, 0), lambda draws: LENGTH * draws.uniform(0.95, 1.05), None),
    "remembered twice as long": ((3600, 0), lambda draws: LENGTH * draws.uniform(1.0, 1.05), None),
    "proven, then half as long": ((3600, 5), lambda draws: LENGTH * draws.uniform(1.0, 1.05), None),
}


def least(name: str) -> float:
    """Return the least that looks times mean lag can be, in seconds, whatever the schedule is.

    With intervals x(t), a start that lasts longer than t with likelihood S(t) and ends with density f(t)
    takes the integral of S / x looks, and its end is seen the integral of f x / 2 late. By the inequality of
    Cauchy and Schwarz their product is at least half the square of the integral of sqrt(f S). For a normal
    distribution that is 1.037 sigma; for one that is even over a range, two ninths of the range.
    """
    sigma = CASES[name][2]
    if sigma is None:
        return 1500.0 * 2 / 9
    step, total = 0.01, 0.0
    for number in range(-800, 800):
        z = number * step
        total += step * math.sqrt(
            math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * math.erfc(z / math.sqrt(2)) / 2
        )
    return sigma * total * total / 2


def _deploys(name: str, seed: int, count: int) -> list[dict[str, Any]]:
    from benchmarks.stage import Deploy, stage

    remembered, length, _ = CASES[name]
    found = []
    for number in range(count):
        draws = random.Random(f"{name} {seed + number}")
        with stage("hosted-model", seed=seed + number) as world:
            made = Deploy(world, 1, max(30.0, length(draws)), remembers=remembered)
            world.now += world.random.random()
            made.begin()
            world.run(seconds=3700, until=lambda made=made: made.answer is not None)
            world.run(seconds=130)
            calls = Counter(call.operation for call in world.simulator.calls)
            late = made.answered - made.hosted if made.answered and made.hosted else None
            found.append(
                {
                    "ok": made.ok,
                    "lag": late,
                    "looks": calls["DescribeModel"],
                    "calls": sum(calls.values()),
                    "invocations": len(world.invocations),
                    "seconds": sum(world.seconds(one) for one in world.invocations),
                    "rules": len(world.rules),
                }
            )
    return found


def _row(name: str, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    from benchmarks.prices import cost

    memory = default_memory()
    invocations, seconds = fmean(run["invocations"] for run in runs), fmean(run["seconds"] for run in runs)
    lags = [run["lag"] for run in runs if run["lag"] is not None]
    looks = fmean(run["looks"] for run in runs)
    price = cost(
        {
            "lambda-request": invocations,
            "lambda-arm64": (seconds + invocations * INIT_SECONDS) * memory * GB,
        }
    )
    return {
        "measure": "starts",
        "design": "hosted-model",
        "kind": "simulated",
        "name": name,
        "deploys": len(runs),
        "failures": sum(not run["ok"] for run in runs),
        "rules_left": sum(run["rules"] for run in runs),
        "looks": round(looks, 1),
        **spread_of(lags),
        "least": round(least(name), 1),
        "invocations": round(invocations, 2),
        "function_seconds": round(seconds, 1),
        "memory": memory,
        "price": price,
    }


def _at_once(models: int) -> dict[str, Any]:
    row = grow("hosted-model", models, LENGTH, remembers=(1800, 5))
    held = row["function_seconds"] / row["last_answered"]
    return {**row, "measure": "starts-at-once", "mean_running": round(held, 2)}


def measure(quick: bool, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return a row for each case, and one for fifty models at once whose starts are known."""
    from benchmarks.pool import spread

    count = 24 if quick else 400
    jobs = [(name, first, min(CHUNK, count)) for name in CASES for first in range(0, count, CHUNK)]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in CASES}
    for job, runs in zip(jobs, spread(_deploys, jobs, progress, "starts"), strict=True):
        found[job[0]] += runs
    return [_row(name, runs) for name, runs in found.items()] + spread(_at_once, [(50,)], progress, "at once")
