"""PURE: which metrics an outcome gives.

In comes an outcome, out come lines that ``emf.py`` has formatted; the caller writes them to the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..contract import Attribute
from ..decisions.ends import Done, Failed
from ..decisions.marks import unstamp
from . import emf
from .emf import Labels
from .outcome import Outcome


def lines(
    service: str, model: Mapping[str, str], issued: float, outcome: Outcome, now: float
) -> Iterator[str]:
    """Yield the lines of embedded metric format for one outcome of one invocation.

    Parameters
    ----------
    service, model
        The properties of these names.
    issued, now
        Epoch seconds: when the request was made, and now.

    Raises
    ------
    ValueError, KeyError, TypeError
        When the properties name no model of a known service: there are no labels to count it under.
    """
    facts = outcome.facts
    labels = Labels.of(service, facts.model or model)
    for hosted in facts.hosted:
        if began := unstamp(hosted.since):
            seconds = hosted.until - began.timestamp()
            yield emf.hosting_seconds(Labels.of(service, hosted.model), seconds, now)
    if facts.superseded:
        yield emf.superseded(labels, now)
    match outcome.end:
        case Failed(_, code):
            yield emf.failure(labels, code, now)
        case Done(data):
            hosted_at = unstamp(data.get(Attribute.HOSTED_AT, ""))
            # Both are whole seconds. A model that was hosted before the request was not started by it.
            if hosted_at and hosted_at.timestamp() >= issued:
                yield emf.time_to_hosted(labels, hosted_at.timestamp() - issued, now)
