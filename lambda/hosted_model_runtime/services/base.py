"""What every adapter offers, and how the errors of a service are sorted.

An adapter takes names and units and makes the service's calls. It gives back sightings and tags, in words
that are the same for all services, or raises :class:`ServiceError`, whose kind says what the error means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..decisions.model import Sighting, Units

#: The driver polls and retries by itself and minds the deadline, so the SDK must neither sleep nor retry. Its
#: time-outs are far below the deadline's margin: no call can last beyond that.
CLIENT_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"total_max_attempts": 1, "mode": "standard"},
    user_agent_extra="cdk-hosted-model",
)


def knowing_our_models(session: Any) -> Any:
    """Return the session, after adding the service models that come with this package."""
    session.get_component("data_loader").search_paths.append(str(_DATA))
    return session


@cache
def shared_session() -> Any:
    """Return the one session of the function, so that a second client loads nothing twice.

    Our service models are added at once, because botocore lists the services only once, for the first client.
    """
    return knowing_our_models(botocore.session.get_session())


_DATA = Path(__file__).resolve().parent.parent / "data"


class Kind(Enum):
    """What an error of a service means for the request."""

    ABSENT = "absent"
    CONFLICT = "conflict"  # not in this state: look again
    TRANSIENT = "transient"  # throttling, a fault of the service or of the network: look again later
    DENIED = "denied"  # perhaps a policy that has not spread yet
    QUOTA = "quota"
    INVALID = "invalid"


class ServiceError(Exception):
    """A call that failed.

    Attributes
    ----------
    kind
        What the failure means.
    retry_after
        Seconds that the service asked to wait, or None.
    call
        Which call it was, as ``rekognition:TagResource``; empty where nobody asks.
    """

    def __init__(self, kind: Kind, text: str, retry_after: float | None = None, call: str = "") -> None:
        super().__init__(text)
        self.kind, self.retry_after, self.call = kind, retry_after, call


class Service(Protocol):
    """One adapter. Every method raises :class:`ServiceError` and nothing else of the SDK's."""

    name: str
    #: The statuses that mean "ready to use" and "not billed": HOSTED and TRAINED, RUNNING and STOPPED.
    running: str
    stopped: str
    #: Whether the service tells IAM the tags of a model, so that the function's policy keeps the lease.
    fenced: bool

    @classmethod
    def connect(cls) -> Service:
        """Return an adapter with a client of the function's session."""

    @staticmethod
    def names(model: Mapping[str, str]) -> tuple[str, str]:
        """Return what metrics call a model: its project and version; KeyError where a member is missing."""

    def physical_id(self, model: Mapping[str, str]) -> str:
        """Return the physical ID of a declared model; ValueError where a member breaks its limit."""

    def describe(self, model: Mapping[str, str]) -> Sighting:
        """Return the model as it is; an absent one is a sighting, not an error."""

    def alternatives(self, model: Mapping[str, str]) -> Iterable[Sighting]:
        """Return every model that ``latest`` may have meant at some time; nothing for a fixed name."""

    def start(self, sighting: Sighting, units: Units, token: str) -> None: ...

    def stop(self, sighting: Sighting, token: str) -> None: ...

    def tags(self, arn: str) -> dict[str, str]: ...

    def tag(self, arn: str, tags: Mapping[str, str]) -> None: ...

    def untag(self, arn: str, keys: Iterable[str]) -> None: ...


@runtime_checkable
class ResizesInPlace(Protocol):
    """What an adapter offers besides, if its service changes the units of a model while it serves.

    Its ``describe`` then says in ``Observed.resizing`` what the last such change was, and ``start`` may
    ignore the units: a model that comes up with others is resized.
    """

    def resize(self, sighting: Sighting, units: Units, token: str) -> None: ...


#: Codes that any service can answer while credentials or policies settle, or when a call comes late: "Common
#: Errors" in the API references. They come with HTTP 4xx, and none of them says that a property is wrong.
_COMMON: Mapping[str, Kind] = {
    "AccessDenied": Kind.DENIED,
    "AccessDeniedException": Kind.DENIED,
    "ExpiredTokenException": Kind.DENIED,
    "InvalidSignatureException": Kind.DENIED,
    "UnrecognizedClientException": Kind.DENIED,
    "RequestTimeoutException": Kind.TRANSIENT,
    "RequestTimeout": Kind.TRANSIENT,
    "RequestExpired": Kind.TRANSIENT,
}


@contextmanager
def errors_sorted(service: str, codes: Mapping[str, Kind], operation: str) -> Iterator[None]:
    """Raise what a call of an operation raises as a :class:`ServiceError`."""
    try:
        yield
    except Exception as error:
        raise sorted_error(error, codes, f"{service}:{operation}") from error


def sorted_error(error: Exception, codes: Mapping[str, Kind], operation: str) -> ServiceError:
    """Return a :class:`ServiceError` for what botocore raised.

    A code that neither ``codes`` nor the common ones have is transient with HTTP 429 or 5xx, else invalid.
    """
    if isinstance(error, ClientError):
        return _from_response(error.response, codes, operation)
    if isinstance(error, BotoCoreError):
        # Connection reset, time-out, no route: nobody knows whether the call took effect. Look again.
        return ServiceError(Kind.TRANSIENT, f"{operation}: {type(error).__name__}")
    raise error


def _from_response(response: Mapping[str, Any], codes: Mapping[str, Kind], operation: str) -> ServiceError:
    problem, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(problem.get("Code", "")), int(meta.get("HTTPStatusCode", 0))
    kind = (
        codes.get(code)
        or _COMMON.get(code)
        or (Kind.TRANSIENT if status >= 500 or status == 429 else Kind.INVALID)
    )
    text = f"{operation}: {code}: {problem.get('Message', '')}".rstrip(": ")
    return ServiceError(kind, text, _seconds(meta.get("HTTPHeaders", {}).get("retry-after")), operation)


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header is not None else None
    except ValueError:
        return None
