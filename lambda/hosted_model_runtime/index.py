"""The function's entry point; it joins the parts and decides nothing.

In comes an event: a request of CloudFormation, a start or stop of a schedule, or a tick of the relay's rule.
Out goes the answer to CloudFormation (for a schedule: a line in the log), unless the next invocation goes on.
An invocation that can do neither raises, so that Lambda delivers the event again.
"""

from __future__ import annotations

import gc

# Nothing that a cold start makes becomes garbage: collecting would only take time.
gc.disable()

import os  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from functools import cache  # noqa: E402
from typing import Any  # noqa: E402

from .cloudformation import origin  # noqa: E402
from .cloudformation.crhelper_resource import HostedModelResource, Invocation  # noqa: E402
from .cloudformation.events import from_schedule, parse  # noqa: E402
from .contract import Env  # noqa: E402
from .decisions.request import InvalidRequestError  # noqa: E402
from .invocation.driver import Driver, physical_id  # noqa: E402
from .invocation.outcome import Outcome  # noqa: E402
from .services import ADAPTERS, Service, adapter  # noqa: E402

# What is loaded now stays: so the first collection need not go through it, either.
gc.freeze()
gc.enable()


@cache
def connect(service: str) -> Service:
    """Return a service's adapter. A warm function keeps it, and its client, for the next request."""
    if service not in ADAPTERS:
        raise InvalidRequestError(
            f"Property Service must be one of {sorted(ADAPTERS)}, but it is {service!r}"
        )
    gc.disable()
    try:
        return adapter(service).connect()
    finally:
        gc.enable()


def _physical_id(event: Mapping[str, Any]) -> str:
    return physical_id(parse(event, now=0), connect)


helper = HostedModelResource(_physical_id, log_level=os.environ.get(Env.LOG_LEVEL, "INFO"))


@helper.every_request
def reconcile(event: Mapping[str, Any], invocation: Invocation) -> Outcome:
    """Work towards what the request wants, until it is done or this invocation's time is over."""
    clock = invocation.clock
    request = parse(event, clock.now())
    patience = float(os.environ.get(Env.LOCAL_PATIENCE, "1"))
    return Driver(request, connect, clock, invocation.relay, _declared(request.service), patience).drive()


def _declared(service: str) -> int:
    """Return how many models of a service the stack declares: they share the account's quota."""
    counts = dict(part.partition("=")[::2] for part in os.environ.get(Env.MODELS, "").split())
    return int(counts.get(service, "1"))


def handler(event: dict[str, Any], context: Any) -> None:
    """Handle one event: CloudFormation's, a schedule's, or a tick that continues either.

    Raises
    ------
    RefusedError
        When the event is not of this function's own stack.
    """
    origin.check(event, os.environ)
    helper(from_schedule(event), context)
