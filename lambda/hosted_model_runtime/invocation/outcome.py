"""How one invocation ended: ``end`` and ``physical_id`` for CloudFormation, ``Facts`` for the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..decisions.ends import Done, Failed, HandedOver, Superseded


@dataclass(frozen=True, slots=True)
class Hosted:
    """A model that was stopped: hosted ``since`` (as its tag says) and ``until`` (epoch seconds)."""

    model: Mapping[str, str]
    since: str
    until: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What metrics, and the relay, need beside the end; CloudFormation is told none of it.

    Attributes
    ----------
    model
        The model with its version's number; empty where none was looked at.
    superseded
        Whether a later request commands the model.
    hosted
        The models that this invocation saw stop.
    may_leave_early
        Whether an invocation for this request may have left while the end of the start was far.
    """

    model: Mapping[str, str] = field(default_factory=dict)
    superseded: bool = False
    hosted: tuple[Hosted, ...] = ()
    may_leave_early: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one invocation; ``physical_id`` goes into the answer, be it SUCCESS or FAILED."""

    end: Done | Failed | Superseded | HandedOver
    physical_id: str
    facts: Facts = field(default_factory=Facts, compare=False)
