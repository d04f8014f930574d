"""Decides requests of services that ministack does not have, from the real policies of the caller's role.

The simulator hands over each request it got. ministack's own code verifies the Signature Version 4 signature,
finds the principal behind the access key and evaluates its policies, tag conditions included. Error codes are
those of "Common Errors" in the AWS API references.
"""

import base64
import binascii
import json
import threading
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qs

# ministack words some failures as the Query protocol does; JSON services use these names.
_JSON_CODES = {
    "InvalidClientTokenId": "UnrecognizedClientException",
    "InvalidToken": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "RequestTimeTooSkewed": "InvalidSignatureException",
    "CredentialDateMismatch": "InvalidSignatureException",
    "UnsupportedSignature": "InvalidSignatureException",
    "IncompleteSignature": "IncompleteSignatureException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "RequestExpired": "ExpiredTokenException",
}

_used: set[tuple[str, str]] = set()
_used_lock = threading.Lock()


@dataclass(frozen=True)
class ForeignRequest:
    """A signed request as another server received it, and what it asks to do.

    Attributes
    ----------
    path, query
        As sent: percent-encoded, the query without its question mark.
    action
        ``service:Operation``, or None to check the signature only.
    resource
        ARN, in which ``${account}`` stands for the caller's account.
    context
        Condition keys of the request, such as ``aws:ResourceTag/KEY``; values are strings or lists of them.
    """

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    action: str | None = None
    resource: str = "*"
    region: str = "us-east-1"
    context: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, document: bytes) -> "ForeignRequest":
        """Parse the body of POST authorize.

        Raises
        ------
        ValueError
            The document is not JSON, lacks ``method`` or ``path``, or has a field of another shape.
        """
        try:
            given = json.loads(document)
        except ValueError as error:
            raise ValueError(f"the body is not JSON: {error}") from None
        if not isinstance(given, dict) or not all(
            isinstance(given.get(key), str) for key in ("method", "path")
        ):
            raise ValueError("the body must be an object with the strings 'method' and 'path'")
        headers, context = given.get("headers") or {}, given.get("context") or {}
        if not isinstance(headers, dict) or not isinstance(context, dict):
            raise ValueError("'headers' and 'context' must be objects")  # noqa: TRY004 (wrong JSON, not code)
        try:
            body = base64.b64decode(given.get("body_b64") or "", validate=True)
        except (binascii.Error, TypeError):
            raise ValueError("'body_b64' is not base64") from None
        return cls(
            method=given["method"],
            path=given["path"],
            query=str(given.get("query") or ""),
            headers={str(name): str(value) for name, value in headers.items()},
            body=body,
            action=given.get("action"),
            resource=str(given.get("resource") or "*"),
            region=str(given.get("region") or "us-east-1"),
            context=context,
        )


@dataclass(frozen=True)
class Verdict:
    """The answer to a `ForeignRequest`; ``code`` and ``message`` are empty when it is allowed."""

    allowed: bool
    account: str
    principal: str
    code: str = ""
    message: str = ""

    def as_json(self) -> dict[str, Any]:
        """The verdict as POST authorize answers it."""
        return asdict(self)


def authorize(request: ForeignRequest) -> Verdict:
    """Verify the signature of ``request`` and, if it names an action, the caller's right to it.

    Call it in a context of its own (a thread of ``asyncio.to_thread``, or ``contextvars.Context.run``):
    ministack keeps the request in context variables. Root keys (``test``) are not verified and may do
    everything, as in ministack.
    """
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id, set_request_account_id, set_request_region

    access_key = _access_key(request)
    set_request_account_id(iam_evaluator.find_iam_access_key_account(access_key) or access_key)
    set_request_region(request.region)
    _pin(request)
    account = get_account_id()
    credential = iam_evaluator.authenticate(access_key, account)
    if isinstance(credential, iam_evaluator.AuthError):
        return _refused(credential, account)
    if not access_key:
        return Verdict(
            False, account, "", "MissingAuthenticationTokenException", "Missing Authentication Token"
        )
    principal = iam_evaluator.resolve_principal(access_key, account, credential)
    if isinstance(principal, iam_evaluator.AuthError):
        return _refused(principal, account)
    if request.action is None or principal.policies is None:
        return Verdict(True, principal.account, principal.arn)
    return _evaluate(request, request.action, principal)


def _access_key(request: ForeignRequest) -> str:
    from ministack.core.router import extract_access_key_id

    headers = {name.lower(): value for name, value in request.headers.items()}
    return str(extract_access_key_id(headers, parse_qs(request.query)) or "")


def _pin(request: ForeignRequest) -> None:
    from ministack.core import iam_evaluator

    raw_headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()
    ]
    query = parse_qs(request.query, keep_blank_values=True)
    iam_evaluator.pin_signed_request(request.method, request.path, query, raw_headers)
    iam_evaluator.pin_signed_body(request.body)


def _evaluate(request: ForeignRequest, action: str, principal: Any) -> Verdict:
    from ministack.core import iam_evaluator

    resource = request.resource.replace("${account}", principal.account)
    context = {key.lower(): value for key, value in request.context.items()}
    # Without it, ministack reads an absent aws:TagKeys as an empty list, and AWS as an absent key.
    context.setdefault("aws:tagkeys", None)
    decision = iam_evaluator.evaluate(
        iam_evaluator.EvalContext(
            principal_arn=principal.arn,
            principal_type=principal.type,
            principal_account=principal.account,
            action=action,
            resource_arn=resource,
            region=request.region,
            service_context=context,
            principal_keys=principal.keys,
        ),
        principal.policies,
        *principal.limits,
    ).decision
    if decision == "Allow":
        record_use(principal.arn, action)
        return Verdict(True, principal.account, principal.arn)
    reason = (
        "with an explicit deny in an identity-based policy"
        if decision == "Deny"
        else f"because no identity-based policy allows the {action} action"
    )
    message = f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} {reason}"
    return Verdict(False, principal.account, principal.arn, "AccessDeniedException", message)


def _refused(error: Any, account: str) -> Verdict:
    return Verdict(False, account, "", _JSON_CODES.get(error.code, error.code), error.message)


def record_use(principal_arn: str, action: str) -> None:
    """Remember that this principal used this action and was allowed to."""
    with _used_lock:
        _used.add((principal_arn, action))


def used_actions() -> list[dict[str, str]]:
    """Each principal and action that policies allowed so far, sorted; root's calls are not in it."""
    with _used_lock:
        return [{"principal": principal, "action": action} for principal, action in sorted(_used)]
