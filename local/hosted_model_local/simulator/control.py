"""The control API below ``/_simulator/``, for tests and for people who try things; it needs no signature."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from . import lookoutvision, rekognition
from .faults import CONNECTION_RESET, Fault
from .http import Request, Response, json_object, json_response
from .models import Lifecycle, Model

if TYPE_CHECKING:
    from .core import Simulator

PREFIX = "/_simulator/"

_SERVICES = {lookoutvision.NAME: lookoutvision, rekognition.NAME: rekognition}
_OPERATIONS = lookoutvision.OPERATIONS | rekognition.OPERATIONS
_MODEL_MEMBERS = frozenset(
    {
        "service",
        "region",
        "account",
        "status",
        "status_message",
        "start_seconds",
        "stop_seconds",
        "start_outcome",
        "stop_while_starting",
        "tags",
        "min_inference_units",
        "max_inference_units",
        "project_timestamp",
        "version_timestamp",
    }
)
_FAULT_MEMBERS = frozenset(Fault.__dataclass_fields__)
_QUOTA_MEMBERS = frozenset(
    {"requests_per_second", "max_inference_units", "account", "max_running_models", "max_units_per_model"}
)

# Infinity, which Python's JSON reads, is no time; nor is anything near it.
_MAX_NUMBER = 1e15

Payload = dict[str, object]


class ControlError(Exception):
    """A control request that makes no sense, with its HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """The control API of one simulator. The caller holds the simulator's lock."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def handle(self, request: Request, now: float) -> Response:
        """Answer a control request: 200 with JSON, or ``{"error": …}`` with 400, 404 or 405."""
        parts = [unquote(part) for part in request.path[len(PREFIX) :].split("/")]
        handlers = _ROUTES.get(parts[0])
        if handlers is None:
            return json_response(404, {"error": f"There is no {request.path}."})
        handler = handlers.get(request.method)
        if handler is None:
            return json_response(
                405, {"error": f"{request.method} is not allowed."}, {"Allow": ", ".join(handlers)}
            )
        try:
            payload = json_object(request.body)
            if payload is None:
                raise ControlError("The body must be a JSON object.")
            query = dict(parse_qsl(request.query, keep_blank_values=True))
            return json_response(200, handler(self, parts[1:], {**query, **payload}, now))
        except ControlError as error:
            return json_response(error.status, {"error": str(error)})

    # --- models ------------------------------------------------------------------------------------------

    def _get_models(self, path: list[str], payload: Payload, now: float) -> object:
        if path:
            return _view(self._known_model(path, payload, now), now)
        return [_view(model, now) for model in self._simulator.world.models.all(now)]

    def _put_model(self, path: list[str], payload: Payload, now: float) -> object:
        _only(payload, _MODEL_MEMBERS)
        project, version = _project_and_version(path)
        life = _lifecycle(payload)
        _check_model(life, payload)
        account, region = self._place(payload)
        models = self._simulator.world.models
        model = models.get((life.service, account, region, project), version, now)
        if model is None:
            if not _SERVICES[life.service].is_model_name(project, version):
                raise ControlError(f"{project}/{version} is no name of a model of {life.service}.")
            model = Model.create(life, project, version, account, region, now)
            if "status" in payload:
                # A new model was never anything else than what it is made as.
                model.history.clear()
            models.add(model)
        _change(model, payload, now)
        return _view(model.advance(now), now)

    def _delete_model(self, path: list[str], payload: Payload, now: float) -> object:
        model = self._known_model(path, payload, now)
        key = (model.lifecycle.service, model.account, model.region, model.project)
        return {"deleted": self._simulator.world.models.remove(key, model.version)}

    def _known_model(self, path: list[str], payload: Payload, now: float) -> Model:
        project, version = _project_and_version(path)
        life = _lifecycle(payload)
        account, region = self._place(payload)
        model = self._simulator.world.models.get((life.service, account, region, project), version, now)
        if model is None:
            raise ControlError(
                f"There is no model {project}/{version} of {life.service} in {account} {region}.", 404
            )
        return model

    def _place(self, payload: Payload) -> tuple[str, str]:
        account = _text(payload, "account", self._simulator.default_account)
        region = _text(payload, "region", self._simulator.default_region)
        if not (len(account) == 12 and account.isdecimal()):
            raise ControlError("account must have 12 digits.")
        return account, region

    # --- faults, calls, quota, clock ---------------------------------------------------------------------

    def _get_faults(self, path: list[str], payload: Payload, now: float) -> object:
        return [asdict(fault) for fault in self._simulator.faults.all()]

    def _post_fault(self, path: list[str], payload: Payload, now: float) -> object:
        _only(payload, _FAULT_MEMBERS)
        self._simulator.faults.add(_fault(payload))
        return self._get_faults(path, payload, now)

    def _delete_faults(self, path: list[str], payload: Payload, now: float) -> object:
        self._simulator.faults.clear()
        return []

    def _get_calls(self, path: list[str], payload: Payload, now: float) -> object:
        try:
            since = float(str(payload.get("since", "-inf")))
        except ValueError as error:
            raise ControlError("since must be seconds since the epoch.") from error
        return [asdict(call) for call in self._simulator.calls if call.time >= since]

    def _get_quota(self, path: list[str], payload: Payload, now: float) -> object:
        return asdict(self._simulator.world.limits)

    def _put_quota(self, path: list[str], payload: Payload, now: float) -> object:
        _only(payload, _QUOTA_MEMBERS)
        limits = self._simulator.world.limits
        rate = _number_or_none(payload, "requests_per_second", above=0.0)
        counts = {
            name: _count_or_none(payload, name)
            for name in ("max_inference_units", "max_running_models", "max_units_per_model")
            if name in payload
        }
        if "requests_per_second" in payload:
            self._simulator.limit_rate(rate)
        if "account" in payload and "max_inference_units" in counts:
            account, _ = self._place(payload)
            limits.max_inference_units_by_account[account] = counts.pop("max_inference_units")
        for name, count in counts.items():
            setattr(limits, name, count)
        return asdict(limits)

    def _reset(self, path: list[str], payload: Payload, now: float) -> object:
        self._simulator.reset()
        return {"reset": True}

    def _health(self, path: list[str], payload: Payload, now: float) -> object:
        return {"status": "ok", "services": sorted(_SERVICES)}

    def _get_clock(self, path: list[str], payload: Payload, now: float) -> object:
        return {"now": self._simulator.now(), "offset": self._simulator.offset}

    def _put_clock(self, path: list[str], payload: Payload, now: float) -> object:
        _only(payload, frozenset({"offset"}))
        self._simulator.offset = _number(payload, "offset")
        return self._get_clock(path, payload, now)

    def _post_clock(self, path: list[str], payload: Payload, now: float) -> object:
        _only(payload, frozenset({"advance"}))
        self._simulator.offset += _number(payload, "advance")
        return self._get_clock(path, payload, now)


_Handler = Callable[[Control, list[str], Payload, float], object]
_ROUTES: dict[str, dict[str, _Handler]] = {
    "models": {"GET": Control._get_models, "PUT": Control._put_model, "DELETE": Control._delete_model},
    "faults": {"GET": Control._get_faults, "POST": Control._post_fault, "DELETE": Control._delete_faults},
    "calls": {"GET": Control._get_calls},
    "quota": {"GET": Control._get_quota, "PUT": Control._put_quota},
    "clock": {"GET": Control._get_clock, "PUT": Control._put_clock, "POST": Control._post_clock},
    "reset": {"POST": Control._reset},
    "health": {"GET": Control._health},
}


def _view(model: Model, now: float) -> dict[str, object]:
    """A model as the control API shows it."""
    project_arn = {"project_arn": model.project_arn} if model.project_arn else {}
    return {
        "service": model.lifecycle.service,
        "project": model.project,
        "version": model.version,
        "arn": model.arn,
        **project_arn,
        "account": model.account,
        "region": model.region,
        "status": model.status,
        "status_message": model.status_message,
        "min_inference_units": model.min_inference_units,
        "max_inference_units": model.max_inference_units,
        "tags": model.tags,
        "starts": model.starts,
        "stops": model.stops,
        "billed_unit_seconds": model.billed_unit_seconds(now),
        "since": model.since,
        "history": [[at, status] for at, status in model.history],
        "start_seconds": model.start_seconds,
        "stop_seconds": model.stop_seconds,
        "start_outcome": model.start_outcome,
        "stop_while_starting": model.stop_while_starting,
    }


def _check_model(life: Lifecycle, payload: Payload) -> None:
    """Refuse a change as a whole before any part of it is made."""
    _choice(payload.get("status", life.trained), "status", life.statuses)
    _choice(payload.get("start_outcome", life.running), "start_outcome", (life.running, life.failed))
    for name in ("start_seconds", "stop_seconds"):
        if name in payload and _number(payload, name) < 0:
            raise ControlError(f"{name} must not be negative.")
    for name in ("min_inference_units", "max_inference_units"):
        _count_or_none(payload, name)
    for name in ("project_timestamp", "version_timestamp"):
        if name in payload and _count_or_none(payload, name) is None:
            raise ControlError(f"{name} must be an integer.")
    if not isinstance(payload.get("stop_while_starting", False), bool):
        raise ControlError("stop_while_starting must be true or false.")
    if not isinstance(payload.get("status_message", ""), str):
        raise ControlError("status_message must be a string.")
    tags = payload.get("tags", {})
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise ControlError("tags must be an object of strings.")


def _change(model: Model, payload: Payload, now: float) -> None:
    """Make a checked change, only of the members given; the status last, as it reads the others."""
    for name in ("start_outcome", "stop_while_starting", "project_timestamp", "version_timestamp"):
        if name in payload:
            setattr(model, name, payload[name])
    if "tags" in payload:
        model.tags = {str(key): str(value) for key, value in dict(payload["tags"]).items()}  # type: ignore[call-overload]
    if "start_seconds" in payload or "stop_seconds" in payload:
        model.start_seconds = _number(payload, "start_seconds", model.start_seconds)
        model.stop_seconds = _number(payload, "stop_seconds", model.stop_seconds)
        model.reschedule(now)
    if "min_inference_units" in payload or "max_inference_units" in payload:
        low = _count_or_none(payload, "min_inference_units", model.min_inference_units)
        high = _count_or_none(payload, "max_inference_units", model.max_inference_units)
        model.set_units(low, high, now)
    if "status_message" in payload:
        model.failure_message = str(payload["status_message"])
    if not model.history:
        _enter_first(model, str(payload["status"]), now)
    elif "status" in payload:
        model.set_status(str(payload["status"]), now)
    if "status_message" in payload:
        model.status_message = str(payload["status_message"])


def _enter_first(model: Model, status: str, now: float) -> None:
    """Give a new model its first status."""
    if status == model.status:
        model.history.append((now, status))
    else:
        model.set_status(status, now)


def _fault(payload: Payload) -> Fault:
    operation, error, service = payload.get("operation"), payload.get("error"), payload.get("service")
    _choice(operation, "operation", _OPERATIONS)
    if service is not None:
        _choice(service, "service", _SERVICES)
    if error is not None:
        _choice(error, "error", _errors(str(operation), None if service is None else str(service)))
    lose = payload.get("lose_response", False)
    if not isinstance(lose, bool):
        raise ControlError("lose_response must be true or false.")
    if error is None and not lose:
        raise ControlError("A fault needs an error or lose_response.")
    times, after = _count_or_none(payload, "times", 1), _count_or_none(payload, "after", 0, low=0)
    if times is None or after is None:
        raise ControlError("times and after must be integers.")
    return Fault(
        operation=str(operation),
        error=None if error is None else str(error),
        times=times,
        after=after,
        lose_response=lose,
        resource=_text(payload, "resource", "") or None,
        service=None if service is None else str(service),
        retry_after=_count_or_none(payload, "retry_after", 1, low=0),
    )


def _errors(operation: str, service: str | None) -> set[str]:
    """The errors that a fault can bring to an operation; both services have the tag operations."""
    errors = {CONNECTION_RESET}
    for name, module in _SERVICES.items():
        if operation in module.OPERATIONS and service in (None, name):
            errors.update(module.ERROR_STATUS)
    return errors


def _only(payload: Payload, known: frozenset[str]) -> None:
    """A misspelt member must not pass in silence."""
    unknown = sorted(set(payload) - known)
    if unknown:
        raise ControlError(f"Unknown members: {', '.join(unknown)}; known are {', '.join(sorted(known))}.")


def _project_and_version(path: list[str]) -> tuple[str, str]:
    if len(path) != 2 or not all(path):
        raise ControlError("The path must be /_simulator/models/{project}/{version}.", 404)
    return path[0], path[1]


def _lifecycle(payload: Payload) -> Lifecycle:
    name = _choice(payload.get("service", lookoutvision.NAME), "service", _SERVICES)
    life: Lifecycle = _SERVICES[name].LIFECYCLE
    return life


def _choice(value: object, name: str, choices: Collection[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise ControlError(f"{name} must be one of {', '.join(sorted(choices))}.")
    return value


def _text(payload: Payload, name: str, default: str) -> str:
    value = payload.get(name, default)
    if value is None:
        return default
    if not isinstance(value, str):
        raise ControlError(f"{name} must be a string.")
    return value


def _number(payload: Payload, name: str, default: float | None = None) -> float:
    value = payload.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MAX_NUMBER:
        raise ControlError(f"{name} must be a number.")
    return float(value)


def _number_or_none(payload: Payload, name: str, *, above: float) -> float | None:
    if payload.get(name) is None:
        return None
    value = _number(payload, name)
    if value <= above:
        raise ControlError(f"{name} must be greater than {above:g}.")
    return value


def _count_or_none(payload: Payload, name: str, default: int | None = None, *, low: int = 1) -> int | None:
    value = payload.get(name, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ControlError(f"{name} must be an integer of at least {low}.")
    return value
