"""``hosted-model estimate``: what an app, or a stack, costs a month."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from hosted_model_runtime.contract import Scheduled

from . import exits, output, prices, stacks, templates
from .aws import Cloud
from .schedules import is_past, next_fire
from .templates import DeclaredModel, Template, Timed, UnreadableError

JSON_VERSION = 1
#: A month is a twelfth of 52 weeks: every month has the same number of Mondays.
_REACH = timedelta(weeks=52)
HOURS_A_MONTH = _REACH / timedelta(hours=1) / 12
#: Of one schedule in 52 weeks: twenty a day. One that fires oftener is not worked out.
_FIRES = 20 * 364
COLUMNS = (
    "STACK",
    "RESOURCE",
    "MODEL",
    "SERVICE",
    "REGION",
    "UNITS",
    "HOURS",
    prices.CURRENCY,
    "MAX",
    "WHEN",
)


@dataclass(frozen=True)
class Estimate:
    """A model's month: hours, and money with its minimum and with its maximum of inference units."""

    model: DeclaredModel
    #: None: they cannot be worked out, and the model counts as hosted always.
    known_hours: float | None
    price: float | None
    dated: str = ""
    page: str = ""

    @property
    def hours(self) -> float:
        """For how many hours a month it is hosted."""
        return HOURS_A_MONTH if self.known_hours is None else self.known_hours

    def money(self, units: int | None) -> float | None:
        """US dollars with so many units all the time."""
        return None if units is None or self.price is None else units * self.hours * self.price

    @property
    def low(self) -> float | None:
        """With the minimum."""
        return self.money(self.model.min_units)

    @property
    def high(self) -> float | None:
        """With the maximum; without auto-scaling that is the minimum."""
        return self.money(self.model.max_units)


def estimate_app(folder: Path, *, region: str | None, price: float | None, as_json: bool) -> int:
    """Print what a synthesised app costs a month; the exit code. Asks nobody.

    Parameters
    ----------
    region
        For stacks of which the app does not say where they are; by default what the environment says.
    """
    fallback = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    try:
        found = [replace(one, region=one.region or fallback) for one in templates.of_app(folder)]
    except UnreadableError as error:
        output.fail(str(error))
        return exits.FAILED
    return _tell(found, price, as_json=as_json)


def estimate_stack(cloud: Cloud, name: str, *, region: str, price: float | None, as_json: bool) -> int:
    """Print what a stack costs a month, by the template that it has now; the exit code."""
    stack_id = stacks.find(cloud, region, name)
    if not stack_id:
        output.fail(f"there is no stack {name} in {region}")
        return exits.FAILED
    answer = cloud.call(region, "cloudformation", "GetTemplate", StackName=stack_id)
    body = answer["TemplateBody"]
    if not isinstance(body, dict):
        output.fail(f"the template of {name} is not in JSON")
        return exits.FAILED
    found = Template(stack_id.split("/")[1], region, body.get("Resources", {}))
    return _tell([found], price, as_json=as_json)


def _tell(found: Iterable[Template], price: float | None, *, as_json: bool) -> int:
    now = output.now()
    rows = [_estimate(one, price, now) for template in found for one in templates.declared(template)]
    if as_json:
        print(json.dumps(document(rows, now), indent=2))
    else:
        _print(rows)
    for region, service in sorted({(one.model.region, one.model.service) for one in rows if not one.price}):
        where = region or "an unknown region (--region names it)"
        output.warn(f"no price is known for {service} in {where}: say --price-per-unit-hour")
    for one in rows:
        if one.known_hours is None:
            name = f"{one.model.stack}/{one.model.logical_id}"
            output.warn(f"the hosting hours of {name} cannot be worked out: it counts as hosted always")
    known = all(one.low is not None and one.known_hours is not None for one in rows)
    return exits.OK if known else exits.PARTIAL


def _estimate(model: DeclaredModel, price: float | None, now: datetime) -> Estimate:
    hours = hours_a_month(model.hours, now)
    line = prices.known(model.service, model.region) if price is None else None
    if line is None:
        return Estimate(model, hours, price)
    return Estimate(model, hours, line.usd, line.dated, line.page)


