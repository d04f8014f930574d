"""``hosted-model ls``: what is awake, whose it is, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from . import models, output, prices
from .asking import Where, ask, tell
from .aws import Cloud
from .owners import Declared
from .survey import Entry, Survey

#: Of the JSON document: another number when a member changes its meaning or goes.
JSON_VERSION = 1
MARK = "!"


class Cost:
    """Hours and money of a model so far."""

    def __init__(self, entry: Entry, now: datetime, price: float | None) -> None:
        model = entry.model
        self.since = model.lease.hosted_at
        billed = model.seen.phase in models.BILLED
        self.hours = output.hours_between(self.since, now) if self.since and billed else None
        if price is None:
            price = prices.per_unit_hour(model.service, model.region)
        self.price = price
        self.units = (model.seen.min_units or 0) if billed else 0
        self.money = None if self.hours is None or price is None else self.hours * self.units * price


def ls(
    cloud: Cloud,
    where: Where,
    *,
    every: bool = False,
    arns: bool = False,
    as_json: bool = False,
    price: float | None = None,
) -> int:
    """Print the models of these regions; the exit code."""
    found = ask(cloud, where, stopped=every)
    now = datetime.now(UTC)
    rows = [(entry, Cost(entry, now, price)) for entry in found.entries]
    if as_json:
        print(json.dumps(document(rows, found, now), indent=2))
    elif rows or found.answered:
        _print(rows, several=len({region for region, _ in found.answered}) > 1, arns=arns)
    return tell(found)


def document(rows: Sequence[tuple[Entry, Cost]], found: Survey, now: datetime) -> dict[str, Any]:
    """Return what ``--json`` prints; the documentation describes it."""
    return {
        "version": JSON_VERSION,
        "asked_at": now.isoformat(timespec="seconds"),
        "models": [_member(entry, cost) for entry, cost in rows],
        "problems": [
            {"service": one.service, "region": one.region, "message": one.message} for one in found.problems
        ],
        "not_offered": [{"service": service, "region": region} for region, service in sorted(found.lacking)],
    }


def _member(entry: Entry, cost: Cost) -> dict[str, Any]:
    model, lease = entry.model, entry.model.lease
    declared = {Declared.YES: True, Declared.NO: False, Declared.UNKNOWN: None}[entry.ownership.declared]
    return {
        "service": model.service,
        "region": model.region,
        "project": model.project,
        "model_version": model.version,
        "arn": model.arn,
        "status": model.seen.status,
        "phase": model.seen.phase.name,
        "min_inference_units": model.seen.min_units,
        "max_inference_units": model.seen.max_units,
        "stack_id": lease.stack_id or None,
        "stack_name": lease.stack_name or None,
        "logical_id": lease.logical_id or None,
        "declared": declared,
        "why_not_declared": entry.ownership.reason or None,
        "asleep": lease.asleep,
        "hosted_at": cost.since.isoformat() if cost.since else None,
        "hours": None if cost.hours is None else round(cost.hours, 4),
        "price_per_unit_hour": cost.price,
        "cost": None if cost.money is None else round(cost.money, 4),
        "currency": prices.CURRENCY,
    }


def _print(rows: Sequence[tuple[Entry, Cost]], *, several: bool, arns: bool) -> None:
    out = output.console()
    if not rows:
        output.line(out, "No model runs.")
        return
    made = output.table(out, "Model", "Status", "Owner", "Since (UTC)", "Hours", prices.CURRENCY, numbers=2)
    for entry, cost in rows:
        made.add_row(*map(Text, _cells(entry, cost, several=several)), style=_style(entry))
    output.show(out, made)
    output.line(out, "")
    _totals(rows)
    _undeclared([entry for entry, _ in rows])
    if arns:
        for entry, _ in rows:
            output.line(out, f"{entry.model.name}: {entry.model.arn}")


def _cells(entry: Entry, cost: Cost, *, several: bool) -> tuple[str, ...]:
    model, lease = entry.model, entry.model.lease
    where = f"{model.service}\n{model.region}" if several else model.service
    status = f"{model.seen.status}\n{'asleep' if lease.asleep and not model.units else model.units}".rstrip()
    owner = f"{lease.stack_name}\n{lease.logical_id}" if lease.stack_name else "nobody"
    sign = {Declared.YES: "", Declared.NO: f"{MARK} ", Declared.UNKNOWN: "? "}[entry.ownership.declared]
    return (
        f"{model.name}\n{where}",
        status,
        f"{sign}{owner}",
        cost.since.strftime("%Y-%m-%d\n%H:%M") if cost.since and cost.hours is not None else "-",
        "-" if cost.hours is None else f"{cost.hours:.2f}",
        "-" if cost.money is None else f"{cost.money:.2f}",
    )


def _style(entry: Entry) -> str:
    return {Declared.YES: "", Declared.NO: "red", Declared.UNKNOWN: "yellow"}[entry.ownership.declared]


def _totals(rows: Sequence[tuple[Entry, Cost]]) -> None:
    """One line: how many inference units bill now, and what they cost an hour where the price is known."""
    billed = [cost for _, cost in rows if cost.units]
    units = sum(cost.units for cost in billed)
    said = f"{units} inference unit{'' if units == 1 else 's'} in service"
    known = [cost.units * cost.price for cost in billed if cost.price is not None]
    if known:
        some = "" if len(known) == len(billed) else " for those with a known price"
        said += f", {sum(known):.2f} {prices.CURRENCY} an hour{some}"
    output.line(output.console(), said)


def _undeclared(entries: Sequence[Entry]) -> None:
    """What no stack declares, with the ARN that `stop` takes; and what could not be found out."""
    out = output.console()
    for declared, sign in ((Declared.NO, MARK), (Declared.UNKNOWN, "?")):
        chosen = [entry for entry in entries if entry.ownership.declared is declared]
        if not chosen:
            continue
        heading = "No stack declares" if declared is Declared.NO else "Not known whether a stack declares"
        output.line(out, f"\n{sign} {heading}:")
        for entry in chosen:
            output.line(out, f"  {entry.model.name}: {entry.ownership.reason}")
            output.line(out, f"    {entry.model.arn}")
