"""``hosted-model stop``: the only command that changes anything."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable

from hosted_model_runtime.decisions.model import Observed, Phase, Sighting
from hosted_model_runtime.decisions.steps import Done, Stop, Stopped, decide

from . import exits, lease_view, models, output
from .aws import Cloud, Kind, ServiceError
from .models import Model, Target
from .owners import Declared, Owners, Ownership

LOOK_SECONDS = 2.0


def stop(
    cloud: Cloud,
    target: Target,
    *,
    force: bool,
    yes: bool,
    timeout: float,
    confirm: Callable[[str], bool],
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Stop a model and wait until it is; the exit code."""
    model = models.look(cloud, target)[1]
    if model.seen.phase is Phase.ABSENT:
        output.fail(f"{model.seen.name} does not exist")
        return exits.FAILED
    if refusal := _refusal(cloud, model, force):
        output.fail(refusal)
        return exits.REFUSED
    if not yes and not _agreed(model, confirm):
        return exits.REFUSED
    # Somebody may have thought about the question for long: a stack may have come to declare it meanwhile.
    model = models.look(cloud, target)[1]
    if refusal := _refusal(cloud, model, force):
        output.fail(refusal)
        return exits.REFUSED
    if not _stopped(cloud, target, clock() + timeout, clock):
        return exits.FAILED
    _let_go(cloud, target, model)
    return exits.OK


def _refusal(cloud: Cloud, model: Model, force: bool) -> str:
    """Why the model may not be stopped; empty when it may."""
    if force:
        return ""
    ownership = Owners(cloud).judge(model.lease)
    if ownership.declared is Declared.NO:
        return ""
    owner = f"{model.lease.logical_id} of stack {model.lease.stack_name}"
    if ownership.declared is Declared.UNKNOWN:
        return f"not known whether {owner} declares {model.name} ({ownership.reason}): --force stops it"
    return f"{owner} declares {model.name}: destroy or change the stack, or insist with --force"


def _agreed(model: Model, confirm: Callable[[str], bool]) -> bool:
    if not sys.stdin.isatty():
        output.fail("there is no terminal to ask on: say --yes")
        return False
    said = f"{model.seen.name} in {model.region} is {model.seen.status}"
    if confirm(f"{said}{f' with {model.units}' if model.units else ''}. Stop it?"):
        return True
    output.fail("nothing was stopped")
    return False


def _stopped(cloud: Cloud, target: Target, deadline: float, clock: Callable[[], float]) -> bool:
    """Bring the model to a stop, step by step; whether it came to one in time."""
    out, token, before, begun = output.console(stderr=True), f"stop-{uuid.uuid4()}", "", clock()
    adapter = cloud.adapter(target.region, target.service)
    with out.status("stopping") if out.is_terminal else out:
        while True:
            sighting = cloud.patiently(lambda: adapter.describe(target.model))
            seen = sighting.observed
            if seen.status != before:
                output.line(out, f"{output.clock()}  {seen.status} ({output.elapsed(clock() - begun)})")
                before = seen.status
            step = decide(Stopped(), seen, started=False)
            if isinstance(step, Done):
                output.line(output.console(), _result(seen))
                return True
            if clock() > deadline:
                output.fail(f"{seen.name} is still {seen.status}: it may bill, so look again")
                return False
            if isinstance(step, Stop):
                _ask_to_stop(cloud, target, sighting, token)
            cloud.wait(LOOK_SECONDS)


def _ask_to_stop(cloud: Cloud, target: Target, sighting: Sighting, token: str) -> None:
    adapter = cloud.adapter(target.region, target.service)
    try:
        cloud.patiently(lambda: adapter.stop(sighting, token))
    except ServiceError as error:
        # Not in this state: a model that starts can perhaps be stopped when it is up. Look again.
        if error.kind is not Kind.CONFLICT:
            raise


def _result(seen: Observed) -> str:
    return f"{seen.name} is {seen.status}: it is not billed"


def _let_go(cloud: Cloud, target: Target, model: Model) -> None:
    """Remove the lease of an owner that is gone, if it is still the same."""
    sighting, now = models.look(cloud, target)
    ownership: Ownership = Owners(cloud).judge(now.lease)
    keys = lease_view.removable(now.tags)
    if ownership.declared is not Declared.NO or now.lease != model.lease or not keys:
        return
    adapter = cloud.adapter(target.region, target.service)
    cloud.patiently(lambda: adapter.untag(sighting.arn, keys))
    output.line(output.console(), f"removed its tags of an owner that is gone: {', '.join(keys)}")
