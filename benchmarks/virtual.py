"""Lag in virtual time: from the moment the model is HOSTED until CloudFormation has the answer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

#: What a round of the CDK Provider framework takes beside its interval: the state machine, the framework's
#: function and the user's. Drawn evenly from half of it to one and a half.
PROVIDER_ROUND_SECONDS = 0.3
PROVIDERS = {"provider-5s": 5.0, "provider-1s": 1.0}
SIMULATED = ("hosted-model", "crhelper-2min", "crhelper-1min", "sleeper-5s")
DESIGNS = (*SIMULATED, *PROVIDERS)
#: The curve's start times, in seconds.
CURVE_STARTS = (300.0, 1800.0)
#: A function lives for 15 minutes; a longer start is more than it can sleep through.
SLEEPER_LIMIT = 880.0
BUCKETS = ((1, 5), (5, 15), (15, 30), (30, 45), (45, 55))
#: How many seconds of lag a look is worth to the poll schedule, for the curve.
CURVE = (0.0002, 0.0005, 0.001, 0.002, 0.0055, 0.01, 0.02, 0.05)
CHUNK = 20


@dataclass
class Run:
    """What one deploy did."""

    start_seconds: float
    ok: bool
    lag: float | None
    looks: int
    other_calls: int
    event_calls: int
    policy_calls: int
    invocations: int
    function_seconds: float


def deploy(design: str, start_seconds: float, seed: int) -> Run:
    """Create one model in a world of its own."""
    if design in PROVIDERS:
        return provider(PROVIDERS[design], start_seconds, random.Random(seed))
    from benchmarks.stage import Deploy, stage

    # Nobody else uses the service: the quota is for growth.py.
    with stage(design, seed=seed) as world:
        made = Deploy(world, 1, start_seconds)
        # A rule's ticks and a schedule's polls must not stand in a fixed relation to the clock's seconds.
        world.now += world.random.random()
        made.begin()
        world.run(seconds=3700, until=lambda: made.answer is not None)
        world.run(seconds=120)
        calls = Counter(call.operation for call in world.simulator.calls)
        looks = calls.pop("DescribeModel")
        lag = made.answered - made.hosted if made.ok and made.answered and made.hosted else None
        return Run(
            start_seconds=start_seconds,
            ok=made.ok,
            lag=lag,
            looks=looks,
            other_calls=sum(calls.values()),
            event_calls=sum(world.event_calls.values()),
            policy_calls=len(world.policy_calls),
            invocations=len(world.invocations),
            function_seconds=sum(world.seconds(found) for found in world.invocations),
        )


def provider(interval: float, start_seconds: float, draws: random.Random) -> Run:
    """Return what the CDK Provider framework does: MODELLED from its state machine, not run.

    Its state machine is one task that fails while the resource is not complete, and a retry of that task
    after a fixed interval. Each round invokes the framework's function, and that the user's.
    """

    def takes(seconds: float) -> float:
        return seconds * (0.5 + draws.random())

    # onEvent, in the framework's function, then StartExecution. The start is accepted on the way.
    started = takes(PROVIDER_ROUND_SECONDS)
    now, looks = started + takes(PROVIDER_ROUND_SECONDS), 1
    while True:
        round_takes = takes(PROVIDER_ROUND_SECONDS)
        looks += 1
        if now + round_takes / 2 >= started + start_seconds:
            break
        now += round_takes + interval
    return Run(
        start_seconds=start_seconds,
        ok=True,
        lag=now + round_takes - started - start_seconds,
        looks=looks,
        other_calls=1,
        event_calls=0,
        policy_calls=0,
        invocations=2 * looks,
        function_seconds=0.0,
    )


def _chunk(design: str, starts: Sequence[float], seed: int) -> list[Run]:
    return [deploy(design, start, seed + number) for number, start in enumerate(starts)]


def _with_worth(worth: float, starts: Sequence[float], seed: int) -> list[Run]:
    from hosted_model_runtime.decisions import polling

    # Nothing but that number is to bound the intervals.
    with patch.multiple(polling, LOOK_SECONDS=worth, LEAST=0.1, LONGEST=60.0):
        return _chunk("hosted-model", starts, seed)


def spread_of(values: Iterable[float]) -> dict[str, float]:
    """Return mean, p50, p95 and max of some seconds."""
    found = sorted(values)
    if not found:
        return {}

    def at(share: float) -> float:
        return found[min(len(found) - 1, int(share * len(found)))]

    mean = sum(found) / len(found)
    return {
        key: round(value, 3)
        for key, value in (("mean", mean), ("p50", at(0.5)), ("p95", at(0.95)), ("max", found[-1]))
    }


def _lag_rows(design: str, runs: Sequence[Run]) -> list[dict[str, Any]]:
    rows = []
    for low, high in ((1, 55), *BUCKETS):
        within = [run for run in runs if 60 * low <= run.start_seconds < 60 * high]
        if not within:
            continue
        lags = [run.lag for run in within if run.lag is not None]
        rows.append(
            {
                "measure": "lag-virtual",
                "design": design,
                "kind": "modelled" if design in PROVIDERS else "simulated",
                "minutes": [low, high],
                "deploys": len(within),
                "failures": sum(not run.ok for run in within),
                **spread_of(lags),
                # Hundredths of the sorted lags: the raw figures, thinned.
                "sorted": _thinned([round(lag, 3) for lag in sorted(lags)]),
            }
        )
    return rows


def _thinned(values: list[float], size: int = 101) -> list[float]:
    if len(values) <= size:
        return values
    return [values[round(number * (len(values) - 1) / (size - 1))] for number in range(size)]


def _starts(design: str, count: int) -> list[float]:
    """Return so many start times for each range of minutes, spread evenly over it, in no order."""
    draws = random.Random(f"starts of {design}")
    starts = []
    for low, high in BUCKETS:
        part = 60.0 * (high - low) / count
        starts += [60.0 * low + part * (number + draws.random()) for number in range(count)]
    draws.shuffle(starts)
    return starts


def lag(quick: bool, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return each design's lag over starts of 1 to 55 minutes, as many for each range of minutes."""
    from benchmarks.pool import spread

    counts = {"hosted-model": 16 if quick else 120, "sleeper-5s": 8 if quick else 60}
    # Arithmetic, so that many cost nothing.
    counts |= dict.fromkeys(PROVIDERS, 200 if quick else 2000)
    jobs = []
    for design in DESIGNS:
        starts = _starts(design, counts.get(design, 24 if quick else 160))
        jobs += [
            (design, starts[first : first + CHUNK], 1000 + first) for first in range(0, len(starts), CHUNK)
        ]
    found: dict[str, list[Run]] = {design: [] for design in DESIGNS}
    for job, runs in zip(jobs, spread(_chunk, jobs, progress, "lag-virtual"), strict=True):
        found[job[0]] += runs
    return [row for design in DESIGNS for row in _lag_rows(design, found[design])]


