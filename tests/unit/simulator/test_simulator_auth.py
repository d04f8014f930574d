"""Who may call: the questions to an authorizer, and the answers to a caller who is refused."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hosted_model_local.simulator import Decision, HttpAuthorizer, Request

ACCOUNT, ROLE = "111122223333", "arn:aws:sts::111122223333:assumed-role/handler/session"
SCOPE = "ASIA1/20260101/eu-west-1/lookoutvision/aws4_request"
SIGNED = {"authorization": f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature=0"}
ARN = f"arn:aws:lookoutvision:eu-west-1:{ACCOUNT}:model/boards/3"


@dataclass
class FakeAuthorizer:
    """Allows the actions it is given; remembers what it was asked."""

    allowed: set[str] = field(default_factory=set)
    needs_tag: tuple[str, str] | None = None
    known: bool = True
    asked: list[tuple[str | None, str, str, dict[str, Any]]] = field(default_factory=list)

    def authorize(self, request, action, resource, region, context):
        self.asked.append((action, resource, region, dict(context)))
        if not self.known:
            message = "The security token included in the request is invalid."
            return Decision(False, "", "", "UnrecognizedClientException", message)
        tagged = self.needs_tag is None or context.get(self.needs_tag[0]) == self.needs_tag[1]
        return Decision(action is None or (action in self.allowed and tagged), ACCOUNT, ROLE)


@pytest.fixture
def authorizer():
    return FakeAuthorizer()


@pytest.fixture
def guarded(make_bench, authorizer):
    bench = make_bench({"authorizer": authorizer})
    bench.put(account=ACCOUNT, region="eu-west-1", tags={"Owner": "me"})
    return bench


def test_allowed(guarded, authorizer):
    authorizer.allowed = {"lookoutvision:StartModel"}
    assert guarded.start(headers=SIGNED).status == 202
    assert authorizer.asked == [
        (None, "", "eu-west-1", {}),
        ("lookoutvision:StartModel", ARN, "eu-west-1", {"aws:resourcetag/owner": "me"}),
    ]
    assert guarded.calls()[0]["principal"] == ROLE


def test_refused_in_the_words_of_aws(guarded):
    answer = guarded.start(headers=SIGNED, token="t")
    assert (answer.status, answer.error) == (403, "AccessDeniedException")
    assert answer.json == {
        "Message": f"User: {ROLE} is not authorized to perform: lookoutvision:StartModel on resource: {ARN} "
        "because no identity-based policy allows the lookoutvision:StartModel action"
    }
    call = guarded.calls()[0]
    assert (call["http_status"], call["error"], call["effect"]) == (403, "AccessDeniedException", False)
    assert (call["resource"], call["principal"]) == (ARN, ROLE)
    assert guarded.control("GET", "models")[0]["starts"] == 0


def test_a_refused_caller_cannot_tell_what_exists_or_is_valid(guarded):
    def words(name: str, **more: Any) -> str:
        answer = guarded.start(name, headers=SIGNED, **more)
        assert answer.status == 403
        return answer.json["Message"].replace(name, "NAME")

    assert words("boards/3") == words("boards/4") == words("none/1") == words("boards/latest")
    assert words("boards/3", low=-1) == words("boards/3")


def test_tags_decide(guarded, authorizer):
    authorizer.allowed = {"lookoutvision:StopModel", "lookoutvision:StartModel"}
    authorizer.needs_tag = ("aws:resourcetag/owner", "you")
    assert guarded.start(headers=SIGNED).status == 403
    guarded.control(
        "PUT", "models/boards/3", {"account": ACCOUNT, "region": "eu-west-1", "tags": {"Owner": "you"}}
    )
    assert guarded.start(headers=SIGNED).status == 202


def test_accounts_do_not_share_tokens(guarded, authorizer):
    authorizer.allowed = {"lookoutvision:StartModel"}
    guarded.put("other/1", account="999999999999", region="eu-west-1")
    assert guarded.start(headers=SIGNED, token="t").status == 202
    who = Decision(True, "999999999999", ROLE)
    authorizer.authorize = lambda *_: who
    assert guarded.start("other/1", headers=SIGNED, token="t").json == {"Status": "STARTING_HOSTING"}
    assert guarded.start(headers=SIGNED).status == 404


def test_tags_of_the_model_that_is_latest(guarded, authorizer):
    guarded.start("boards/latest", headers=SIGNED)
    assert authorizer.asked[-1][1:] == (
        ARN.replace("/3", "/latest"),
        "eu-west-1",
        {"aws:resourcetag/owner": "me"},
    )


@pytest.mark.parametrize(
    ("send", "action", "resource", "context"),
    [
        (lambda b: b.describe(headers=SIGNED), "DescribeModel", ARN, {}),
        (lambda b: b.stop(headers=SIGNED), "StopModel", ARN, {}),
        (lambda b: b.action("boards/3", "detect", b"x", None, headers=SIGNED), "DetectAnomalies", ARN, {}),
        (lambda b: b.send("GET", f"/2020-11-20/tags/{ARN}", headers=SIGNED), "ListTagsForResource", ARN, {}),
        (
            lambda b: b.send(
                "POST",
                f"/2020-11-20/tags/{ARN}",
                {"Tags": [{"Key": "K", "Value": "v"}, {"Key": "L", "Value": "w"}]},
                headers=SIGNED,
            ),
            "TagResource",
            ARN,
            {"aws:requesttag/k": "v", "aws:requesttag/l": "w", "aws:tagkeys": ["K", "L"]},
        ),
        (
            lambda b: b.send(
                "DELETE", f"/2020-11-20/tags/{ARN}", query="tagKeys=K&tagKeys=L", headers=SIGNED
            ),
            "UntagResource",
            ARN,
            {"aws:tagkeys": ["K", "L"]},
        ),
        (
            lambda b: b.send("GET", "/2020-11-20/projects/boards/models", headers=SIGNED),
            "ListModels",
            "*",
            None,
        ),
        (
            lambda b: b.send("GET", "/2020-11-20/projects", headers=SIGNED),
            "ListProjects",
            "*",
            None,
        ),
        (lambda b: b.send("POST", f"/2020-11-20/tags/{ARN}", b"[", headers=SIGNED), "TagResource", ARN, {}),
    ],
)
def test_what_each_operation_asks(guarded, authorizer, send, action, resource, context):
    assert send(guarded).status == 403
    asked = authorizer.asked[-1]
    assert asked[:2] == (f"lookoutvision:{action}", resource)
    if context is None:
        assert asked[3] == {}
    else:
        assert {"aws:resourcetag/owner": "me", **context}.items() <= asked[3].items()


def test_unknown_credentials(guarded, authorizer):
    authorizer.known = False
    answer = guarded.start(headers=SIGNED)
    assert (answer.status, answer.error) == (403, "UnrecognizedClientException")
    assert len(authorizer.asked) == 1


@pytest.mark.parametrize(
    ("code", "status"), [("InvalidSignatureException", 403), ("IncompleteSignatureException", 400)]
)
def test_codes_of_a_refused_signature(guarded, authorizer, code, status):
    authorizer.authorize = lambda *_: Decision(False, "", "", code, "no")
    answer = guarded.start(headers=SIGNED)
    assert (answer.status, answer.error, answer.json) == (status, code, {"Message": "no"})


def test_a_refused_call_takes_neither_quota_nor_fault(guarded, authorizer):
    guarded.control("PUT", "quota", {"requests_per_second": 1})
    guarded.fault("StartModel", error="InternalServerException")
    assert [guarded.start(headers=SIGNED).status for _ in range(3)] == [403] * 3
    authorizer.allowed = {"lookoutvision:StartModel"}
    assert guarded.start(headers=SIGNED).status == 500
    assert guarded.start(headers=SIGNED).status == 202


# --- over HTTP -------------------------------------------------------------------------------------------


@pytest.fixture
def endpoint():
    """An authorizer's HTTP endpoint: allows by ``replies``, keeps the questions."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            server = self.server
            server.questions.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, reply = server.reply
            body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.questions = []
    server.reply = (200, {"allowed": True, "account": ACCOUNT, "principal": ROLE})
    server.url = f"http://127.0.0.1:{server.server_address[1]}/authorize"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


