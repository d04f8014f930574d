"""The answer to CloudFormation: one PUT to the presigned ResponseURL.

In come the answer's fields and the URL. Either CloudFormation takes the answer, or an error is raised. No
part of the URL is logged or stands in the error.

Follows "Custom resource response objects", AWS CloudFormation User Guide: at most 4096 bytes in all.
"""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)

MAX_BYTES = 4096
TIMEOUT_SECONDS = 4.0
ATTEMPTS = 4
_CUT = "…"


class NotAnsweredError(RuntimeError):
    """CloudFormation did not take the answer. The invocation fails, and Lambda's retry answers again."""


def body(fields: Mapping[str, Any]) -> bytes:
    """Return the answer as JSON of at most 4096 bytes; what is too long is cut off the ``Reason``'s end."""
    encoded = _encode(fields)
    reason = str(fields.get("Reason", ""))
    while len(encoded) > MAX_BYTES and reason:
        # JSON's escapes make at most twelve bytes of a character: so this never cuts off more than it must.
        reason = reason[: -max(1, (len(encoded) - MAX_BYTES) // 12)]
        encoded = _encode({**fields, "Reason": reason + _CUT})
    return encoded


def put(url: str, content: bytes, sleep: Callable[[float], None]) -> None:
    """Send an answer.

    Raises
    ------
    NotAnsweredError
        After 4 attempts of 4 s each, and 3.5 s between them, without an HTTP 2xx. At once after any 4xx: the
        URL has expired or is wrong, and repeating would not help.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.netloc:
        raise NotAnsweredError("the ResponseURL is not an HTTPS address")
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(2.0 ** (attempt - 2))
        try:
            status = _send(parts.netloc, target, content)
        except (OSError, HTTPException) as error:
            logger.warning("Answer not sent: %s", type(error).__name__)
            continue
        if 200 <= status < 300:
            return
        logger.warning("Answer refused: HTTP %d", status)
        if 400 <= status < 500:
            break
    raise NotAnsweredError("CloudFormation did not take the answer")


def _send(host: str, target: str, content: bytes) -> int:
    connection = HTTPSConnection(host, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
    try:
        # The URL is presigned for an empty content type; any other is refused.
        connection.request("PUT", target, body=content, headers={"content-type": ""})
        return connection.getresponse().status
    finally:
        connection.close()


def _encode(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()
