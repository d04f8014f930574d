"""Faults that a test puts in the way of calls."""

from __future__ import annotations

from dataclasses import dataclass

# Not an error of any service: the connection is cut before the call does anything.
CONNECTION_RESET = "ConnectionReset"


@dataclass(slots=True)
class Fault:
    """The next ``times`` calls of an operation, after the next ``after``, go wrong.

    ``error`` is answered before any effect. With ``lose_response`` the answer, whatever it is, is replaced by
    a cut connection. ``retry_after`` is the header of the error, in seconds; None leaves it out.
    ``http_status`` is for codes that AWS answers with more than one; None means the service's own.
    """

    operation: str
    error: str | None = None
    times: int = 1
    after: int = 0
    lose_response: bool = False
    resource: str | None = None
    service: str | None = None
    retry_after: int | None = 1
    http_status: int | None = None

    def concerns(self, service: str, operation: str, resources: frozenset[str]) -> bool:
        """Whether such a call counts for this fault."""
        return (
            self.operation == operation
            and self.service in (None, service)
            and (self.resource is None or self.resource in resources)
        )


class Faults:
    """The faults in force, oldest first.

    Every fault counts down its ``after`` by every call that concerns it; of the faults that are due, the
    oldest strikes, and only its ``times`` go down.
    """

    __slots__ = ("_faults",)

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self._faults.append(fault)

    def all(self) -> list[Fault]:
        """What is in force."""
        return list(self._faults)

    def clear(self) -> None:
        """End all faults."""
        self._faults.clear()

    def take(self, service: str, operation: str, resources: frozenset[str]) -> Fault | None:
        """The fault that strikes this call, if any."""
        struck: Fault | None = None
        for fault in self._faults:
            if not fault.concerns(service, operation, resources):
                continue
            if fault.after > 0:
                fault.after -= 1
            elif struck is None:
                struck = fault
        if struck is not None:
            struck.times -= 1
            if struck.times <= 0:
                self._faults.remove(struck)
        return struck
