"""Entry point of the function: wires crhelper's decorators to the reconciler, and nothing else."""

from __future__ import annotations

import gc

# A cold start makes only what stays: collecting would go through all of it, again and again, for nothing.
gc.disable()

import os  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from functools import cache  # noqa: E402
from typing import Any  # noqa: E402

from .contract import Env  # noqa: E402
from .host import Host, Outcome, physical_id  # noqa: E402
from .request import InvalidRequestError, from_schedule, parse  # noqa: E402
from .resource import HostedModelResource  # noqa: E402
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


def _identity(event: Mapping[str, Any]) -> str:
    return physical_id(parse(event, now=0), connect)


helper = HostedModelResource(_identity, log_level=os.environ.get(Env.LOG_LEVEL, "INFO"))


@helper.every_request
def reconcile(event: Mapping[str, Any], context: Any) -> Outcome:
    """Bring the model to what the request wants, as far as this invocation gets."""
    watch = helper.watch
    return Host(parse(event, watch.now()), connect, watch, helper.relay).drive()


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer one CloudFormation request, do what a schedule asks, or go on with either after a tick."""
    helper(from_schedule(event), context)
