"""The control API below ``/_simulator/``, for tests and for people who try things; it needs no signature."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol
from urllib.parse import parse_qsl, unquote

from .calls import CallRecord
from .errors import COMMON_STATUS
from .faults import CONNECTION_RESET, Fault, Faults
from .http import Request, Response, json_object, json_response
from .lag import MAX_LAG_SECONDS, Lag
from .models import Lifecycle, SimulatedModel
from .payload import ControlError, Payload, choice, count_or_none, number, number_or_none, only, text
from .service import Service, World

PREFIX = "/_simulator/"

_TAGS, _STATUS = "tag_lag", "status_lag"
_LAG_MEMBERS, _STATUS_LAG_MEMBERS = (
    frozenset({f"{what}_seconds", f"{what}_seed"}) for what in (_TAGS, _STATUS)
)
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
        "settings",
        "resize_seconds",
        "resize_fails",
        *_LAG_MEMBERS,
    }
)
_PLAIN_MEMBERS = (
    "start_outcome",
    "stop_while_starting",
    "project_timestamp",
    "version_timestamp",
    "settings",
    "resize_seconds",
    "resize_fails",
)
_FAULT_MEMBERS = frozenset(Fault.__dataclass_fields__)


class Controlled(Protocol):
    """What the control API changes: a simulator."""

    default_account: str
    default_region: str
    offset: float
    world: World
    faults: Faults
    calls: deque[CallRecord]
    services: dict[str, Service]

    def now(self) -> float:
        """The simulator's time."""

    def reset(self) -> None:
        """Back to the state after construction."""

    def limit_rate(self, requests_per_second: float | None) -> None:
        """Set the request quota."""


class Control:
    """The control API of one simulator. The caller holds the simulator's lock."""

    def __init__(self, simulator: Controlled) -> None:
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
        only(payload, _MODEL_MEMBERS)
        project, version = _project_and_version(path)
        service = self._service(payload)
        life = service.lifecycle
        _check_model(life, payload)
        account, region = self._place(payload)
        models = self._simulator.world.models
        model = models.get((life.service, account, region, project), version, now)
        new = model is None
        if model is None:
            if not service.is_model_name(project, version):
                raise ControlError(f"{project}/{version} is no name of a model of {life.service}.")
            model = SimulatedModel.create(life, project, version, account, region, now)
            models.add(model)
        _change(model, payload, now, new=new)
        return _view(model.advance(now), now)

    def _delete_model(self, path: list[str], payload: Payload, now: float) -> object:
        model = self._known_model(path, payload, now)
        key = (model.lifecycle.service, model.account, model.region, model.project)
        return {"deleted": self._simulator.world.models.remove(key, model.version)}

    def _known_model(self, path: list[str], payload: Payload, now: float) -> SimulatedModel:
        project, version = _project_and_version(path)
        life = self._service(payload).lifecycle
        account, region = self._place(payload)
        model = self._simulator.world.models.get((life.service, account, region, project), version, now)
        if model is None:
            raise ControlError(
                f"There is no model {project}/{version} of {life.service} in {account} {region}.", 404
            )
        return model

    def _service(self, payload: Payload) -> Service:
        services = self._simulator.services
        return services[choice(payload.get("service", next(iter(services))), "service", services)]

    def _place(self, payload: Payload) -> tuple[str, str]:
        account = text(payload, "account", self._simulator.default_account)
        region = text(payload, "region", self._simulator.default_region)
        if not (len(account) == 12 and account.isdecimal()):
            raise ControlError("account must have 12 digits.")
        return account, region

    # --- faults, calls, quota, clock ---------------------------------------------------------------------

    def _get_faults(self, path: list[str], payload: Payload, now: float) -> object:
        return [asdict(fault) for fault in self._simulator.faults.all()]

    def _post_fault(self, path: list[str], payload: Payload, now: float) -> object:
        only(payload, _FAULT_MEMBERS)
        self._simulator.faults.add(_fault(payload, self._simulator.services))
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
        return self._simulator.world.limits.view()

    def _put_quota(self, path: list[str], payload: Payload, now: float) -> object:
        limits = self._simulator.world.limits
        only(payload, frozenset({"requests_per_second", "account", *limits.counts}))
        rate = number_or_none(payload, "requests_per_second", above=0.0)
        counts = {name: count_or_none(payload, name) for name in limits.counts if name in payload}
        account = self._place(payload)[0] if "account" in payload else None
        if "requests_per_second" in payload:
            self._simulator.limit_rate(rate)
        changed = limits.counts if account is None else limits.by_account.setdefault(account, {})
        changed.update(counts)
        return limits.view()

    def _get_tags(self, path: list[str], payload: Payload, now: float) -> object:
        return self._lags(self._simulator.world.tag_lags, _TAGS)

    def _put_tags(self, path: list[str], payload: Payload, now: float) -> object:
        only(payload, _LAG_MEMBERS | {"service"})
        return self._put_lags(self._simulator.world.tag_lags, _TAGS, payload)

    def _get_statuses(self, path: list[str], payload: Payload, now: float) -> object:
        return self._lags(self._simulator.world.status_lags, _STATUS)

    def _put_statuses(self, path: list[str], payload: Payload, now: float) -> object:
        only(payload, _STATUS_LAG_MEMBERS | {"service"})
        return self._put_lags(self._simulator.world.status_lags, _STATUS, payload)

    def _lags(self, lags: dict[str, Lag], what: str) -> object:
        return {name: _lag_view(lags.get(name), what) for name in self._simulator.services}

    def _put_lags(self, lags: dict[str, Lag], what: str, payload: Payload) -> object:
        lag = _lag(payload, what)
        names = [self._service(payload).name] if "service" in payload else list(self._simulator.services)
        for name in names:
            lags.pop(name, None)
            if lag is not None:
                # Each service draws by itself: what one is asked does not change what another one shows.
                lags[name] = Lag(lag.seconds, lag.seed)
        return self._lags(lags, what)

    def _get_iam(self, path: list[str], payload: Payload, now: float) -> object:
        telling = self._simulator.world.telling
        return {name: {"tells_tags": name in telling} for name in self._simulator.services}

    def _put_iam(self, path: list[str], payload: Payload, now: float) -> object:
        only(payload, frozenset({"service", "tells_tags"}))
        name, told = self._service(payload).name, payload.get("tells_tags")
        if not isinstance(told, bool):
            raise ControlError("tells_tags must be true or false.")
        telling = self._simulator.world.telling
        (telling.add if told else telling.discard)(name)
        return self._get_iam(path, payload, now)

    def _reset(self, path: list[str], payload: Payload, now: float) -> object:
        self._simulator.reset()
        return {"reset": True}

    def _health(self, path: list[str], payload: Payload, now: float) -> object:
        return {"status": "ok", "services": sorted(self._simulator.services)}

    def _get_clock(self, path: list[str], payload: Payload, now: float) -> object:
        return {"now": self._simulator.now(), "offset": self._simulator.offset}

    def _put_clock(self, path: list[str], payload: Payload, now: float) -> object:
        only(payload, frozenset({"offset"}))
        self._simulator.offset = number(payload, "offset")
        return self._get_clock(path, payload, now)

    def _post_clock(self, path: list[str], payload: Payload, now: float) -> object:
        only(payload, frozenset({"advance"}))
        self._simulator.offset += number(payload, "advance")
        return self._get_clock(path, payload, now)


