"""Entry point of the function: wires crhelper's decorators to the reconciler, and nothing else."""

from __future__ import annotations

import gc

# A cold start makes only what stays: collecting would go through all of it, again and again, for nothing.
gc.disable()

import os  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from functools import cache  # noqa: E402
from typing import Any  # noqa: E402

from .cloudformation.crhelper_resource import HostedModelResource, Invocation  # noqa: E402
from .cloudformation.events import from_schedule, parse  # noqa: E402
from .contract import Env  # noqa: E402
from .decisions.request import InvalidRequestError  # noqa: E402
from .invocation.driver import Driver, physical_id  # noqa: E402
from .invocation.outcome import Outcome  # noqa: E402
from .services import FACTORIES, Service  # noqa: E402

gc.enable()


@cache
def connect(service: str) -> Service:
    """Return the adapter of a service, with the client that a warm function keeps."""
    if service not in FACTORIES:
        raise InvalidRequestError(
            f"Property Service must be one of {sorted(FACTORIES)}, but it is {service!r}"
        )
    gc.disable()
    try:
        return FACTORIES[service]()
    finally:
        gc.enable()


def _physical_id(event: Mapping[str, Any]) -> str:
    return physical_id(parse(event, now=0), connect)


helper = HostedModelResource(_physical_id, log_level=os.environ.get(Env.LOG_LEVEL, "INFO"))


@helper.every_request
def reconcile(event: Mapping[str, Any], invocation: Invocation) -> Outcome:
    """Bring the model to what the request wants, as far as this invocation gets."""
    clock = invocation.clock
    return Driver(parse(event, clock.now()), connect, clock, invocation.relay).drive()


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer one CloudFormation request, do what a schedule asks, or go on with either after a tick."""
    helper(from_schedule(event), context)
