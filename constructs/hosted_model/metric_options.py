"""Keyword arguments that every ``metric`` method takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch


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