_Handler = Callable[[Control, list[str], Payload, float], object]
_ROUTES: dict[str, dict[str, _Handler]] = {
    "models": {"GET": Control._get_models, "PUT": Control._put_model, "DELETE": Control._delete_model},
    "faults": {"GET": Control._get_faults, "POST": Control._post_fault, "DELETE": Control._delete_faults},
    "calls": {"GET": Control._get_calls},
    "quota": {"GET": Control._get_quota, "PUT": Control._put_quota},
    "tags": {"GET": Control._get_tags, "PUT": Control._put_tags},
    "statuses": {"GET": Control._get_statuses, "PUT": Control._put_statuses},
    "iam": {"GET": Control._get_iam, "PUT": Control._put_iam},
    "clock": {"GET": Control._get_clock, "PUT": Control._put_clock, "POST": Control._post_clock},
    "reset": {"POST": Control._reset},
    "health": {"GET": Control._health},
}


def _view(model: SimulatedModel, now: float) -> dict[str, object]:
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
        **_lag_view(model.tag_lag, _TAGS),
        "starts": model.starts,
        "stops": model.stops,
        "billed_unit_seconds": model.billed_unit_seconds(now),
        "since": model.since,
        "history": [[at, status] for at, status in model.history],
        "start_seconds": model.start_seconds,
        "stop_seconds": model.stop_seconds,
        "start_outcome": model.start_outcome,
        "stop_while_starting": model.stop_while_starting,
        "settings": model.settings,
        "resize_seconds": model.resize_seconds,
        "resize_fails": model.resize_fails,
        "resizes": model.resizes,
        "resizing": None if model.resizing is None else asdict(model.resizing),
    }


