"""An event becomes a :class:`Request`.

In comes an event of CloudFormation or of a schedule, or either with the relay's marks. Out comes a frozen
:class:`Request`, or an :class:`InvalidRequestError` that names the property and its limit.

Follows "Custom resource request objects" in the AWS CloudFormation User Guide: numbers and booleans arrive
as strings, ``PhysicalResourceId`` is absent on Create, ``OldResourceProperties`` is there on Update only.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .. import contract
from ..contract import SERVICE_TIMEOUT_MAX, SERVICE_TIMEOUT_MIN, OnRunning, Property, Scheduled
from ..decisions.model import Units
from ..decisions.request import InvalidRequestError, Request

#: The event's member that marks a tick of the relay's rule; crhelper's own name for it.
POLL_MARK = "CrHelperPoll"
#: The member in which the relay passes on when the request was made: not every ResponseURL says it.
ISSUED_MARK = "HostedModelIssuedAt"
#: CloudFormation's presigned URLs are valid for two hours. One of the old style says only when that ends.
_URL_LIFETIME = 7200


def issued_at(response_url: str) -> datetime | None:
    """Return when CloudFormation made the request, to the second, from its presigned ResponseURL.

    A retried event keeps its URL. So this time tells which of two requests is older; a RequestId does not.
    """
    query = parse_qs(urlsplit(response_url).query)
    try:
        if "X-Amz-Date" in query:
            return datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if "Expires" in query:
            return datetime.fromtimestamp(int(query["Expires"][0]) - _URL_LIFETIME, tz=UTC)
    except (ValueError, OverflowError):
        return None
    return None


def from_schedule(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schedule's event in the shape of CloudFormation's; any other event as it is.

    EventBridge Scheduler may deliver an event twice. The RequestId is made of the resource, the goal and the
    scheduled time: the second delivery is the same request.

    Raises
    ------
    InvalidRequestError
        When the event has no time that can be read.
    """
    goal = event.get(Scheduled.GOAL)
    if goal is None:
        return dict(event)
    if goal not in Scheduled.GOALS:
        raise InvalidRequestError(f"{Scheduled.GOAL} must be one of {Scheduled.GOALS}, but it is {goal!r}")
    time = str(event.get(Scheduled.TIME))
    try:
        issued = datetime.fromisoformat(time)
    except ValueError:
        raise InvalidRequestError(f"{Scheduled.TIME} must be a time, but it is {time!r}") from None
    owner = (event["StackId"], event["LogicalResourceId"])
    return {
        "RequestType": goal,
        "RequestId": str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join((*owner, goal, time)))),
        "StackId": event["StackId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "ResourceProperties": event["ResourceProperties"],
        "ResponseURL": "",
        ISSUED_MARK: int((issued if issued.tzinfo else issued.replace(tzinfo=UTC)).timestamp()),
    }


def is_scheduled(event: Mapping[str, Any]) -> bool:
    """Say whether the event comes from a schedule, which waits for no answer."""
    return event["RequestType"] in Scheduled.GOALS


def parse(event: Mapping[str, Any], now: float) -> Request:
    """Return the request that an event carries.

    Parameters
    ----------
    event
        CloudFormation's event, or the same with the relay's marks.
    now
        Epoch seconds; stands for the time of issue where the ResponseURL has no date.

    Raises
    ------
    InvalidRequestError
        When a property is missing or breaks its limit; the text names the property and the limit.
    """
    properties = event.get("ResourceProperties") or {}
    old = event.get("OldResourceProperties") or {}
    stack_id = event["StackId"]
    service, model = _model(properties)
    _check_place(model, stack_id)
    old_service, old_model = _model(old) if old.get(Property.MODEL) else (None, None)
    if old_model and not _is_right(lambda found: _check_place(found, stack_id), old_model):
        # It was refused, so there is nothing of it to let go of.
        old_service, old_model = None, None
    made = issued(event, now)
    if event["RequestType"] == "Delete":
        properties = _that_name_the_model(properties)
    # A scheduled start has several attempts, each as long as a deploy would wait.
    timeout = _timeout(properties) * (Scheduled.ATTEMPTS if is_scheduled(event) else 1)
    lets_go = event["RequestType"] == "Delete" or old_model is not None
    # Lambda delivers it after CloudFormation gave up on it, and nobody else may stop the model.
    is_overdue = lets_go and now >= made.timestamp() + timeout
    return Request(
        type=event["RequestType"],
        request_id=event["RequestId"],
        stack_id=stack_id,
        logical_id=event["LogicalResourceId"],
        service=service,
        model=model,
        units=_units(properties),
        issued=made,
        timeout=_URL_LIFETIME if is_overdue else timeout,
        on_running=_on_running(properties),
        physical_id=event.get("PhysicalResourceId"),
        old_service=old_service,
        old_model=old_model,
        old_units=_units(old) if old and _is_right(_units, old) else None,
        is_overdue=is_overdue,
        has_hours=str(properties.get(Property.HOSTING_HOURS, "")).lower() == "true",
    )


