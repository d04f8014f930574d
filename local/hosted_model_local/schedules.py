"""EventBridge Scheduler's side of a schedule, as its user guide tells it, for ministack to use.

Follows "Schedule types", "Adding context attributes" and "Setting up the execution role", Amazon EventBridge
Scheduler User Guide: a schedule has a time zone, what it sends may name the time at which it was due, and it
invokes its target with its own role, asynchronously.
"""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

logger = logging.getLogger("scheduler")

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
_INVOKE = "lambda:InvokeFunction"
#: When each schedule was last looked at, and the expression that it had: a change begins anew.
_seen: dict[Any, tuple[float, str]] = {}
#: What was said of each schedule that cannot be run: a tick comes every second.
_warned: dict[Any, str] = {}


def tick() -> None:
    """Invoke the function of every schedule that was due since the last tick."""
    from ministack.core.responses import (
        get_account_id,
        get_region,
        set_request_account_id,
        set_request_region,
    )
    from ministack.services import scheduler

    now, before = time.time(), (get_account_id(), get_region())
    try:
        for key, record in list(scheduler._schedules._data.items()):
            set_request_account_id(key[0])
            set_request_region(key[1])
            try:
                _look(key, record, now)
            except Exception as error:  # A schedule that makes no sense must not keep the others from firing.
                _warn_once(key, record, error)
    finally:
        set_request_account_id(before[0])
        set_request_region(before[1])


def _look(key: Any, record: dict[str, Any], now: float) -> None:
    """Invoke the function of one schedule if it was due since the last look."""
    expression, zone = str(record.get("ScheduleExpression")), record.get("ScheduleExpressionTimezone")
    since, known = _seen.get(key, (now, f"{expression} {zone}"))
    _seen[key] = (now, f"{expression} {zone}")
    if record.get("State") != "ENABLED" or known != f"{expression} {zone}":
        return
    when = due(expression, zone, since, now)
    if when is not None:
        _invoke(record.get("Target") or {}, when, key[0], key[1])


def _warn_once(key: Any, record: dict[str, Any], error: Exception) -> None:
    said = f"{record.get('ScheduleExpression')} {record.get('ScheduleExpressionTimezone')}: {error!r}"
    if _warned.get(key) != said:
        _warned[key] = said
        logger.warning("the schedule %s cannot be run: %s", record.get("Name"), said)


def due(expression: str, zone: str | None, since: float, now: float) -> float | None:
    """Return when an expression was due after ``since`` and until ``now``, epoch seconds, or None.

    ``cron()`` and ``at()`` are times of the zone, UTC without one; ``rate()`` is not known here.
    """
    from ministack.services import eventbridge

    place = ZoneInfo(zone or "UTC")
    if expression.startswith("at("):
        when = datetime.fromisoformat(expression[3:-1]).replace(tzinfo=place).timestamp()
    else:
        fields = eventbridge._parse_cron_fields(expression)
        # ministack reckons in one zone: the clock on the wall of the schedule's zone stands in for it.
        wall = datetime.fromtimestamp(since, place).replace(tzinfo=UTC)
        found = eventbridge._cron_next_fire(fields, wall) if fields else None
        if found is None:
            return None
        when = found.replace(tzinfo=place).timestamp()
    return when if since < when <= now else None


def event(target: dict[str, Any], when: float) -> Any:
    """Return what a target is sent: its Input, with the time at which it was due."""
    text = datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.loads(str(target.get("Input") or "{}").replace(SCHEDULED_TIME, text))


def _invoke(target: dict[str, Any], when: float, account: str, region: str) -> None:
    from ministack.services import lambda_svc

    arn = str(target.get("Arn", ""))
    if not _may_invoke(str(target.get("RoleArn", "")), arn, account, region):
        logger.warning("the schedule's role may not invoke %s", arn)
        return
    function, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        logger.warning("there is no function %s", name)
        return
    lambda_svc.invoke_async_with_retry(
        lambda_svc._execution_record_for_config(function, config), event(target, when)
    )


def _may_invoke(role_arn: str, function_arn: str, account: str, region: str) -> bool:
    from ministack.core import iam_evaluator

    context = iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=_INVOKE,
        resource_arn=function_arn,
        region=region,
        service_context={},
        principal_keys={},
    )
    policies = iam_evaluator._gather_role_policies(role_arn.rsplit("/", 1)[-1], account)
    return bool(iam_evaluator.evaluate(context, policies).decision == "Allow")


def keeping_the_zone(handler: Callable[..., tuple[str, Any]]) -> Callable[..., tuple[str, Any]]:
    """Return CloudFormation's handler of AWS::Scheduler::Schedule, which then keeps the property's time zone.

    ministack calls ``create(logical_id, properties, stack)`` and ``update(id, old, properties, stack)``.
    """

    def handle(*given: Any) -> tuple[str, Any]:
        from ministack.services import scheduler

        made = handler(*given)
        properties = given[-2]
        record = scheduler._schedules.get(f"{properties.get('GroupName', 'default')}/{made[0]}")
        if record is not None:
            record["ScheduleExpressionTimezone"] = properties.get("ScheduleExpressionTimezone", "UTC")
        return made

    return handle
