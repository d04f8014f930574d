"""What the driver needs of a service, and how its errors are sorted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..decisions.model import Sighting, Units

#: The driver polls and retries by itself, with the deadline in view: the SDK must neither sleep nor repeat.
#: The read time-out is far below the deadline's margin, so that no call can outlast it.
CLIENT_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"total_max_attempts": 1, "mode": "standard"},
    user_agent_extra="cdk-hosted-model",
)


def knowing_our_models(session: Any) -> Any:
    """Return the session, which now knows the service models that we bring."""
    session.get_component("data_loader").search_paths.append(str(_DATA))
    return session


@cache
def shared_session() -> Any:
    """Return the function's one session: what its first client has loaded need not be loaded again.

    It knows our service models from the beginning: botocore lists what it knows once, at the first client.
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
    """

    def __init__(self, kind: Kind, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.kind, self.retry_after = kind, retry_after


class Service(Protocol):
    """One adapter. Every method raises :class:`ServiceError` and nothing else of the SDK's."""

    name: str
    #: The statuses that mean "ready to use" and "not billed": HOSTED and TRAINED, RUNNING and STOPPED.
    running: str
    stopped: str

    def physical_id(self, model: Mapping[str, str]) -> str:
        """Return the physical ID of a declared model; ValueError where a member breaks its limit."""

    def describe(self, model: Mapping[str, str]) -> Sighting:
        """Return the model as it is; an absent one is a sighting, not an error."""

    def alternatives(self, model: Mapping[str, str]) -> Iterable[Sighting]:
        """Return every model that a moving name (``latest``) may have meant; nothing for a fixed name."""

    def start(self, sighting: Sighting, units: Units, token: str) -> None: ...

    def stop(self, sighting: Sighting, token: str) -> None: ...

    def tags(self, arn: str) -> dict[str, str]: ...

    def tag(self, arn: str, tags: Mapping[str, str]) -> None: ...

    def untag(self, arn: str, keys: Iterable[str]) -> None: ...


def sorted_error(error: Exception, codes: Mapping[str, Kind], operation: str) -> ServiceError:
    """Return a :class:`ServiceError` for what botocore raised.

    A code that no table names is transient when the service's side is at fault (HTTP 5xx), else invalid.
    """
    if isinstance(error, ClientError):
        return _from_response(error.response, codes, operation)
    if isinstance(error, BotoCoreError):
        # Connection reset, time-out, no route: the call may or may not have taken effect. Look again.
        return ServiceError(Kind.TRANSIENT, f"{operation}: {type(error).__name__}")
    raise error


def _from_response(response: Mapping[str, Any], codes: Mapping[str, Kind], operation: str) -> ServiceError:
    problem, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(problem.get("Code", "")), int(meta.get("HTTPStatusCode", 0))
    kind = codes.get(code) or (Kind.TRANSIENT if status >= 500 or status == 429 else Kind.INVALID)
    text = f"{operation}: {code}: {problem.get('Message', '')}".rstrip(": ")
    return ServiceError(kind, text, _seconds(meta.get("HTTPHeaders", {}).get("retry-after")))


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header is not None else None
    except ValueError:
        return None
