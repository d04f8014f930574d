"""PURE: the function's metrics as lines of CloudWatch's embedded metric format.

One line is one JSON document, which CloudWatch Logs turns into a data point; no call, no permission. Follows
"Specification: Embedded metric format", Amazon CloudWatch User Guide. A line has the names of the model, one
number, and of a failure one of a few known reasons: no text from anywhere else gets in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from ..contract import LookoutVision, Metric, Rekognition

SECONDS, COUNT = "Seconds", "Count"
#: Both services' names of projects and versions are such.
_NAME = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")

#: How the ``Model`` property of each service names project and version.
NAMES: Mapping[str, Callable[[Mapping[str, str]], tuple[str, str]]] = {
    LookoutVision.SERVICE: lambda model: (
        model[LookoutVision.PROJECT_NAME],
        model[LookoutVision.MODEL_VERSION],
    ),
    Rekognition.SERVICE: Rekognition.names,
}


@dataclass(frozen=True, slots=True)
class Labels:
    """The values of the three dimensions that every metric has; those of ``metric_…`` of the construct."""

    service: str
    project: str
    version: str

    @staticmethod
    def of(service: str, model: Mapping[str, str]) -> Labels:
        """Return the labels of a model.

        Raises
        ------
        KeyError, ValueError
            For an unknown service, and for what is no name: a value of a dimension is never free text.
        """
        project, version = NAMES[service](model)
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
