"""``hosted-model ls``: what runs or should, whose it is, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.text import Text

from . import differing, output, prices
from .asking import Where, ask, tell
from .aws import Cloud
from .costing import Cost
from .models import Depth
from .owners import Declared
from .survey import Entry, Survey

#: Of the JSON document: another number when a member changes its meaning or goes.
JSON_VERSION = 1
MARK, UNKNOWN, NONE = "!", "?", "-"
COLUMNS = ("MODEL", "STATUS", "UNITS", "SERVICE", "REGION", "OWNER", "SINCE", "HOURS", prices.CURRENCY, "ARN")


@dataclass(frozen=True)
class Row:
    """One model as it is listed."""

    entry: Entry
    cost: Cost
    difference: str

    @property
    def sign(self) -> str:
        """``!`` for what is otherwise than declared, ``?`` for what is not known; else nothing."""
        if self.entry.ownership.declared is Declared.UNKNOWN:
            return UNKNOWN
        return MARK if self.difference else ""

    @property
    def remark(self) -> str:
        """What a reader should know of it; mostly nothing."""
        if self.sign == UNKNOWN:
            return f"not known whether a stack declares it: {self.entry.ownership.reason}"
        asleep = self.entry.model.lease.asleep and self.entry.ownership.declared is Declared.YES
        return self.difference or self.entry.ownership.reason or (differing.ASLEEP if asleep else "")

    @property
    def owner(self) -> str:
        """Stack and resource, as in a path."""
        lease = self.entry.model.lease
        return f"{lease.stack_name}/{lease.logical_id}" if lease.stack_name else "nobody"


def ls(
    cloud: Cloud,
    where: Where,
    *,
    depth: Depth = Depth.OWNED,
    arns: bool = False,
    as_table: bool = False,
    as_json: bool = False,
    price: float | None = None,
) -> int:
    """Print the models of these regions; the exit code."""
    found = ask(cloud, where, depth=depth)
    now = output.now()
    rows = [_row(entry, now, price) for entry in found.entries]
    if as_json:
        print(json.dumps(document(rows, found, now), indent=2))
    elif rows:
        _print(rows, arns=arns, as_table=as_table or output.console().is_terminal)
    elif found.answered:
        output.line(output.console(), "No model runs.")
    return tell(found)


def _row(entry: Entry, now: datetime, price: float | None) -> Row:
    return Row(entry, Cost(entry, now, price), differing.difference(entry.model, entry.ownership, now))


def document(rows: Sequence[Row], found: Survey, now: datetime) -> dict[str, Any]:
    """Return what ``--json`` prints; the documentation describes it."""
    return {
        "version": JSON_VERSION,
        "asked_at": now.isoformat(timespec="seconds"),
        "models": [_member(row) for row in rows],
        **found.unasked(),
    }


def _member(row: Row) -> dict[str, Any]:
    model, lease, cost = row.entry.model, row.entry.model.lease, row.cost
    declared = {Declared.YES: True, Declared.NO: False, Declared.UNKNOWN: None}
    return {
        **model.names(),
        "status": model.seen.status,
        "phase": model.seen.phase.name,
        "min_inference_units": model.seen.min_units,
        "max_inference_units": model.seen.max_units,
        "stack_id": lease.stack_id or None,
        "stack_name": lease.stack_name or None,
        "logical_id": lease.logical_id or None,
        "declared": declared[row.entry.ownership.declared],
        "why_not_declared": row.entry.ownership.reason or None,
        "difference": row.difference or None,
        "asleep": lease.asleep,
        "hosted_at": cost.since.isoformat() if cost.since else None,
        "hours": None if cost.hours is None else round(cost.hours, 4),
        "price_per_unit_hour": cost.price,
        "cost": None if cost.money is None else round(cost.money, 4),
        "currency": prices.CURRENCY,
    }


def _print(rows: Sequence[Row], *, arns: bool, as_table: bool) -> None:
    out = output.console()
    if as_table:
        _table(rows)
    else:
        output.columns(out, [("", *COLUMNS, "REMARK"), *map(_line, rows)])
    output.line(out, "")
    output.line(out, _totals(rows))
    if not as_table:
        return
    _remarks(rows)
    for row in rows if arns else ():
        output.line(out, f"{row.entry.model.name}: {row.entry.model.arn}")


def _line(row: Row) -> tuple[str, ...]:
    """A model in one line, for grep and awk: no column but the last has a blank in it."""
    model, cost = row.entry.model, row.cost
    billed = cost.since is not None and cost.hours is not None
    return (
        row.sign or NONE,
        model.name,
        model.seen.status.replace(" ", "_"),
        model.unit_range or NONE,
        model.service,
        model.region,
        row.owner,
        f"{cost.since:%Y-%m-%dT%H:%MZ}" if billed else NONE,
        NONE if cost.hours is None else f"{cost.hours:.2f}",
        NONE if cost.money is None else f"{cost.money:.2f}",
        model.arn,
        row.remark or NONE,
    )


def _table(rows: Sequence[Row]) -> None:
    out = output.console()
    made = output.table(out, "Model", "Status", "Owner", "Since (UTC)", "Hours", prices.CURRENCY, numbers=2)
    several = len({row.entry.model.region for row in rows}) > 1
    for row in rows:
        made.add_row(*map(Text, _cells(row, several=several)), style=_style(row))
    output.show(out, made)


def _cells(row: Row, *, several: bool) -> tuple[str, ...]:
    model, lease, cost = row.entry.model, row.entry.model.lease, row.cost
    where = f"{model.service}\n{model.region}" if several else model.service
    below = model.units or (differing.ASLEEP if row.remark == differing.ASLEEP else "")
    owner = f"{lease.stack_name}\n{lease.logical_id}" if lease.stack_name else row.owner
    return (
        f"{model.name}\n{where}",
        f"{model.seen.status}\n{below}".rstrip(),
        f"{row.sign} {owner}".lstrip(),
        cost.since.strftime("%Y-%m-%d\n%H:%M") if cost.since and cost.hours is not None else NONE,
        NONE if cost.hours is None else f"{cost.hours:.2f}",
        NONE if cost.money is None else f"{cost.money:.2f}",
    )


def _style(row: Row) -> str:
    return {MARK: "red", UNKNOWN: "yellow"}.get(row.sign, "")


def _totals(rows: Sequence[Row]) -> str:
    """How many inference units bill now, and what they cost an hour where the price is known."""
    billed = [row.cost for row in rows if row.cost.units]
    units = sum(cost.units for cost in billed)
    said = f"{units} inference unit{'' if units == 1 else 's'} in service"
    known = [cost.units * cost.price for cost in billed if cost.price is not None]
    if known:
        some = "" if len(known) == len(billed) else " for those with a known price"
        said += f", {sum(known):.2f} {prices.CURRENCY} an hour{some}"
    elif billed:
        services = sorted({row.entry.model.service for row in rows if row.cost.units})
        said += f"; no price is known for {', '.join(services)}"
    return said


def _remarks(rows: Sequence[Row]) -> None:
    """What is otherwise than declared, with the ARN that the other commands take."""
    out = output.console()
    for sign, heading in ((MARK, "Otherwise than declared"), (UNKNOWN, "Not known")):
        chosen = [row for row in rows if row.sign == sign]
        if chosen:
            output.line(out, f"\n{sign} {heading}:")
        for row in chosen:
            output.line(out, f"  {row.entry.model.name}: {row.remark}")
            output.line(out, f"    {row.entry.model.arn}")
