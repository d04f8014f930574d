"""The services whose models can be hosted, each with what the function may do there.

A service has a module here, apart from its construct, because the provider grants what a Delete needs for
every service, whichever of them the template declares.
"""

from __future__ import annotations

from collections.abc import Callable

from aws_cdk import Stack

from . import lookoutvision, personalize, rekognition
from .base import Read, ServiceGrants

__all__ = ["SERVICES", "Read", "ServiceGrants"]

#: One row a service. A list, so that a service from outside this package can be put in.
SERVICES: list[Callable[[Stack], ServiceGrants]] = [
    lookoutvision.grants,
    rekognition.grants,
    personalize.grants,
]
