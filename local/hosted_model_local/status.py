"""What `status` shows: models, rules and functions of a local cloud."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hosted_model_local import clients
from hosted_model_local.run_folder import CloudRun

TAG_PREFIX = "hosted-model:"
NOBODY = "-"
_PLAIN_WIDTH = 80
_STACK = re.compile(r"arn:[^:]+:cloudformation:[^:]*:[^:]*:stack/([^/]+)/[0-9a-f-]+")


def console() -> Console:
    """Colours and borders on a terminal; plain text, 80 columns wide, in a pipe."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(width=_PLAIN_WIDTH, no_color=True, highlight=False, force_terminal=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: int = 0) -> Table:
    """A table whose last ``numbers`` columns stand to the right."""
    style = box.SIMPLE_HEAD if sys.stdout.isatty() else None
    made = Table(title=title, title_justify="left", box=style, pad_edge=False)
    for place, name in enumerate(columns):
        right = place >= len(columns) - numbers
        made.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made


def owner(tags: dict[str, str]) -> str:
    """Who owns a model, from its tags: the stack's name and the logical ID, or `NOBODY`."""
    said = [tags[f"{TAG_PREFIX}{key}"] for key in ("stack", "logical-id") if f"{TAG_PREFIX}{key}" in tags]
    return _STACK.sub(r"\1", "/".join(said)) or NOBODY


def tables(current: CloudRun, bundle: Path) -> list[Table]:
    """The tables of this cloud, read from its servers; ``bundle`` are the certificates to trust."""
    every = partial(_every_region, current, bundle)
    models = clients.Simulator(current.simulator_url).models()
    columns = ("Model", "Status", "Units", "Owner", "Starts", "Billed unit-s")
    made = [
        table(
            f"Models of {service}",
            columns,
            [_row(one) for one in models if one.service == service],
            numbers=2,
        )
        for service in sorted({one.service for one in models})
    ]
    return [
        *(made or [table("Models", columns, [])]),
        table("EventBridge rules", ("Region", "Rule", "Schedule", "State"), every("events", _rules)),
        table("Schedules", ("Region", "Schedule", "When", "State"), every("scheduler", _schedules)),
        table(
            "Lambda functions",
            ("Region", "Function", "Runtime", "Timeout"),
            every("lambda", _functions),
            numbers=1,
        ),
    ]


def _row(model: clients.ModelView) -> tuple[object, ...]:
    billed = f"{model.billed_unit_seconds:.0f}"
    return model.name, model.status, model.units or "-", owner(model.tags), model.starts, billed


def show(current: CloudRun, bundle: Path) -> None:
    """Print the tables; an empty one as a line."""
    out = console()
    for one in tables(current, bundle):
        if one.row_count:
            out.print(one)
        else:
            out.print(f"{one.title}: none")


_Rows = Iterator[tuple[object, ...]]


def _every_region(
    current: CloudRun, bundle: Path, service: str, rows: Callable[[Any], _Rows]
) -> list[tuple[object, ...]]:
    found = []
    for region in current.regions:
        client = clients.aws(service, endpoint=current.ministack_url, bundle=str(bundle), region=region)
        found += [(region, *row) for row in rows(client)]
    return found


def _rules(client: Any) -> _Rows:
    for page in client.get_paginator("list_rules").paginate():
        for rule in page["Rules"]:
            yield rule["Name"], rule.get("ScheduleExpression", "-"), rule["State"]


def _schedules(client: Any) -> _Rows:
    for page in client.get_paginator("list_schedules").paginate():
        for one in page["Schedules"]:
            found = client.get_schedule(Name=one["Name"], GroupName=one["GroupName"])
            zone = found.get("ScheduleExpressionTimezone", "UTC")
            yield one["Name"], f"{found['ScheduleExpression']} {zone}", found["State"]


def _functions(client: Any) -> _Rows:
    for page in client.get_paginator("list_functions").paginate():
        for one in page["Functions"]:
            yield one["FunctionName"], one.get("Runtime", "-"), f"{one['Timeout']} s"
