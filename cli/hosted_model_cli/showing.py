"""``hosted-model show``: one model, its owner, its past, and what is planned."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hosted_model_runtime.decisions.model import Phase

from . import exits, lease_view, logs, models, output, schedules
from .aws import Cloud, ServiceError
from .costing import Cost
from .differing import ASLEEP, difference
from .models import Model, Target
from .owners import Declared, Owners
from .services import REGISTRY
from .stacks import Stacks
from .survey import Entry

_LABEL = 10


def show(cloud: Cloud, target: Target, *, price: float | None = None) -> int:
    """Print what is known of a model; the exit code."""
    now = output.now()
    model = models.look(cloud, target)[1]
    if model.seen.phase is Phase.ABSENT:
        output.fail(f"{model.seen.name} does not exist")
        return exits.FAILED
    owners = Owners(cloud)
    ownership = owners.judge(model.lease)
    _facts(Entry(model, ownership), now, price)
    parts: tuple[Callable[[], None], ...] = (
        lambda: _tags(model),
        lambda: _schedules(cloud, owners.stacks, model, now),
        lambda: _logs(cloud, owners.stacks, model, now),
    )
    whole = ownership.declared is not Declared.UNKNOWN
    for part in parts:
        try:
            part()
        except ServiceError as error:
            output.warn(str(error))
            whole = False
    return exits.OK if whole else exits.PARTIAL


def _facts(entry: Entry, now: datetime, price: float | None) -> None:
    model, lease, cost = entry.model, entry.model.lease, Cost(entry, now, price)
    _fact("Model", model.seen.name)
    _fact("ARN", model.arn)
    asleep = ASLEEP if lease.asleep else ""
    _fact("Status", ", ".join(filter(None, (model.seen.status, model.units, asleep))))
    _fact("Message", model.seen.message)
    if not REGISTRY[model.service].publishes_units(model.arn):
        _fact(
            "Metrics", "none of its units, as it was trained before September 2022: an idle alarm is silent"
        )
    owner = f"{lease.stack_name}/{lease.logical_id}" if lease.stack_name else "nobody"
    _fact("Owner", f"{owner} ({entry.ownership.reason or 'declares it'})")
    _fact("Stack", lease.stack_id)
    declared = entry.ownership.declared is Declared.YES
    _fact("Remark", f"! {said}" if declared and (said := difference(model, entry.ownership, now)) else "")
    if cost.hours is not None and cost.since:
        money = "" if cost.money is None else f", {cost.money:.2f} USD"
        _fact("Since", f"{output.stamp(cost.since)}: {cost.hours:.2f} hours{money}")


def _fact(label: str, text: str) -> None:
    if text:
        output.line(output.console(), f"{label:{_LABEL}}{text}")


def _tags(model: Model) -> None:
    history = model.lease.history()
    _heading("Lease", history or lease_view.lease(model.tags))
    for when, said in history:
        _entry(f"{output.stamp(when)}  {said}")
    for key, value in lease_view.lease(model.tags).items():
        _entry(f"{key} = {value}")


def _schedules(cloud: Cloud, stacks: Stacks, model: Model, now: datetime) -> None:
    if not model.lease.owned:
        return
    found = schedules.of_model(cloud, stacks.owner(model.lease), model.lease, now)
    _heading("Schedules", found)
    for one in found:
        when = f"{'past,' if one.past else ''} in {one.zone}".strip()
        if one.next:
            when = f"next {one.next:%Y-%m-%d %H:%M} {one.zone}"
        _entry(f"{one.goal:6}{when}  {one.expression}")


def _logs(cloud: Cloud, stacks: Stacks, model: Model, now: datetime) -> None:
    if not model.lease.owned:
        return
    found = logs.about(cloud, stacks.owner(model.lease), model, now)
    _heading("Log", found)
    for when, said in found:
        _entry(f"{when:%Y-%m-%d %H:%M:%S}  {said}")


def _entry(text: str) -> None:
    output.line(output.console(), f"  {text}")


def _heading(title: str, found: object) -> None:
    output.line(output.console(), f"\n{title}{'' if found else ': none'}")
