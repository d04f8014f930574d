"""Who calls, and may they: the simulator asks, somebody else knows."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import urllib3

from .http import Request

# Codes of a refused caller whose HTTP status is not 403.
AUTH_STATUS = {"IncompleteSignatureException": 400, "InternalFailure": 500}

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")


class Scope(NamedTuple):
    """The credential scope of Signature Version 4: who signed, for which region and service."""

    access_key: str
    region: str
    service: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of an authorizer; ``code`` and ``message`` matter only where ``allowed`` is false."""

    allowed: bool
    account: str
    principal: str
    code: str = ""
    message: str = ""


class Authorizer(Protocol):
    """Verifies the signature of a request and evaluates its caller's policies."""

    def authorize(
        self,
        request: Request,
        action: str | None,
        resource: str,
        region: str,
        context: Mapping[str, str | list[str]],
    ) -> Decision:
        """Decide on one action; the action None asks only who it is."""


def credential(request: Request) -> Scope | None:
    """The credential scope of a signed request."""
    match = _CREDENTIAL.search(request.headers.get("authorization", ""))
    return Scope(match[1], match[2], match[3]) if match else None


class HttpAuthorizer:
    """Asks an HTTP endpoint.

    It gets ``{"method","path","query","headers","body_b64","action","resource","region","context"}`` by POST
    and answers 200 with ``{"allowed","account","principal","code","message"}``. Who an access key ID belongs
    to is remembered; that spares a call and proves nothing, since each authorisation checks the signature.

    Parameters
    ----------
    ca_bundle
        A PEM file with the certificate authorities of an HTTPS endpoint.
    timeout
        Seconds for one question.
    """

    def __init__(self, url: str, ca_bundle: str | None = None, *, timeout: float = 10.0) -> None:
        self._url = url
        # Without an answer nothing is allowed; a repeated question is harmless, so one retry.
        self._pool = urllib3.PoolManager(
            ca_certs=ca_bundle,
            timeout=timeout,
            retries=urllib3.Retry(1, redirect=False, allowed_methods=None),
        )
        self._known: dict[str, Decision] = {}

    def authorize(
        self,
        request: Request,
        action: str | None,
        resource: str,
        region: str,
        context: Mapping[str, str | list[str]],
    ) -> Decision:
        """Ask; an endpoint that fails allows nothing."""
        scope = credential(request)
        if action is None and scope and scope.access_key in self._known:
            return self._known[scope.access_key]
        decision = self._ask(request, action, resource, region, context)
        if action is None and scope and decision.allowed:
            self._known[scope.access_key] = decision
        return decision

    def _ask(
        self,
        request: Request,
        action: str | None,
        resource: str,
        region: str,
        context: Mapping[str, str | list[str]],
    ) -> Decision:
        question = {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": dict(request.headers),
            "body_b64": base64.b64encode(request.body).decode(),
            "action": action,
            "resource": resource,
            "region": region,
            "context": dict(context),
        }
        try:
            answer = self._pool.request("POST", self._url, json=question)
            if answer.status != 200:
                return _unavailable(f"HTTP status {answer.status}")
            return _decision(json.loads(answer.data))
        except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError) as error:
            return _unavailable(repr(error))


def _decision(answer: dict[str, object]) -> Decision:
    return Decision(
        allowed=answer["allowed"] is True,
        account=str(answer.get("account") or ""),
        principal=str(answer.get("principal") or ""),
        code=str(answer.get("code") or ""),
        message=str(answer.get("message") or ""),
    )


def _unavailable(reason: str) -> Decision:
    return Decision(False, "", "", "InternalFailure", f"The authorizer could not decide: {reason}")
