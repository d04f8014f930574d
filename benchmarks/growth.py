"""Growth: many models of one stack that CloudFormation creates at once, under the service's real quota."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks.stage import FUNCTION_ARN, SERVICE_QUOTA, Deploy, stage
from benchmarks.virtual import spread_of

SIZES = (1, 10, 50, 200)
#: Not whole minutes, so that no tick of a one-minute rule falls on the end of a start by chance.
MINUTES = (10.5, 20.5)
DESIGNS = ("hosted-model", "crhelper-1min")
#: CloudFormation waits an hour for an answer; nothing happens after that.
LONGEST = 3700.0


def ideal(models: int, start_seconds: float) -> float:
    """Return when the last of so many models can be up: the quota lets five starts a second through."""
    return start_seconds + (models - 1) / SERVICE_QUOTA


def own_policy_bytes() -> int:
    """Return the size of our function's resource policy: one static statement, whatever the models."""
    statement = {
        "Sid": "HostedModels-HostedModelProviderRelayPermission0A1B2C3D-0123456789AB",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION_ARN,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "000000000000"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:events:us-east-1:000000000000:rule/HostedModel-01234567-*"},
        },
    }
    return len(json.dumps([statement]))


def grow(
    design: str, models: int, start_seconds: float, seed: int = 1, remembers: tuple[int, int] = (0, 0)
) -> dict[str, Any]:
    """Return one row."""
    with stage(design, seed=seed, models=models) as world:
        deploys = [Deploy(world, number, start_seconds, remembers) for number in range(1, models + 1)]
        for deploy in deploys:
            deploy.begin()
        world.run(seconds=LONGEST, until=lambda: all(deploy.answer for deploy in deploys))
        # Whoever handed over sees it at the next look; Lambda's retries of what failed come within minutes.
        world.run(seconds=2000, until=lambda: not world.running)
        hosted = [at for deploy in deploys if (at := deploy.hosted) is not None]
        answered = [deploy.answered for deploy in deploys if deploy.answered is not None]
        calls = Counter(call.operation for call in world.simulator.calls)
        throttled = Counter(
            call.operation for call in world.simulator.calls if call.error == "ThrottlingException"
        )
        failed = [deploy for deploy in deploys if not deploy.ok]
        reasons = Counter(d.answer.body["Reason"] if d.answer else "no answer in an hour" for d in failed)
        lags = [d.answered - d.hosted for d in deploys if d.ok and d.hosted and d.answered]
        wanted = ideal(models, start_seconds)
        ours = design == "hosted-model"
        return {
            "measure": "growth",
            "design": design,
            "kind": "simulated",
            "models": models,
            "start_seconds": start_seconds,
            "ideal_seconds": wanted,
            "last_hosted": max(hosted, default=None),
            "last_answered": max(answered, default=None),
            "hosted": len(hosted),
            "failures": len(failed),
            "reasons": dict(reasons),
            "ratio": round(max(hosted) / wanted, 4) if len(hosted) == models else None,
            "lag": spread_of(lags),
            "calls": dict(calls),
            "throttled": dict(throttled),
            "event_calls": sum(world.event_calls.values()),
            "invocations": len(world.invocations),
            "function_seconds": round(sum(world.seconds(found) for found in world.invocations), 1),
            "most_running": world.most_running,
            "most_rules": world.most_rules,
            "policy_bytes": own_policy_bytes() if ours else world.most_policy_bytes,
        }


def measure(quick: bool, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return the rows of every design, size and start time."""
    from benchmarks.pool import spread

    minutes = MINUTES[:1] if quick else MINUTES
    # The largest first, so that both cores are busy to the end.
    jobs = [(d, n, 60.0 * m) for n in reversed(SIZES) for m in reversed(minutes) for d in DESIGNS]
    if quick:
        # crhelper fails with fifty already.
        jobs.remove(("crhelper-1min", SIZES[-1], 60.0 * MINUTES[0]))
    return spread(grow, jobs, progress, "growth")
