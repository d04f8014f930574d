"""PURE: which metrics an outcome is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from . import metrics
from .contract import Attribute, Property
from .host import Answer, Outcome
from .metrics import Labels
from .request import Request, issued


def report(request: Request | Mapping[str, Any], outcome: Outcome, now: float) -> list[str]:
    """Return the lines of embedded metric format for one outcome of one invocation.

    Parameters
    ----------
    request
        What was asked for: the request, or CloudFormation's event where it may be no valid request.
    outcome
        How the invocation ended.
    now
        Epoch seconds.

    Raises
    ------
    ValueError, KeyError, TypeError
        When the request names no model of a known service: there is nothing to count it for.
    """
    service, model, since = _subject(request, now)
    labels = Labels.of(service, outcome.facts.model or model)
    return list(_lines(labels, service, since, outcome, now))


def _lines(labels: Labels, service: str, since: float, outcome: Outcome, now: float) -> Iterator[str]:
    facts = outcome.facts
    for ran in facts.ran:
        began = _epoch(ran.since)
        if began is not None:
            yield metrics.hosting_seconds(Labels.of(service, ran.model), ran.until - began, now)
    if facts.superseded:
        yield metrics.superseded(labels, now)
    if not isinstance(outcome, Answer):
        return
    if not outcome.ok:
        yield metrics.failure(labels, facts.code, now)
        return
    hosted_at = _epoch(outcome.data.get(Attribute.HOSTED_AT, ""))
    # Both are whole seconds. A model that was hosted before the request was made was not started by it.
    if hosted_at is not None and hosted_at >= since:
        yield metrics.time_to_hosted(labels, hosted_at - since, now)


def _subject(request: Request | Mapping[str, Any], now: float) -> tuple[str, Mapping[str, str], float]:
    if isinstance(request, Request):
        return request.service, request.model, request.issued.timestamp()
    properties = request["ResourceProperties"]
    return properties[Property.SERVICE], properties[Property.MODEL], issued(request, now).timestamp()


def _epoch(stamp: str) -> float | None:
    """Return a time that ``lease.stamp`` wrote, or None where there is none."""
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
