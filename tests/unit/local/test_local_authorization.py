"""Foreign requests are decided by ministack's own signature check and policy evaluation."""

import base64
import contextvars
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from hosted_model_local import authorization
from hosted_model_local.authorization import ForeignRequest, Verdict

ACCOUNT = "000000000000"
KEY, SECRET, TOKEN = "ASIATESTLOCALCLOUD01", "secret", "token"
MODEL = "arn:aws:lookoutvision:us-east-1:${account}:model/circuit-boards/1"
REAL_MODEL = MODEL.replace("${account}", ACCOUNT)
PRINCIPAL = f"arn:aws:sts::{ACCOUNT}:assumed-role/Starter/function"


@pytest.fixture
def policy() -> Iterator[dict[str, Any]]:
    """The only statement of the caller's role; a test fills it in."""
    from ministack.services import iam, sts

    statement: dict[str, Any] = {"Effect": "Allow", "Action": "lookoutvision:StartModel", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam._roles["Starter"] = {"RoleName": "Starter", "InlinePolicies": {"p": document}, "AttachedPolicies": []}
    sts.register_session(
        KEY, {"Arn": PRINCIPAL, "UserId": "x:function", "SecretAccessKey": SECRET, "SessionToken": TOKEN}
    )
    authorization._used.clear()
    yield statement
    iam._roles.pop("Starter")
    sts._sessions.pop(KEY, None)


def signed(
    *, key: str = KEY, secret: str = SECRET, token: str | None = TOKEN, service: str = "lookoutvision"
) -> ForeignRequest:
    url = "http://127.0.0.1:9/2020-11-20/projects/circuit-boards/models/1/start?a=b%20c"
    body = b'{"MinInferenceUnits":1}'
    request = AWSRequest(method="POST", url=url, data=body, headers={"X-Amzn-Client-Token": "t"})
    SigV4Auth(Credentials(key, secret, token), service, "us-east-1").add_auth(request)
    parts = urlsplit(url)
    return ForeignRequest(
        method="POST",
        path=parts.path,
        query=parts.query,
        headers={**dict(request.headers.items()), "Host": parts.netloc},
        body=body,
        action="lookoutvision:StartModel",
        resource=MODEL,
    )


def decide(request: ForeignRequest, **context: Any) -> Verdict:
    request = replace(request, context={**request.context, **context})
    return contextvars.copy_context().run(authorization.authorize, request)


def test_a_granted_action_is_allowed_and_recorded(policy: dict[str, Any]) -> None:
    policy["Resource"] = REAL_MODEL
    assert decide(signed()) == Verdict(True, ACCOUNT, PRINCIPAL)
    assert authorization.used_actions() == [{"principal": PRINCIPAL, "action": "lookoutvision:StartModel"}]


@pytest.mark.parametrize("service", ["lookoutvision", "rekognition"])
def test_the_signature_counts_for_both_services(policy: dict[str, Any], service: str) -> None:
    assert decide(signed(service=service)).allowed


@pytest.mark.parametrize(
    ("member", "value"),
    [("Action", "lookoutvision:StopModel"), ("Resource", REAL_MODEL.replace("/1", "/2"))],
)
def test_what_is_not_granted_is_denied_in_the_words_of_aws(
    policy: dict[str, Any], member: str, value: str
) -> None:
    policy[member] = value
    assert decide(signed()) == Verdict(
        False,
        ACCOUNT,
        PRINCIPAL,
        "AccessDeniedException",
        f"User: {PRINCIPAL} is not authorized to perform: lookoutvision:StartModel on resource: {REAL_MODEL} "
        "because no identity-based policy allows the lookoutvision:StartModel action",
    )
    assert authorization.used_actions() == []


def test_an_explicit_deny_says_so(policy: dict[str, Any]) -> None:
    policy["Effect"] = "Deny"
    assert decide(signed()).message.endswith("with an explicit deny in an identity-based policy")


@pytest.mark.parametrize(
    ("context", "allowed"),
    [
        ({"aws:ResourceTag/hosted-model:stack": "mine"}, True),
        ({"aws:resourcetag/hosted-model:stack": "mine"}, True),
        ({"aws:ResourceTag/hosted-model:stack": "yours"}, False),
        ({"aws:ResourceTag/hosted-model:stack": "MINE"}, False),
        ({"aws:ResourceTag/other": "mine"}, False),
        ({}, False),
    ],
)
def test_resource_tags_are_compared(policy: dict[str, Any], context: dict[str, str], allowed: bool) -> None:
    policy["Condition"] = {"StringEquals": {"aws:ResourceTag/hosted-model:stack": "mine"}}
    assert decide(signed(), **context).allowed is allowed


@pytest.mark.parametrize(("context", "allowed"), [({}, True), ({"aws:ResourceTag/stack": "yours"}, False)])
def test_an_absent_tag_satisfies_if_exists(
    policy: dict[str, Any], context: dict[str, str], allowed: bool
) -> None:
    policy["Condition"] = {"StringEqualsIfExists": {"aws:ResourceTag/stack": "mine"}}
    assert decide(signed(), **context).allowed is allowed


@pytest.mark.parametrize(("value", "allowed"), [("mine", True), ("yours", False)])
def test_request_tags_are_compared(policy: dict[str, Any], value: str, allowed: bool) -> None:
    policy["Condition"] = {"StringEquals": {"aws:RequestTag/hosted-model:stack": "mine"}}
    assert decide(signed(), **{"aws:RequestTag/hosted-model:stack": value}).allowed is allowed


@pytest.mark.parametrize(
    ("keys", "allowed"),
    [(["a"], True), (["a", "b"], True), (["a", "c"], False), (["c"], False), (None, True)],
)
def test_all_tag_keys_must_be_listed(policy: dict[str, Any], keys: list[str] | None, allowed: bool) -> None:
    # A request without tags has no aws:TagKeys, and ForAllValues is true of a key that is not there.
    policy["Condition"] = {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}
    context = {"aws:TagKeys": keys} if keys is not None else {}
    assert decide(signed(), **context).allowed is allowed


@pytest.mark.parametrize(("keys", "allowed"), [(["a"], True), (None, False)])
def test_null_tells_absent_tag_keys(policy: dict[str, Any], keys: list[str] | None, allowed: bool) -> None:
    policy["Condition"] = {"Null": {"aws:TagKeys": "false"}}
    assert decide(signed(), **({"aws:TagKeys": keys} if keys else {})).allowed is allowed


def test_without_an_action_the_signature_alone_counts(policy: dict[str, Any]) -> None:
    policy["Effect"] = "Deny"
    assert decide(replace(signed(), action=None)).allowed


def test_root_keys_may_do_everything() -> None:
    verdict = decide(signed(key="test", secret="anything", token=None))
    assert verdict == Verdict(True, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"secret": "other"}, "InvalidSignatureException"),
        ({"key": "ASIAUNKNOWN00000000"}, "UnrecognizedClientException"),
        ({"token": None}, "UnrecognizedClientException"),
        ({"token": "other"}, "UnrecognizedClientException"),
    ],
)
def test_bad_credentials_are_refused(policy: dict[str, Any], given: dict[str, Any], code: str) -> None:
    verdict = decide(signed(**given))
    assert (verdict.allowed, verdict.code) == (False, code)


