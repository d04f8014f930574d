"""PURE: how a request ends; ``HandedOver`` ends only the invocation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..contract import Metric


@dataclass(frozen=True, slots=True)
class Done:
    """The model is as the request wants it; ``data`` are the attributes that CloudFormation is told."""

    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """The request failed; ``code`` is one of ``Metric.REASONS``."""

    reason: str
    code: str = Metric.OTHER


@dataclass(frozen=True, slots=True)
class Superseded:
    """A later request commands the model, or CloudFormation no longer waits: no answer, no further call."""

    why: str = "a later request commands the model"


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The next invocation goes on with the request."""


End = Done | Failed | Superseded
