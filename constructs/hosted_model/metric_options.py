"""Keyword arguments that every ``metric`` method takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from .checks import Checks


def check(checks: Checks, options: Mapping[str, object]) -> None:
    """Check the options of a ``metric`` method."""
    checks.known(options, MetricOptions.__annotations__)
    for name, value in options.items():
        match name:
            case "period":
                checks.milliseconds(name, value)
            case "unit":
                checks.one_of(name, value, cloudwatch.Unit)
            case "dimensions_map":
                if not isinstance(value, Mapping):
                    checks.fail(f"{name} must be a dict of strings, but it is {value!r}")
                for key, each in value.items():
                    checks.text(f"{name}[{key!r}]", each)
            case _:
                checks.text(name, value)


class MetricOptions(TypedDict, total=False):
    """Keyword arguments of the ``metric`` methods; those of ``aws_cloudwatch.Metric``."""

    account: str
    color: str
    dimensions_map: Mapping[str, str]
    label: str
    period: Duration
    region: str
    statistic: str
    unit: cloudwatch.Unit
