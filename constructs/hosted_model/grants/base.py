"""What the function may do with the models of one service, by what it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Read:
    """Reading that the function may do: what the statement's ID ends with, actions, resources."""

    sid: str
    actions: Sequence[str]
    resources: Sequence[str]


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
    read
        What may be read, however little it can be narrowed.
    start, stop, tag, untag
        Actions that take a model's ARN and know the condition ``aws:ResourceTag``.
    resize
        The action that changes units while a model serves, if there is one.
    tells_tags
        Whether the service is known to tell IAM the tags of models and requests. Where it is not, tagging
        knows no resource, and every condition holds where a key is absent: it fences as far as the service
        lets it, and keeps nothing from working.
    """

    service: str
    prefix: str
    every_model: Sequence[str]
    read: Sequence[Read]
    start: str
    stop: str
    tag: str
    untag: str
    resize: str = ""
    tells_tags: bool = True
