"""An HTTP request and its answer as plain values, so that the simulator needs no socket to be tested."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """What reached the service.

    Parameters
    ----------
    path
        As sent, percent-encoded: the signature covers this form.
    query
        As sent, without the question mark.
    headers
        Names in lower case; values of a repeated header joined by a comma.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back; ``cut`` means: send nothing, cut the TCP connection."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool = False


def json_response(status: int, payload: object, headers: dict[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    return Response(status, {"Content-Type": "application/json", **(headers or {})}, body)


def json_object(body: bytes) -> dict[str, object] | None:
    """The JSON object of a body; an empty body is an empty object, anything else is None."""
    if not body:
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
