"""What the provider must know of a service to write the function's policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceGrants:
    """The IAM actions of one service, by what they are for.

    Attributes
    ----------
    service
        The service's name in properties and physical IDs.
    prefix
        What the statements' IDs begin with.
    every_model
        ARNs that cover the service's models of this account and region.
    read, list, start, stop, tag, untag
        Actions; those in ``list`` know no resource.
    """

    service: str
    prefix: str
    every_model: Sequence[str]
    read: Sequence[str]
    start: str
    stop: str
    tag: str
    untag: str
    list: Sequence[str] = ()
