"""Entry point of the function: wires crhelper's decorators to the reconciler, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from .contract import Env
from .host import Host, Outcome, physical_id
from .request import InvalidRequestError, from_schedule, parse
from .resource import HostedModelResource
from .services import FACTORIES, Service


@cache
def connect(service: str) -> Service:
    """Return the adapter of a service, with the client that a warm function keeps."""
    if service not in FACTORIES:
        raise InvalidRequestError(
            f"Property Service must be one of {sorted(FACTORIES)}, but it is {service!r}"
        )
    return FACTORIES[service]()


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
