"""PURE: ClientTokens, and the short digests that stand for a resource in a tag."""

from __future__ import annotations

import hashlib
import json


def _digest(*parts: object) -> str:
    # JSON keeps ("a", "bc") and ("ab", "c") apart, which plain joining would not.
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def client_token(
    stack_id: str,
    logical_id: str,
    request_id: str,
    verb: str,
    model_arn: str,
    min_units: int | None = None,
    max_units: int | None = None,
) -> str:
    """Return the idempotency token of one call for one CloudFormation request.

    A retry of the same request gives the same token, so the call completes once. A new request, other units
    or another model give another token. A token is active for 8 hours: with the old one the service would
    take a new Create for a repeat and do nothing, and would refuse other inputs.

    Returns
    -------
    str
        64 hexadecimal digits: within ``^[a-zA-Z0-9-]+$`` and the maximum length of 64 of
        "StartModel, Amazon Lookout for Vision API Reference".
    """
    return _digest(stack_id, logical_id, request_id, verb, model_arn, min_units, max_units)


def fingerprint(*parts: str) -> str:
    """Return 12 hexadecimal digits that stand for ``parts`` in a tag value."""
    return _digest(*parts)[:12]