@pytest.mark.parametrize(
    "change", [{"body": b"{}"}, {"query": "a=other"}, {"path": "/2020-11-20/projects/x/models/1/start"}]
)
def test_a_changed_request_fails_its_signature(policy: dict[str, Any], change: dict[str, Any]) -> None:
    assert decide(replace(signed(), **change)).code == "InvalidSignatureException"


def test_an_expired_session_is_refused(policy: dict[str, Any]) -> None:
    from ministack.services import sts

    sts._sessions[KEY]["Expiration"] = 1.0
    assert decide(signed()).code == "ExpiredTokenException"


def test_no_credentials_are_refused() -> None:
    request = ForeignRequest(method="GET", path="/", headers={"host": "x"})
    assert decide(request).code == "MissingAuthenticationTokenException"


def test_the_wire_form_is_read() -> None:
    wire = {"method": "POST", "path": "/x", "body_b64": base64.b64encode(b"hi").decode(), "action": "a:B"}
    request = ForeignRequest.from_json(json.dumps(wire).encode())
    assert request == ForeignRequest(method="POST", path="/x", body=b"hi", action="a:B")


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"[]",
        b"{}",
        b'{"method":"GET"}',
        b'{"method":"GET","path":"/","headers":["host"]}',
        b'{"method":"GET","path":"/","body_b64":"%"}',
    ],
)
def test_a_malformed_question_is_refused(wire: bytes) -> None:
    with pytest.raises(ValueError, match=r"body|method|headers"):
        ForeignRequest.from_json(wire)
