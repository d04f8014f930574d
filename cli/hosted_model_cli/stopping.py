"""``hosted-model stop``: stops what no stack declares."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from hosted_model_runtime.decisions.model import Observed, Phase, Sighting
from hosted_model_runtime.decisions.steps import Done, Stop, Stopped, decide

from . import asking, exits, lease_view, models, output
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
    said = f"{model.seen.name} in {model.region} is {model.seen.status}"
    question = f"{said}{f' with {model.units}' if model.units else ''}. Stop it?"
    if not yes and not asking.agreed(question, confirm):
        return exits.REFUSED
    # Somebody may have thought about the question for long: a stack may have come to declare it meanwhile.
    model = models.look(cloud, target)[1]
    if refusal := _refusal(cloud, model, force):
        output.fail(refusal)
        return exits.REFUSED
    run = _Run(cloud, target, clock)
    try:
        if not run.to_its_end(clock() + timeout):
            return exits.FAILED
        _let_go(cloud, target, model)
    except KeyboardInterrupt:
        what = "the stop goes on" if run.under_way else "no stop is under way"
        output.fail(f"interrupted: {what}, and the tags stay; look again with")
        output.line(output.console(stderr=True), f"  hosted-model show {model.arn}")
        return exits.INTERRUPTED
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


@dataclass
class _Run:
    """One stop, step by step; ``under_way`` says whether the service has begun with it."""

    cloud: Cloud
    target: Target
    clock: Callable[[], float]
    under_way: bool = False

    def to_its_end(self, deadline: float) -> bool:
        """Bring the model to a stop; whether it came to one in time."""
        out, token, before = output.console(stderr=True), f"stop-{uuid.uuid4()}", ""
        begun, adapter = self.clock(), self.cloud.adapter(self.target.region, self.target.service)
        with out.status("stopping") if out.is_terminal else out:
            while True:
                sighting = self.cloud.patiently(lambda: adapter.describe(self.target.model))
                seen = sighting.observed
                if seen.status != before:
                    passed = output.elapsed(self.clock() - begun)
                    output.line(out, f"{output.clock()}  {seen.status} ({passed})")
                    before = seen.status
                step = decide(Stopped(), seen, started=False)
                if isinstance(step, Done):
                    output.line(output.console(), _result(seen))
                    return True
                if self.clock() > deadline:
                    output.fail(f"{seen.name} is still {seen.status}: it may bill, so look again")
                    return False
                self.under_way = seen.phase is Phase.STOPPING
                if isinstance(step, Stop):
                    self.under_way = self._ask(sighting, token)
                self.cloud.wait(LOOK_SECONDS)

    def _ask(self, sighting: Sighting, token: str) -> bool:
        """Ask for the stop; whether the service begins with it."""
        adapter = self.cloud.adapter(self.target.region, self.target.service)
        try:
            self.cloud.patiently(lambda: adapter.stop(sighting, token))
        except ServiceError as error:
            # Not in this state: a model that starts can perhaps be stopped when it is up. Look again.
            if error.kind is not Kind.CONFLICT:
                raise
            return False
        return True


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
