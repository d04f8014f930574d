"""PURE: what is otherwise than declared, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from hosted_model_runtime.contract import SERVICE_TIMEOUT_MAX, Scheduled
from hosted_model_runtime.decisions.marks import State
from hosted_model_runtime.decisions.model import Phase

from . import models, output
from .lease_view import LeaseView
from .models import Model
from .owners import Declared, Ownership

ASLEEP = "asleep by its hours"
NOT_RUNNING = "declared, not running"
ABSENT = "declared, does not exist"
STOPPING = "declared, and somebody is stopping it"
OUTSIDE = "runs, though its hours are over"


def difference(model: Model, ownership: Ownership, now: datetime) -> str:
    """Return what is otherwise than declared, or an empty text; where nothing is known, it is empty too."""
    if ownership.declared is Declared.NO:
        return ownership.reason if model.seen.phase in models.AWAKE else ""
    if ownership.declared is Declared.UNKNOWN or ownership.moving or _is_under_way(model.lease, now):
        return ""
    if model.lease.asleep:
        return OUTSIDE if model.seen.phase in (Phase.STARTING, Phase.RUNNING) else ""
    return of_declared(model)


def of_declared(model: Model) -> str:
    """Return what is otherwise with a model that has to run."""
    match model.seen.phase:
        case Phase.ABSENT:
            return ABSENT
        case Phase.UNREADY:
            return f"declared, cannot be hosted: it is {model.seen.status}"
        case Phase.FAILED:
            return f"declared, could not be hosted{_says(model)}"
        case Phase.STOPPING:
            return STOPPING
        case Phase.STOPPED:
            return _not_running(model.lease)
        case Phase.RUNNING:
            return _other_units(model)
    return ""


def _is_under_way(lease: LeaseView, now: datetime) -> bool:
    """Whether a request or a schedule is at work; one whose time is over is not."""
    mark = lease.commanding
    if mark is None or mark.state.settled:
        return False
    patience = SERVICE_TIMEOUT_MAX * (Scheduled.ATTEMPTS if mark.type in Scheduled.GOALS else 1)
    return now - mark.issued < timedelta(seconds=patience)


def _not_running(lease: LeaseView) -> str:
    """When a model stopped is told by no service; that it was hosted, by the lease."""
    mark = lease.commanding
    if mark and mark.type == Scheduled.START and mark.state is State.FAILED:
        return f"{NOT_RUNNING} since {output.stamp(mark.issued)}: the start of its hours failed"
    if lease.hosted_at:
        return f"{NOT_RUNNING} since some time after {output.stamp(lease.hosted_at)}"
    return NOT_RUNNING


def _other_units(model: Model) -> str:
    declared = model.lease.units
    low, high = model.seen.min_units, model.seen.max_units or model.seen.min_units
    if not declared or low is None:
        return ""
    wanted, _, ceiling = declared.partition("-")
    if (f"{low}", f"{high}") == (wanted, ceiling or wanted):
        return ""
    return f"runs with {model.units}, {declared.replace('-', ' to ')} declared"


def _says(model: Model) -> str:
    return f": {model.seen.message}" if model.seen.message else ""