REQUEST = Request("POST", "/a%2Fb", "x=1", SIGNED, b"\x00body")


def test_the_question_over_http(endpoint):
    decision = HttpAuthorizer(endpoint.url).authorize(
        REQUEST, "a:B", "arn", "eu-west-1", {"aws:tagkeys": ["k"]}
    )
    assert decision == Decision(True, ACCOUNT, ROLE)
    assert endpoint.questions == [
        {
            "method": "POST",
            "path": "/a%2Fb",
            "query": "x=1",
            "headers": SIGNED,
            "body_b64": "AGJvZHk=",
            "action": "a:B",
            "resource": "arn",
            "region": "eu-west-1",
            "context": {"aws:tagkeys": ["k"]},
        }
    ]


def test_only_who_it_is_is_remembered(endpoint):
    authorizer = HttpAuthorizer(endpoint.url)
    for action in (None, None, "a:B", "a:B"):
        authorizer.authorize(REQUEST, action, "", "eu-west-1", {})
    assert [question["action"] for question in endpoint.questions] == [None, "a:B", "a:B"]


def test_a_refusal_is_not_remembered(endpoint):
    endpoint.reply = (200, {"allowed": False, "code": "InvalidSignatureException", "message": "m"})
    authorizer = HttpAuthorizer(endpoint.url)
    for _ in range(2):
        decision = authorizer.authorize(REQUEST, None, "", "eu-west-1", {})
        assert decision == Decision(False, "", "", "InvalidSignatureException", "m")
    assert len(endpoint.questions) == 2


@pytest.mark.parametrize(
    "reply", [(500, {}), (200, b"no json"), (200, {}), (200, []), (200, {"allowed": "true"})]
)
def test_an_endpoint_that_fails_allows_nothing(endpoint, reply, make_bench):
    endpoint.reply = reply
    bench = make_bench({"authorizer": HttpAuthorizer(endpoint.url)})
    bench.put()
    assert bench.start(headers=SIGNED).status in (403, 500)
    assert bench.model()["starts"] == 0


def test_no_endpoint_at_all(make_bench):
    bench = make_bench({"authorizer": HttpAuthorizer("http://127.0.0.1:1/", timeout=1)})
    assert bench.start(headers=SIGNED).status == 500
