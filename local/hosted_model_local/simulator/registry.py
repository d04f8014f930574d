"""The services that are simulated, and which of them a request is for.

A new service is one line here: dispatch, quotas, faults, the control API, the endpoints that `up` exports and
the demo's choices follow.
"""

from __future__ import annotations

from collections.abc import Iterable

from .auth import credential
from .http import Request
from .lookoutvision import LookoutVision
from .personalize import Personalize
from .rekognition import Rekognition
from .service import Service

#: The first is the control API's default. A list, so that a service from outside can be put in.
SERVICES: list[type[Service]] = [LookoutVision, Rekognition, Personalize]


def addressed(services: Iterable[Service], request: Request) -> Service | None:
    """The service that a request is for, or None.

    The signature says it, where there is one; else the target of a JSON protocol, or the path of a REST one.
    """
    scope = credential(request)
    if scope is not None:
        return next((one for one in services if one.signing_name == scope.service), None)
    target = request.headers.get("x-amz-target")
    if target is None:
        return next((one for one in services if one.owns_path(request.path)), None)
    return next((one for one in services if one.target_prefix and target.startswith(one.target_prefix)), None)


def by_name(name: str) -> type[Service]:
    """The service of this name; KeyError where there is none."""
    return {one.name: one for one in SERVICES}[name]
