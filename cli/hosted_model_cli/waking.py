"""``hosted-model wake`` and ``sleep``: what a schedule of hosting hours does, now.

The stack's own function is invoked with the event of the stack's own schedule, so that the function, its
lease and its retries are those of the hours; the next schedule or deploy goes on as if nothing had been.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hosted_model_runtime.contract import SERVICE_TIMEOUT_MAX, Scheduled
from hosted_model_runtime.decisions.marks import Mark, State
from hosted_model_runtime.decisions.model import Phase

from . import exits, models, output, schedules
from .aws import Cloud
from .models import Model, Target
from .owners import Declared, Owners

LOOK_SECONDS = 2.0
#: How long the function may take to say in the lease that it is at work: Lambda may have to queue the event.
TAKEN_UP_SECONDS = 180.0
_REACHED = {Scheduled.START: Phase.RUNNING, Scheduled.STOP: Phase.STOPPED}


@dataclass(frozen=True)
class Order:
    """What is asked for, and since when; the lease names it by these two."""

    goal: str
    issued: datetime

    def mark(self, model: Model) -> Mark | None:
        """What the lease says of this order; None until the function has taken it up."""
        mark = model.lease.hours
        return mark if mark and (mark.type, mark.issued) == (self.goal, self.issued) else None


def wake(cloud: Cloud, target: Target, *, timeout: float) -> int:
    """Start a declared model, wait until it runs; the exit code."""
    return _command(cloud, target, Scheduled.START, timeout)


def sleep(cloud: Cloud, target: Target, *, timeout: float) -> int:
    """Stop a declared model until its next start, wait until it is stopped; the exit code."""
    return _command(cloud, target, Scheduled.STOP, timeout)


def _command(
    cloud: Cloud, target: Target, goal: str, timeout: float, clock: Callable[[], float] = time.monotonic
) -> int:
    model = models.look(cloud, target)[1]
    if model.seen.phase is Phase.ABSENT:
        output.fail(f"{model.seen.name} does not exist")
        return exits.FAILED
    owners, now = Owners(cloud), output.now()
    if refusal := _refusal(owners, model, goal, now):
        output.fail(refusal)
        return exits.REFUSED
    if _is_there(model, goal):
        output.line(output.console(), _result(model, goal))
        return exits.OK
    schedule = _schedule(cloud, owners, model, goal, now)
    if schedule is None:
        output.fail(
            f"stack {model.lease.stack_name} has no schedule of {model.lease.logical_id}: deploy it again"
        )
        return exits.FAILED
    order = Order(goal, _free_second(cloud, model))
    _invoke(cloud, model, schedule, order)
    try:
        return _wait(cloud, target, order, timeout, clock)
    except KeyboardInterrupt:
        output.fail(f"interrupted: the {goal.lower()} of {model.seen.name} goes on; look again with")
        output.line(output.console(stderr=True), f"  hosted-model show {model.arn}")
        return exits.INTERRUPTED


def _refusal(owners: Owners, model: Model, goal: str, now: datetime) -> str:
    """Why the function would not do it, or nobody should ask it to; empty where it will."""
    lease, ownership = model.lease, owners.judge(model.lease)
    owner = f"{lease.logical_id} of stack {lease.stack_name}"
    if ownership.declared is Declared.UNKNOWN:
        return f"not known whether {owner} declares {model.name}: {ownership.reason}"
    if ownership.declared is Declared.NO:
        return f"no stack declares {model.name} ({ownership.reason}): there is nothing to go on with"
    request = lease.request
    if request is None or not request.has_hours:
        return (
            f"{owner} has no hosting hours: the function starts and stops a model between deploys "
            "only if it has; give it `hosting_hours`"
        )
    if ownership.moving or (not request.state.settled and _is_recent(request, now)):
        return f"a deploy of {owner} is under way: wait until it is over"
    if request.state is State.FAILED and goal == Scheduled.START:
        return f"the last deploy of {owner} failed: deploy again"
    return ""


def _is_recent(mark: Mark, now: datetime) -> bool:
    return now - mark.issued < timedelta(seconds=SERVICE_TIMEOUT_MAX)


def _is_there(model: Model, goal: str) -> bool:
    """Whether there is nothing to do: also the lease says so, or a schedule would undo it."""
    return model.seen.phase is _REACHED[goal] and model.lease.asleep == (goal == Scheduled.STOP)


def _schedule(
    cloud: Cloud, owners: Owners, model: Model, goal: str, now: datetime
) -> schedules.Scheduled | None:
    found = schedules.of_model(cloud, owners.stacks.owner(model.lease), model.lease, now)
    return next((one for one in found if one.goal == goal.lower()), None)


def _free_second(cloud: Cloud, model: Model) -> datetime:
    """Return the order's time, in whole seconds; the lease refuses one that is not after the last one."""
    last = model.lease.hours
    while True:
        now = output.now().replace(microsecond=0)
        if last is None or last.issued < now:
            return now
        cloud.wait(0.2)


def _invoke(cloud: Cloud, model: Model, schedule: schedules.Scheduled, order: Order) -> None:
    text = order.issued.strftime("%Y-%m-%dT%H:%M:%SZ")
    cloud.call(
        model.lease.stack_region,
        "lambda",
        "Invoke",
        FunctionName=schedule.function,
        InvocationType="Event",
        Payload=schedule.event.replace(Scheduled.TIME_ATTRIBUTE, text).encode(),
    )


def _wait(cloud: Cloud, target: Target, order: Order, timeout: float, clock: Callable[[], float]) -> int:
    out, begun, before = output.console(stderr=True), clock(), ""
    while True:
        model = models.look(cloud, target)[1]
        passed, mark = clock() - begun, order.mark(model)
        if model.seen.status != before:
            output.line(out, f"{output.clock()}  {model.seen.status} ({output.elapsed(passed)})")
            before = model.seen.status
        if mark and mark.state in (State.DONE, State.ASLEEP) and _is_there(model, order.goal):
            output.line(output.console(), _result(model, order.goal))
            return exits.OK
        if problem := _problem(model, order, mark, passed, timeout):
            output.fail(problem)
            return exits.FAILED
        cloud.wait(LOOK_SECONDS)


def _problem(model: Model, order: Order, mark: Mark | None, passed: float, timeout: float) -> str:
    """Why there is nothing more to wait for; empty while there is."""
    if mark and mark.state is State.FAILED:
        return f"the {order.goal.lower()} failed: `hosted-model show` has the function's log{_says(model)}"
    if mark is None and passed >= TAKEN_UP_SECONDS:
        return "the function did not take it up: `hosted-model show` has its log"
    if passed >= timeout:
        return f"{model.seen.name} is still {model.seen.status}: the function goes on with it, so look again"
    return ""


def _says(model: Model) -> str:
    return f": {model.seen.message}" if model.seen.message else ""


def _result(model: Model, goal: str) -> str:
    if goal == Scheduled.START:
        return f"{model.seen.name} is {model.seen.status}, until its hours end or somebody says `sleep`"
    return f"{model.seen.name} is {model.seen.status}: it is not billed until its next start"
