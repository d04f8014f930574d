"""What the command must know of a service: one row each. Everything else reads the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hosted_model_runtime.decisions.model import Phase
from hosted_model_runtime.services import Service
from hosted_model_runtime.services.base import Kind, ServiceError

#: Calls a paged operation of the service by its name in the API reference; raises ServiceError.
Pages = Callable[..., Iterator[Mapping[str, Any]]]


@dataclass(frozen=True)
class Price:
    """US dollars for an inference unit and hour, the AWS page, and the month in which it was read."""

    region: str
    usd: float
    page: str
    dated: str


@dataclass(frozen=True)
class Place:
    """Where a stack is, and so its models."""

    partition: str
    region: str
    account: str


@dataclass(frozen=True)
class ServiceRow:
    """One service.

    Attributes
    ----------
    name
        As in ARNs, in the property ``Service``, and as botocore calls the client.
    title
        For people.
    adapter
        Makes the runtime's adapter of a botocore client.
    codes
        What the service's error codes mean.
    listed
        Yields ARN and phase of every model of a region.
    model
        The ``Model`` property of the model that an ARN names; None for any other ARN.
    declared
        The ``Model`` property that a physical ID stands for; None where it stands for none.
    names
        Project and version, as people write them, of a ``Model`` property.
    prices
        What is known of them; no guess for another region.
    regions
        Where the service is offered; None for where botocore knows an endpoint.
    retired
        Since when it is offered nowhere; empty for one that lives.
    publishes_units
        Whether a model, by its ARN, publishes InServiceInferenceUnits.
    """

    name: str
    title: str
    adapter: Callable[[Any], Service]
    codes: Mapping[str, Kind]
    listed: Callable[[Pages], Iterable[tuple[str, Phase]]]
    model: Callable[[str], Mapping[str, str] | None]
    declared: Callable[[str, Place], Mapping[str, str] | None]
    names: Callable[[Mapping[str, str]], tuple[str, str]]
    prices: tuple[Price, ...] = ()
    regions: tuple[str, ...] | None = None
    retired: str = ""
    publishes_units: Callable[[str], bool] = lambda arn: True


def there(pages: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of a project; none of one that was deleted meanwhile."""
    try:
        yield from pages
    except ServiceError as error:
        if error.kind is not Kind.ABSENT:
            raise