def hours_a_month(schedules: Sequence[Timed], now: datetime) -> float | None:
    """PURE: return for how many hours a month a model is hosted, by its schedules of the next 52 weeks.

    Without schedules, and with such as are all past, it is hosted always. None: one of them cannot be worked
    out.
    """
    end = now + _REACH
    fires: list[tuple[datetime, bool]] = []
    for one in schedules:
        times = list(islice(_fires(one, now, end), _FIRES + 1))
        if len(times) > _FIRES or not (times or _is_past_or_later(one, now, end)):
            return None
        fires += [(when, one.goal == Scheduled.STOP) for when in times]
    fires.sort()
    if not fires:
        return HOURS_A_MONTH
    # What comes first tells how it stands now: what stops next runs.
    total, since = timedelta(0), now if fires[0][1] else None
    for when, stops in fires:
        if stops and since:
            total, since = total + (when - since), None
        elif not stops:
            since = since or when
    return (total + (end - since if since else timedelta(0))) / timedelta(hours=1) / 12


def _fires(one: Timed, now: datetime, end: datetime) -> Iterable[datetime]:
    when = next_fire(one.expression, one.zone, now)
    while when is not None and when < end:
        yield when.astimezone(UTC)
        when = next_fire(one.expression, one.zone, when)


def _is_past_or_later(one: Timed, now: datetime, end: datetime) -> bool:
    """Say whether a schedule that does not fire until ``end`` is past, or comes later."""
    return is_past(one.expression, one.zone, now) or next_fire(one.expression, one.zone, end) is not None


def document(rows: Sequence[Estimate], now: datetime) -> dict[str, Any]:
    """Return what ``--json`` prints; the documentation describes it."""
    return {
        "version": JSON_VERSION,
        "reckoned_at": now.isoformat(timespec="seconds"),
        "currency": prices.CURRENCY,
        "models": [_member(one) for one in rows],
        "cost_a_month": round(_sum(one.low for one in rows), 2),
        "max_cost_a_month": round(_sum(one.high for one in rows), 2),
        "without_a_price": sum(one.low is None for one in rows),
    }


def _member(one: Estimate) -> dict[str, Any]:
    model = one.model
    return {
        "stack_name": model.stack,
        "logical_id": model.logical_id,
        "service": model.service,
        "region": model.region or None,
        "project": model.project,
        "model_version": model.version,
        "min_inference_units": model.min_units,
        "max_inference_units": model.max_units,
        "schedules": [
            {"goal": each.goal.lower(), "expression": each.expression, "time_zone": each.zone}
            for each in model.hours
        ],
        "hours_a_month": round(one.hours, 2),
        "price_per_unit_hour": one.price,
        "price_dated": one.dated or None,
        "cost_a_month": None if one.low is None else round(one.low, 2),
        "max_cost_a_month": None if one.high is None else round(one.high, 2),
    }


def _sum(values: Iterable[float | None]) -> float:
    return sum(value or 0.0 for value in values)


def _print(rows: Sequence[Estimate]) -> None:
    out = output.console()
    if not rows:
        output.line(out, "No hosted model is declared.")
        return
    output.columns(out, [COLUMNS, *map(_line, rows)])
    low, high = _sum(one.low for one in rows), _sum(one.high for one in rows)
    most = "" if low == high else f", at most {high:.2f} {prices.CURRENCY} with every model scaled up"
    output.line(out, f"\nA month: {low:.2f} {prices.CURRENCY}{most}")
    for said in sorted({_price(one) for one in rows if one.dated}):
        output.line(out, said)


def _price(one: Estimate) -> str:
    unit = f"{one.price:.2f} {prices.CURRENCY} for an inference unit and hour"
    return f"{one.model.service} in {one.model.region}: {unit} ({one.page}, {one.dated})"


def _line(one: Estimate) -> tuple[str, ...]:
    model = one.model
    low, high = model.min_units, model.max_units
    units = "-" if low is None else f"{low}" if high in (None, low) else f"{low}-{high}"
    return (
        model.stack,
        model.logical_id,
        f"{model.project}/{model.version}" if model.project else "-",
        model.service,
        model.region or "-",
        units,
        f"{one.hours:.1f}",
        "-" if one.low is None else f"{one.low:.2f}",
        "-" if one.high is None else f"{one.high:.2f}",
        ", ".join(f"{each.goal.lower()} {each.expression} {each.zone}{_past(each)}" for each in model.hours)
        or "always",
    )


def _past(each: Timed) -> str:
    return " (past)" if is_past(each.expression, each.zone, output.now()) else ""