def _check_model(life: Lifecycle, payload: Payload) -> None:
    """Refuse a change as a whole before any part of it is made."""
    choice(payload.get("status", life.trained), "status", life.statuses)
    choice(payload.get("start_outcome", life.running), "start_outcome", (life.running, life.failed))
    for name in ("start_seconds", "stop_seconds", "resize_seconds"):
        if name in payload and number(payload, name) < 0:
            raise ControlError(f"{name} must not be negative.")
    for name in ("min_inference_units", "max_inference_units"):
        count_or_none(payload, name)
    for name in ("project_timestamp", "version_timestamp"):
        if name in payload and count_or_none(payload, name) is None:
            raise ControlError(f"{name} must be an integer.")
    for name in ("stop_while_starting", "resize_fails"):
        if not isinstance(payload.get(name, False), bool):
            raise ControlError(f"{name} must be true or false.")
    if not isinstance(payload.get("settings", {}), dict):
        raise ControlError("settings must be an object.")
    if not isinstance(payload.get("status_message", ""), str):
        raise ControlError("status_message must be a string.")
    tags = payload.get("tags", {})
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise ControlError("tags must be an object of strings.")
    _lag(payload, _TAGS)


def _change(model: SimulatedModel, payload: Payload, now: float, *, new: bool) -> None:
    """Make a checked change, only of the members given; the status last, as it reads the others."""
    for name in _PLAIN_MEMBERS:
        if name in payload:
            setattr(model, name, payload[name])
    given = payload.get("tags")
    if isinstance(given, dict):
        tags = {str(key): str(value) for key, value in given.items()}
        if new:
            model.begin_with_tags(tags)
        else:
            model.write_tags(tags, now)
    if not _LAG_MEMBERS.isdisjoint(payload):
        model.tag_lag = _lag(payload, _TAGS)
    if "start_seconds" in payload or "stop_seconds" in payload:
        model.start_seconds = number(payload, "start_seconds", model.start_seconds)
        model.stop_seconds = number(payload, "stop_seconds", model.stop_seconds)
        model.reschedule(now)
    if "min_inference_units" in payload or "max_inference_units" in payload:
        low = count_or_none(payload, "min_inference_units", model.min_inference_units)
        high = count_or_none(payload, "max_inference_units", model.max_inference_units)
        model.set_units(low, high, now)
    if "status_message" in payload:
        model.failure_message = str(payload["status_message"])
    if "status" in payload:
        # A new model was never anything else than what it is made as.
        set_status = model.begin_with_status if new else model.set_status
        set_status(str(payload["status"]), now)
    if "status_message" in payload:
        model.status_message = str(payload["status_message"])


def _project_and_version(path: list[str]) -> tuple[str, str]:
    if len(path) != 2 or not all(path):
        raise ControlError("The path must be /_simulator/models/{project}/{version}.", 404)
    return path[0], path[1]


def _lag(payload: Payload, what: str) -> Lag | None:
    """How far behind reads are to be; None where nothing is said."""
    seed = count_or_none(payload, f"{what}_seed", low=0)
    if payload.get(f"{what}_seconds") is None:
        if seed is not None:
            raise ControlError(f"{what}_seed needs {what}_seconds.")
        return None
    seconds = number(payload, f"{what}_seconds")
    if not 0 <= seconds <= MAX_LAG_SECONDS:
        raise ControlError(f"{what}_seconds must be from 0 to {MAX_LAG_SECONDS:g}.")
    return Lag(seconds, seed)


def _lag_view(lag: Lag | None, what: str) -> dict[str, object]:
    return {f"{what}_seconds": lag and lag.seconds, f"{what}_seed": lag and lag.seed}


def _fault(payload: Payload, services: dict[str, Service]) -> Fault:
    operation = choice(
        payload.get("operation"), "operation", {name for one in services.values() for name in one.operations}
    )
    service = payload.get("service")
    if service is not None:
        service = choice(service, "service", services)
    error = payload.get("error")
    if error is not None:
        concerned = [
            one for one in services.values() if operation in one.operations and service in (None, one.name)
        ]
        error = choice(
            error,
            "error",
            {CONNECTION_RESET, *COMMON_STATUS, *(c for one in concerned for c in one.error_status)},
        )
    lose = payload.get("lose_response", False)
    if not isinstance(lose, bool):
        raise ControlError("lose_response must be true or false.")
    if error is None and (not lose or payload.get("http_status") is not None):
        raise ControlError("A fault needs an error or lose_response; http_status needs an error.")
    times, after = count_or_none(payload, "times", 1), count_or_none(payload, "after", 0, low=0)
    if times is None or after is None:
        raise ControlError("times and after must be integers.")
    status = count_or_none(payload, "http_status", low=400)
    if status is not None and status > 599:
        raise ControlError("http_status must be from 400 to 599.")
    return Fault(
        operation=operation,
        error=error,
        times=times,
        after=after,
        lose_response=lose,
        resource=text(payload, "resource", "") or None,
        service=service,
        retry_after=count_or_none(payload, "retry_after", 1, low=0),
        http_status=status,
    )
