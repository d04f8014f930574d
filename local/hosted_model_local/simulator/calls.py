"""What was called: the lines of ``GET /_simulator/calls``."""

from __future__ import annotations

from dataclasses import dataclass

MAX_CALLS_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call; ``http_status`` is None where it was cut off at once."""

    time: float
    service: str
    operation: str
    resource: str
    client_token: str | None
    http_status: int | None
    error: str | None
    effect: bool
    principal: str | None
    response_lost: bool
