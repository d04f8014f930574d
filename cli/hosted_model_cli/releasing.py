"""``hosted-model release``: removes the lease of what no stack declares."""

from __future__ import annotations

from collections.abc import Callable

from hosted_model_runtime.decisions.model import Phase

from . import asking, exits, lease_view, models, output, owners
from .aws import Cloud
from .models import Model, Target
from .owners import Declared, Owners


def release(cloud: Cloud, target: Target, *, yes: bool, confirm: Callable[[str], bool]) -> int:
    """Remove the tags with which a stack says that a model is its own; the exit code."""
    model = models.look(cloud, target)[1]
    if model.seen.phase is Phase.ABSENT:
        output.fail(f"{model.seen.name} does not exist")
        return exits.FAILED
    keys = lease_view.removable(model.tags)
    if not keys:
        output.line(output.console(), f"{model.seen.name} has no lease")
        return exits.OK
    if refusal := _refusal(cloud, model):
        output.fail(refusal)
        return exits.REFUSED
    if not yes and not asking.agreed(f"{_is(model)}. Remove {', '.join(keys)}?", confirm):
        return exits.REFUSED
    # A stack may have come to declare it while somebody thought about the question.
    sighting, now = models.look(cloud, target)
    if refusal := _refusal(cloud, now):
        output.fail(refusal)
        return exits.REFUSED
    adapter = cloud.adapter(target.region, target.service)
    cloud.patiently(lambda: adapter.untag(sighting.arn, lease_view.removable(now.tags)))
    output.line(output.console(), f"removed {', '.join(keys)} of {model.seen.name}")
    return exits.OK


def _is(model: Model) -> str:
    said = f"{model.seen.name} in {model.region} is {model.seen.status}"
    if model.seen.phase not in models.AWAKE:
        return said
    return f"{said}, and goes on so without an owner: `hosted-model stop` stops it"


def _refusal(cloud: Cloud, model: Model) -> str:
    """Why the lease has to stay; empty where it may go."""
    ownership = Owners(cloud).judge(model.lease)
    owner = f"{model.lease.logical_id} of stack {model.lease.stack_name}"
    if ownership.declared is Declared.YES:
        return f"{owner} declares {model.name}: destroy or change the stack"
    if ownership.declared is Declared.UNKNOWN:
        return f"not known whether {owner} declares {model.name} ({ownership.reason})"
    if ownership.ending:
        return f"{ownership.reason}: without its lease the model would be let go as it is; look again later"
    if ownership is owners.DELETE_FAILED and model.seen.phase in models.AWAKE:
        return f"{ownership.reason}: delete it again, or stop the model; without its lease it would run on"
    return ""