def _that_name_the_model(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a Delete needs: its other properties may be those for which an update failed."""
    return {
        Property.SERVICE: properties[Property.SERVICE],
        Property.MODEL: properties[Property.MODEL],
        Property.MIN_INFERENCE_UNITS: 1,
        **{
            name: properties[name]
            for name, read in ((Property.TIMEOUT_SECONDS, _timeout), (Property.ON_RUNNING, _on_running))
            if name in properties and _is_right(read, properties)
        },
    }


def _is_right(read: Callable[[Mapping[str, Any]], object], properties: Mapping[str, Any]) -> bool:
    try:
        read(properties)
    except InvalidRequestError:
        return False
    return True


def issued(event: Mapping[str, Any], now: float) -> datetime:
    """Return when the request was made: from its URL, from the relay's mark, or now."""
    known = issued_at(event.get("ResponseURL", ""))
    if known is not None:
        return known
    marked = event.get(ISSUED_MARK)
    return datetime.fromtimestamp(int(marked) if marked is not None else int(now), tz=UTC)


def _model(properties: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    service, model = properties.get(Property.SERVICE), properties.get(Property.MODEL)
    if not isinstance(service, str) or not service:
        raise InvalidRequestError(f"Property {Property.SERVICE} is missing")
    if not isinstance(model, Mapping) or not model:
        raise InvalidRequestError(f"Property {Property.MODEL} is missing")
    return service, {str(name): str(value) for name, value in model.items()}


def _check_place(model: Mapping[str, str], stack_id: str) -> None:
    """Refuse a model of another account or region: the role may not even look at it."""
    stack = stack_id.split(":", 5)
    for name, value in model.items():
        place = value.split(":", 5)
        if value.startswith("arn:") and (place[1:2], place[3:5]) != (stack[1:2], stack[3:5]):
            raise InvalidRequestError(
                f"Property {Property.MODEL}.{name} must name a model of the stack's own account and region, "
                f"but it is {value}"
            )


def _units(properties: Mapping[str, Any]) -> Units:
    minimum = _whole(properties, Property.MIN_INFERENCE_UNITS)
    if minimum is None:
        raise InvalidRequestError(f"Property {Property.MIN_INFERENCE_UNITS} is missing")
    maximum = _whole(properties, Property.MAX_INFERENCE_UNITS)
    if wrong := contract.check_units(minimum, maximum):
        raise InvalidRequestError(wrong)
    return Units(minimum, maximum)


def _whole(properties: Mapping[str, Any], name: str) -> int | None:
    value = properties.get(name)
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise InvalidRequestError(f"Property {name} must be a whole number, but it is {value!r}") from None


def _timeout(properties: Mapping[str, Any]) -> int:
    value = _whole(properties, Property.TIMEOUT_SECONDS)
    if value is None:
        return SERVICE_TIMEOUT_MAX
    if not SERVICE_TIMEOUT_MIN <= value <= SERVICE_TIMEOUT_MAX:
        raise InvalidRequestError(
            f"Property {Property.TIMEOUT_SECONDS} must be from {SERVICE_TIMEOUT_MIN} to "
            f"{SERVICE_TIMEOUT_MAX} seconds, but it is {value}"
        )
    return value


def _on_running(properties: Mapping[str, Any]) -> str:
    value = properties.get(Property.ON_RUNNING, OnRunning.FAIL)
    if value not in (OnRunning.FAIL, OnRunning.ADOPT):
        raise InvalidRequestError(
            f"Property {Property.ON_RUNNING} must be FAIL or ADOPT, but it is {value!r}"
        )
    return str(value)
