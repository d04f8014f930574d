"""PURE: one request for one hosted model, as a value that never changes.

``cloudformation/events.py`` makes it from an event and checks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..contract import DEADLINE_MARGIN, SERVICE_TIMEOUT_MAX, OnRunning, Scheduled
from .model import Units
from .tokens import fingerprint


class InvalidRequestError(ValueError):
    """A property is missing or breaks its limit; the text names it. Such a request starts nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """What CloudFormation, or a schedule of hosting hours, asks for."""

    type: str
    request_id: str
    stack_id: str
    logical_id: str
    service: str
    model: Mapping[str, str]
    units: Units
    issued: datetime
    timeout: int = SERVICE_TIMEOUT_MAX
    on_running: str = OnRunning.FAIL
    physical_id: str | None = None
    old_service: str | None = None
    old_model: Mapping[str, str] | None = None
    #: What the update before this one, or a cancelled one, wanted; None where that is not known.
    old_units: Units | None = None
    #: Whether schedules start and stop the model between deploys.
    has_hours: bool = False
    #: Whether it came after CloudFormation had stopped waiting for it: then it only lets go of a model.
    is_overdue: bool = False

    @property
    def deadline(self) -> float:
        """Epoch seconds at which this request gives up, to answer in time: ``expiry`` less a margin."""
        return self.expiry - DEADLINE_MARGIN

    @property
    def expiry(self) -> float:
        """Epoch seconds at which ServiceTimeout is over, and CloudFormation stops waiting."""
        return self.issued.timestamp() + self.timeout

    @property
    def scheduled(self) -> bool:
        """Whether it comes from a schedule of the resource's hosting hours, not from CloudFormation."""
        return self.type in Scheduled.GOALS

    @property
    def adopts(self) -> bool:
        """Whether the request may take a model that already runs and that no stack owns."""
        return self.on_running == OnRunning.ADOPT


@dataclass(frozen=True, slots=True)
class Claim:
    """A request together with one model that it is about.

    ``declared_as`` is the fingerprint of the physical ID under which the request declares that model. In a
    replacement one resource has two models, one after the other, and this tells them apart.
    """

    request: Request
    declared_as: str

    @property
    def resource(self) -> str:
        """A short name of the resource, the same whichever model it declares."""
        return fingerprint(self.request.stack_id, self.request.logical_id)

    @property
    def undoes_unanswered(self) -> bool:
        """Whether it deletes what no Create has answered for: CloudFormation invented the physical ID."""
        request = self.request
        return request.type == "Delete" and fingerprint(request.physical_id or "") != self.declared_as

    @property
    def stack(self) -> str:
        """The part of the stack ID that no other stack has; the function's policy compares it."""
        return self.request.stack_id.rsplit("/", 1)[-1]
