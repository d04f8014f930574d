"""Clients of AWS: one session, a client for each service and region, paced and patient."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import urlsplit

import botocore.session
from botocore import xform_name
from botocore.exceptions import BotoCoreError, EndpointConnectionError, NoCredentialsError, NoRegionError

from hosted_model_runtime.services import Service
from hosted_model_runtime.services.base import CLIENT_CONFIG, Kind, ServiceError, sorted_error

from .pace import Pacer
from .services import REGISTRY

Result = TypeVar("Result")
#: Of the other services; "Common Errors" in their API references.
_COMMON: Mapping[str, Kind] = {
    "AccessDenied": Kind.DENIED,
    "AccessDeniedException": Kind.DENIED,
    "UnauthorizedOperation": Kind.DENIED,
    "ResourceNotFoundException": Kind.ABSENT,
    "Throttling": Kind.TRANSIENT,
    "ThrottlingException": Kind.TRANSIENT,
    "RequestLimitExceeded": Kind.TRANSIENT,
}
_TOKENS = ("NextToken", "nextToken")
_ATTEMPTS = 6
_BACKOFF_SECONDS = 0.5


class Cloud:
    """What the commands ask of AWS. Safe to use from several threads.

    Parameters
    ----------
    profile
        A profile of the shared configuration; None is what the environment says.
    clock, sleep
        For tests: seconds, and waiting for them.

    Raises
    ------
    botocore.exceptions.BotoCoreError
        There is no such profile, or there are no credentials.
    """

    def __init__(
        self,
        profile: str | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = botocore.session.Session(profile=profile)
        # Current botocore knows nothing of Lookout for Vision: the runtime brings its description.
        data = files("hosted_model_runtime") / "data"
        self._session.get_component("data_loader").search_paths.append(str(data))
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        # A login that has expired is told once, and not by every region.
        credentials.get_frozen_credentials()
        self._pacer = Pacer(clock, sleep)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._adapters: dict[tuple[str, str], Service] = {}

    def default_region(self) -> str:
        """Return the session's region; NoRegionError without one."""
        region = self._session.get_config_variable("region")
        if not region:
            raise NoRegionError
        return str(region)

    def is_known(self, region: str) -> bool:
        """Say whether botocore knows the region, in whatever partition."""
        partitions = self._session.get_available_partitions()
        return any(region in self._session.get_available_regions("ec2", one) for one in partitions)

    def known_regions(self) -> list[str]:
        """Return the regions of the session's partition that botocore knows."""
        partition = self._session.get_partition_for_region(self.default_region())
        return list(self._session.get_available_regions("ec2", partition))

    def is_offered(self, region: str, service: str) -> bool:
        """Say whether the service has an endpoint in the region, as far as its row or botocore knows."""
        offered = REGISTRY[service].regions
        if offered is None:
            partition = self._session.get_partition_for_region(region)
            offered = tuple(self._session.get_available_regions(service, partition))
        return region in offered

    def lacks(self, region: str, service: str, error: ServiceError) -> bool:
        """Say whether a call failed because the region does not have the service.

        That is so where AWS's own endpoint is not there and is not known to be. An endpoint that somebody
        set, such as the local cloud's, says nothing about a region by being down.
        """
        host = urlsplit(self.client(region, service).meta.endpoint_url).hostname or ""
        return (
            isinstance(error.__cause__, EndpointConnectionError)
            and f".{region}." in host
            and not self.is_offered(region, service)
        )

    def client(self, region: str, service: str) -> Any:
        """Return a botocore client; each of its requests waits for its turn."""
        with self._lock:
            if (region, service) not in self._clients:
                made = self._session.create_client(service, region_name=region, config=CLIENT_CONFIG)
                made.meta.events.register("before-send", self._turn(region, service))
                self._clients[region, service] = made
            return self._clients[region, service]

    def call(self, region: str, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call one operation by its name in the API reference; raises ServiceError."""
        method = getattr(self.client(region, service), xform_name(operation))
        row = REGISTRY.get(service)
        codes = row.codes if row else _COMMON

        def once() -> dict[str, Any]:
            try:
                return dict(method(**parameters))
            except Exception as error:
                raise sorted_error(error, codes, f"{service}:{operation}") from error

        return self.patiently(once)

    def pages(self, region: str, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Call an operation for one page after the other."""
        page: dict[str, Any] = {}
        while True:
            answer = self.call(region, service, operation, **parameters, **page)
            yield answer
            page = {name: answer[name] for name in _TOKENS if answer.get(name)}
            if not page:
                return

    def adapter(self, region: str, service: str) -> Service:
        """Return the runtime's adapter; its methods are to be called by :meth:`patiently`."""
        client = self.client(region, service)
        with self._lock:
            return self._adapters.setdefault((region, service), REGISTRY[service].adapter(client))

    def patiently(self, ask: Callable[[], Result]) -> Result:
        """Ask again while the service says that it is busy, not before the time that it names.

        Raises
        ------
        ServiceError
            Any other failure at once, and a busy service after several attempts.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return ask()
            except ServiceError as error:
                if attempt == _ATTEMPTS or not _may_pass(error):
                    raise
                pause = _BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1)  # noqa: S311
                self._sleep(max(pause, error.retry_after or 0))
        raise AssertionError("unreachable")

    def wait(self, seconds: float) -> None:
        """Wait."""
        self._sleep(seconds)

    def _turn(self, region: str, service: str) -> Callable[..., None]:
        # Of each attempt that goes out: "before-send.SERVICE.OPERATION".
        def turn(event_name: str, **_: Any) -> None:
            self._pacer.wait((region, service, event_name.rsplit(".", 1)[-1]))

        return turn


def _may_pass(error: ServiceError) -> bool:
    # No such host, or nobody there: a region without the service. It will not have it in some seconds.
    return error.kind is Kind.TRANSIENT and not isinstance(error.__cause__, EndpointConnectionError)


__all__ = ["BotoCoreError", "Cloud", "Kind", "ServiceError"]