def curve(quick: bool, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return lag against looks in half an hour, for our schedule's choices and for each peer."""
    from benchmarks.pool import spread

    draws = random.Random("curve")
    count = 3 if quick else 20
    low, high = CURVE_STARTS
    starts = [low + (high - low) * (number + draws.random()) / count for number in range(count)]
    ours = [(worth, starts, 1) for worth in CURVE]
    rows = []
    for (worth, *_), runs in zip(ours, spread(_with_worth, ours, progress, "curve"), strict=True):
        rows.append(_point("hosted-model", runs, worth))
    others = [(design, starts, 1) for design in DESIGNS if design not in ("hosted-model", "sleeper-5s")]
    short = [draws.uniform(60.0, SLEEPER_LIMIT) for _ in range(count)]
    others.append(("sleeper-5s", short, 1))
    for (design, *_), runs in zip(others, spread(_chunk, others, progress, "curve, peers"), strict=True):
        rows.append(_point(design, runs, None))
    return rows


def _point(design: str, runs: Sequence[Run], worth: float | None) -> dict[str, Any]:
    from hosted_model_runtime.decisions import polling

    looks = sum(run.looks for run in runs) / len(runs)
    if design == "sleeper-5s":
        # Brought to the others' starts by its rate: it cannot wait that long itself.
        looks *= sum(CURVE_STARTS) / 2 * len(runs) / sum(run.start_seconds for run in runs)
    return {
        "measure": "curve",
        "design": design,
        "kind": "modelled" if design in PROVIDERS else "simulated",
        "worth": worth,
        "chosen": worth == polling.LOOK_SECONDS,
        "deploys": len(runs),
        "looks": round(looks, 1),
        **spread_of([run.lag for run in runs if run.lag is not None]),
    }
