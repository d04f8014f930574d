"""PURE: the function's metrics as lines of CloudWatch's embedded metric format.

In come a model's labels and a number, out comes one line: a JSON document that CloudWatch Logs turns into a
data point. That takes no call and no permission. A line holds the names of the model, the number, and for a
failure one of a few known reasons; no other text gets in.

Follows "Specification: Embedded metric format", Amazon CloudWatch User Guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from ..contract import Metric
from ..services import adapter

SECONDS, COUNT = "Seconds", "Count"
#: What services take for the names of projects and versions.
_NAME = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")


@dataclass(frozen=True, slots=True)
class Labels:
    """The values of the three dimensions of every metric; the construct's ``metric_…`` use the same."""

    service: str
    project: str
    version: str

    @staticmethod
    def of(service: str, model: Mapping[str, str]) -> Labels:
        """Return the labels of a model.

        Raises
        ------
        KeyError, ValueError
            For an unknown service, and for a name that no service takes: no free text becomes a label.
        """
        project, version = adapter(service).names(model)
        if not (_NAME.fullmatch(project) and _NAME.fullmatch(version)):
            raise ValueError("no name of a model")
        return Labels(service, project, version)


def time_to_hosted(labels: Labels, seconds: float, now: float) -> str:
    """Return the line for a model that came up ``seconds`` after CloudFormation asked for it."""
    return _line(labels, Metric.TIME_TO_HOSTED, SECONDS, max(0.0, seconds), now)


def hosting_seconds(labels: Labels, seconds: float, now: float) -> str:
    """Return the line for a model that was stopped after ``seconds`` of hosting."""
    return _line(labels, Metric.HOSTING_SECONDS, SECONDS, max(0.0, seconds), now)


def failure(labels: Labels, reason_code: str, now: float) -> str:
    """Return the line for a request that failed; a code that is none of ``Metric.REASONS`` becomes OTHER."""
    known = reason_code if reason_code in Metric.REASONS else Metric.OTHER
    return _line(labels, Metric.HOSTING_FAILURES, COUNT, 1, now, {Metric.REASON: known})


def superseded(labels: Labels, now: float) -> str:
    """Return the line for a request that ended because a later one had taken over."""
    return _line(labels, Metric.SUPERSEDED_REQUESTS, COUNT, 1, now)


def emit(line: str) -> None:
    """Write one line to standard output, which Lambda passes to the log as it is."""
    print(line, flush=True)


def _line(
    labels: Labels, name: str, unit: str, value: float, now: float, more: Mapping[str, str] | None = None
) -> str:
    dimensions: list[Sequence[str]] = [Metric.DIMENSIONS]
    if more:
        dimensions.append((*Metric.DIMENSIONS, *more))
    document: dict[str, Any] = {
        "_aws": {
            "Timestamp": int(now * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": Metric.NAMESPACE,
                    "Dimensions": dimensions,
                    "Metrics": [{"Name": name, "Unit": unit}],
                }
            ],
        },
        **dict(zip(Metric.DIMENSIONS, astuple(labels), strict=True)),
        **(more or {}),
        name: round(value, 3),
    }
    return json.dumps(document, separators=(",", ":"))
