"""What the provider's function logged about a model last."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from hosted_model_runtime.contract import Env

from .aws import Cloud, Kind, ServiceError
from .lease_view import LeaseView
from .models import Model
from .stacks import Stack

FUNCTION = "AWS::Lambda::Function"
LINES = 10
#: The last entries are wanted, and CloudWatch Logs gives the first ones first: look back further each time.
_LOOK_BACK = (timedelta(hours=1), timedelta(days=1), timedelta(days=30))
_PAGES = 20

Entry = tuple[datetime, str]


def about(cloud: Cloud, stack: Stack, model: Model, now: datetime) -> list[Entry]:
    """Return the last log entries that name the model or its resource; raises ServiceError."""
    group = next(_groups(cloud, stack, model.lease), None)
    if group is None:
        return []
    for span in _LOOK_BACK:
        found = [one for one in _entries(cloud, model.lease, group, now - span) if _is_about(model, one[1])]
        if len(found) >= LINES:
            break
    return [(when, _readable(message)) for when, message in found[-LINES:]]


def _is_about(model: Model, message: str) -> bool:
    """Whether an entry names the model, its resource, or is one of its metrics."""
    names = "|".join(map(re.escape, (model.name, model.arn, model.lease.logical_id)))
    # Not boards/12 where boards/1 is meant.
    if re.search(rf"(?<![\w-])({names})(?![\w-])", message):
        return True
    said = _document(message)
    named = (said.get("Service"), said.get("Project"), said.get("Version"))
    return named == (model.service, model.project, model.version)


def _document(message: str) -> dict[str, Any]:
    """The JSON object that an entry is; empty where it is none."""
    try:
        said = json.loads(message)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _readable(message: str) -> str:
    """An entry in one line: a metric's name and value, a record's level and message, else all of it."""
    said = _document(message)
    if isinstance(said.get("_aws"), dict):
        metrics = [
            one for each in said["_aws"].get("CloudWatchMetrics", []) for one in each.get("Metrics", [])
        ]
        return ", ".join(
            f"metric {one['Name']} {said.get(one['Name'])} {one.get('Unit', '')}" for one in metrics
        )
    if "message" in said:
        message = f"{said.get('level', '')} {said['message']}"
    return " ".join(message.split())


def _groups(cloud: Cloud, stack: Stack, lease: LeaseView) -> Iterator[str]:
    """The log group of the function that has the runtime's variables."""
    for name in stack.ids(FUNCTION):
        function = cloud.call(lease.stack_region, "lambda", "GetFunctionConfiguration", FunctionName=name)
        if Env.RULE_PREFIX in function.get("Environment", {}).get("Variables", {}):
            yield function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"


def _entries(cloud: Cloud, lease: LeaseView, group: str, since: datetime) -> Iterator[Entry]:
    start = int(since.timestamp() * 1000)
    pages = cloud.pages(lease.stack_region, "logs", "FilterLogEvents", logGroupName=group, startTime=start)
    try:
        for _, page in zip(range(_PAGES), pages, strict=False):
            for event in page["events"]:
                when = datetime.fromtimestamp(event["timestamp"] / 1000, tz=UTC)
                yield when, event["message"]
    except ServiceError as error:
        # A function that never ran has no group yet.
        if error.kind is not Kind.ABSENT:
            raise
