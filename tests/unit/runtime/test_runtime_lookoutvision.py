"""The Lookout for Vision adapter, on the wire: botocore's real client, the simulator behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from hosted_model_local.simulator import Request, Simulator
from hosted_model_runtime.decisions.model import Phase, Units
from hosted_model_runtime.services import ADAPTERS, adapter
from hosted_model_runtime.services.base import (
    Kind,
    ServiceError,
    knowing_our_models,
    shared_session,
    sorted_error,
)
from hosted_model_runtime.services.lookoutvision import CODES, PHASES, LookoutVisionService

MODEL = {"ProjectName": "boards", "ModelVersion": "3"}
ARN = "arn:aws:lookoutvision:us-east-1:000000000000:model/boards/3"
ENCODED = "arn%3Aaws%3Alookoutvision%3Aus-east-1%3A000000000000%3Amodel%2Fboards%2F3"
BASE = "/2020-11-20/projects/boards/models/3"


class Raw:
    """What botocore reads a body from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body


class Wire:
    """An adapter, what it sent, and what comes back: from the simulator, or from ``replies`` first."""

    def __init__(self) -> None:
        self.reset()
        session = knowing_our_models(botocore.session.get_session())
        session.set_credentials("AKIDEXAMPLE", "secret")
        session.register("before-send.lookoutvision", self._carry)
        self.service = LookoutVisionService.connect(lambda: session)

    def reset(self) -> None:
        self.simulator = Simulator(clock=lambda: 1_000_000.0, requests_per_second=None)
        self.sent: list[Any] = []
        self.replies: list[Exception | tuple[int, dict[str, str], bytes]] = []

    def _carry(self, request: Any, **_: Any) -> AWSResponse:
        self.sent.append(request)
        if self.replies:
            reply = self.replies.pop(0)
            if isinstance(reply, Exception):
                raise reply
            return AWSResponse(request.url, reply[0], reply[1], Raw(reply[2]))
        url = urlsplit(request.url)
        headers = {key.lower(): _text(value) for key, value in request.headers.items()}
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else body
        found = self.simulator.handle(Request(request.method, url.path, url.query, headers, content))
        return AWSResponse(request.url, found.status, found.headers, Raw(found.body))

    def control(self, method: str, path: str, **members: Any) -> Any:
        content = json.dumps(members).encode()
        return json.loads(self.simulator.handle(Request(method, f"/_simulator/{path}", "", {}, content)).body)

    def put(self, version: str = "3", **members: Any) -> Any:
        return self.control("PUT", f"models/boards/{version}", **members)

    def reply(self, status: int, **members: Any) -> None:
        self.replies.append((status, {}, json.dumps(members).encode()))

    @property
    def last(self) -> tuple[str, str, dict[str, list[str]], dict[str, str], Any]:
        """Method, path, query, headers and body of the last request."""
        request = self.sent[-1]
        url = urlsplit(request.url)
        headers = {key.lower(): _text(value) for key, value in request.headers.items()}
        body = json.loads(request.body) if request.body else None
        return request.method, url.path, parse_qs(url.query), headers, body


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.fixture(scope="module")
def connected() -> Wire:
    # A client takes a tenth of a second to make.
    return Wire()


@pytest.fixture
def wire(connected: Wire) -> Wire:
    connected.reset()
    connected.put(status="TRAINED")
    return connected


def test_it_is_registered() -> None:
    assert adapter("lookoutvision") is LookoutVisionService


class TestPhysicalId:
    @pytest.mark.parametrize("version", ["3", "latest"])
    def test_names_service_project_and_version(self, wire: Wire, version: str) -> None:
        assert (
            wire.service.physical_id({**MODEL, "ModelVersion": version}) == f"lookoutvision/boards/{version}"
        )

    @pytest.mark.parametrize(
        ("model", "words"),
        [
            ({"ProjectName": "boards"}, "Model must have ProjectName and ModelVersion"),
            ({**MODEL, "Extra": "x"}, "Model must have ProjectName and ModelVersion"),
            ({**MODEL, "ModelVersion": "0"}, "model_version must match"),
            ({**MODEL, "ProjectName": "a/b"}, "project_name must match"),
        ],
    )
    def test_a_wrong_name_is_told(self, wire: Wire, model: dict[str, str], words: str) -> None:
        with pytest.raises(ValueError, match=words.replace("(", r"\(")):
            wire.service.physical_id(model)
        assert wire.sent == []


class TestDescribe:
    def test_the_request(self, wire: Wire) -> None:
        wire.service.describe(MODEL)
        method, path, query, headers, body = wire.last
        assert (method, path, query, body) == ("GET", BASE, {}, None)
        assert "/lookoutvision/aws4_request" in headers["authorization"]
        assert "cdk-hosted-model" in headers["user-agent"]
        assert urlsplit(wire.sent[-1].url).hostname == "lookoutvision.us-east-1.amazonaws.com"

    @pytest.mark.parametrize("status", sorted(PHASES))
    def test_every_status(self, wire: Wire, status: str) -> None:
        wire.put(status=status, min_inference_units=2, max_inference_units=4, status_message="because")
        seen = wire.service.describe(MODEL)
        assert (seen.arn, seen.version, seen.model) == (ARN, "3", MODEL)
        assert seen.observed.phase is PHASES[status]
        assert seen.observed.status == status
        assert seen.observed.name == "Lookout for Vision model boards/3"
        assert (seen.observed.min_units, seen.observed.max_units) == (2, 4)

    @pytest.mark.parametrize(
        ("phase", "statuses"),
        [
            (Phase.UNREADY, {"TRAINING", "TRAINING_FAILED", "DELETING"}),
            (Phase.STOPPED, {"TRAINED"}),
            (Phase.STARTING, {"STARTING_HOSTING"}),
            (Phase.RUNNING, {"HOSTED"}),
            (Phase.FAILED, {"HOSTING_FAILED"}),
            (Phase.STOPPING, {"STOPPING_HOSTING"}),
            (Phase.UPDATING, {"SYSTEM_UPDATING"}),
        ],
    )
    def test_the_statuses_of_a_phase(self, phase: Phase, statuses: set[str]) -> None:
        assert {status for status, found in PHASES.items() if found is phase} == statuses

    def test_a_status_that_is_not_known_waits(self, wire: Wire) -> None:
        wire.reply(200, ModelDescription={"ModelVersion": "3", "ModelArn": ARN, "Status": "WARMING_UP"})
        seen = wire.service.describe(MODEL)
        assert (seen.observed.phase, seen.observed.status) == (Phase.UPDATING, "WARMING_UP")

    def test_an_absent_model_is_a_sighting(self, wire: Wire) -> None:
        seen = wire.service.describe({**MODEL, "ModelVersion": "9"})
        assert (seen.observed.phase, seen.arn, seen.version) == (Phase.ABSENT, "", "9")
        assert seen.observed.name == "Lookout for Vision model boards/9"

    def test_latest_becomes_the_number_that_it_is_now(self, wire: Wire) -> None:
        wire.put("4", status="TRAINED")
        wire.put("5", status="TRAINING")
        seen = wire.service.describe({**MODEL, "ModelVersion": "latest"})
        assert wire.last[1].endswith("/models/latest")
        assert (seen.version, seen.model) == ("4", {**MODEL, "ModelVersion": "4"})
        assert seen.arn.endswith("model/boards/4")
        wire.service.start(seen, Units(1), "t")
        assert wire.last[1].endswith("/models/4/start")


class TestAlternatives:
    def test_a_number_has_none(self, wire: Wire) -> None:
        assert list(wire.service.alternatives(MODEL)) == []
        assert wire.sent == []

    def test_latest_has_every_version(self, wire: Wire) -> None:
        wire.put("4", status="HOSTED")
        seen = list(wire.service.alternatives({**MODEL, "ModelVersion": "latest"}))
        assert wire.last[:2] == ("GET", "/2020-11-20/projects/boards/models")
        assert sorted((s.version, s.observed.phase, s.arn) for s in seen) == [
            ("3", Phase.STOPPED, ARN),
            ("4", Phase.RUNNING, ARN[:-1] + "4"),
        ]
        assert seen[0].model == MODEL

    def test_every_page_is_read(self, wire: Wire) -> None:
        for number, token in (("1", "a/b=="), ("2", "c"), ("3", None)):
            more = {} if token is None else {"NextToken": token}
            found = {"ModelVersion": number, "ModelArn": ARN[:-1] + number, "Status": "TRAINED"}
            wire.reply(200, Models=[found], **more)
        seen = list(wire.service.alternatives({**MODEL, "ModelVersion": "latest"}))
        assert [s.version for s in seen] == ["1", "2", "3"]
        tokens = [parse_qs(urlsplit(sent.url).query).get("nextToken") for sent in wire.sent]
        assert tokens == [None, ["a/b=="], ["c"]]

    def test_no_page_is_read_before_it_is_needed(self, wire: Wire) -> None:
        wire.reply(200, Models=[{"ModelVersion": "1", "ModelArn": ARN, "Status": "TRAINED"}], NextToken="n")
        next(iter(wire.service.alternatives({**MODEL, "ModelVersion": "latest"})))
        assert len(wire.sent) == 1

    def test_a_project_that_is_absent_has_none(self, wire: Wire) -> None:
        assert list(wire.service.alternatives({"ProjectName": "none", "ModelVersion": "latest"})) == []

    def test_another_error_passes(self, wire: Wire) -> None:
        wire.control("POST", "faults", operation="ListModels", error="ThrottlingException")
        with pytest.raises(ServiceError) as caught:
            list(wire.service.alternatives({**MODEL, "ModelVersion": "latest"}))
        assert caught.value.kind is Kind.TRANSIENT


class TestCommands:
    @pytest.mark.parametrize(
        ("units", "body"),
        [
            (Units(1), {"MinInferenceUnits": 1}),
            (Units(2, 5), {"MinInferenceUnits": 2, "MaxInferenceUnits": 5}),
        ],
    )
    def test_start(self, wire: Wire, units: Units, body: dict[str, int]) -> None:
        wire.service.start(wire.service.describe(MODEL), units, "token-1")
        method, path, _query, headers, sent = wire.last
        assert (method, path, sent) == ("POST", f"{BASE}/start", body)
        assert headers["x-amzn-client-token"] == "token-1"
        assert wire.service.describe(MODEL).observed.phase is Phase.STARTING

    def test_stop(self, wire: Wire) -> None:
        wire.put(status="HOSTED")
        wire.service.stop(wire.service.describe(MODEL), "token-2")
        method, path, _query, headers, sent = wire.last
        assert (method, path, sent) == ("POST", f"{BASE}/stop", None)
        assert headers["x-amzn-client-token"] == "token-2"
        assert wire.service.describe(MODEL).observed.phase is Phase.STOPPING


class TestTags:
    def test_there_and_back(self, wire: Wire) -> None:
        wire.service.tag(ARN, {"hosted-model:stack": "arn:aws:x/y", "b": ""})
        method, path, _query, _headers, sent = wire.last
        assert (method, path) == ("POST", f"/2020-11-20/tags/{ENCODED}")
        assert sent == {
            "Tags": [{"Key": "hosted-model:stack", "Value": "arn:aws:x/y"}, {"Key": "b", "Value": ""}]
        }
        assert wire.service.tags(ARN) == {"hosted-model:stack": "arn:aws:x/y", "b": ""}
        assert wire.last[:2] == ("GET", f"/2020-11-20/tags/{ENCODED}")

    def test_untag(self, wire: Wire) -> None:
        wire.service.tag(ARN, {"hosted-model:stack": "x", "hosted-model:request": "y", "Team": "z"})
        wire.service.untag(ARN, (key for key in ("hosted-model:stack", "hosted-model:request")))
        method, path, query, _headers, sent = wire.last
        assert (method, path, sent) == ("DELETE", f"/2020-11-20/tags/{ENCODED}", None)
        assert query == {"tagKeys": ["hosted-model:stack", "hosted-model:request"]}
        assert wire.service.tags(ARN) == {"Team": "z"}

    def test_none(self, wire: Wire) -> None:
        assert wire.service.tags(ARN) == {}
        wire.reply(200)
        assert wire.service.tags(ARN) == {}


Call = Callable[[LookoutVisionService], Any]


def _start(service: LookoutVisionService) -> None:
    service.start(service.describe(MODEL), Units(1), "t")


def _stop(service: LookoutVisionService) -> None:
    service.stop(service.describe(MODEL), "t")


CALLS: dict[str, Call] = {
    "StartModel": _start,
    "StopModel": _stop,
    "DescribeModel": lambda service: service.describe(MODEL),
    "ListTagsForResource": lambda service: service.tags(ARN),
    "TagResource": lambda service: service.tag(ARN, {"a": "b"}),
    "UntagResource": lambda service: service.untag(ARN, ["a"]),
}
KINDS = {
    "ResourceNotFoundException": Kind.ABSENT,
    "ConflictException": Kind.CONFLICT,
    "ThrottlingException": Kind.TRANSIENT,
    "InternalServerException": Kind.TRANSIENT,
    "AccessDeniedException": Kind.DENIED,
    "ServiceQuotaExceededException": Kind.QUOTA,
    "ValidationException": Kind.INVALID,
}


def test_the_seven_errors_are_all() -> None:
    assert CODES == KINDS


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("code", KINDS)
class TestErrors:
    def test_each_error_at_each_call(self, wire: Wire, operation: str, code: str) -> None:
        # Only StartModel's quota, and only where the reference lists the error: the simulator knows.
        made = wire.control("POST", "faults", operation=operation, error=code, retry_after=7)
        if "error" in made and code not in made.get("error", ""):
            pytest.fail(f"the simulator takes no {code} for {operation}: {made}")
        if (operation, code) == ("DescribeModel", "ResourceNotFoundException"):
            assert wire.service.describe(MODEL).observed.phase is Phase.ABSENT
            return
        with pytest.raises(ServiceError) as caught:
            CALLS[operation](wire.service)
        assert caught.value.kind is KINDS[code]
        assert str(caught.value).startswith(f"lookoutvision:{operation}: {code}")
        asked = code in ("ThrottlingException", "InternalServerException")
        assert caught.value.retry_after == (7.0 if asked else None)


class TestOtherErrors:
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (500, "SomethingNew", Kind.TRANSIENT),
            (502, "", Kind.TRANSIENT),
            (503, "ServiceUnavailable", Kind.TRANSIENT),
            (429, "TooManyRequestsException", Kind.TRANSIENT),
            (400, "SomethingNew", Kind.INVALID),
            (418, "", Kind.INVALID),
            (400, "ExpiredTokenException", Kind.DENIED),
        ],
    )
    def test_a_code_that_no_table_names(self, wire: Wire, status: int, code: str, kind: Kind) -> None:
        headers = {"x-amzn-ErrorType": code} if code else {}
        wire.replies = [(status, headers, b'{"Message":"m"}')]
        with pytest.raises(ServiceError) as caught:
            wire.service.tags(ARN)
        assert caught.value.kind is kind
        assert len(wire.sent) == 1

    @pytest.mark.parametrize("body", [b"", b"<html>bad gateway</html>", b"{"])
    def test_an_error_page_of_something_between(self, wire: Wire, body: bytes) -> None:
        wire.replies = [(502, {}, body)]
        with pytest.raises(ServiceError) as caught:
            wire.service.describe(MODEL)
        assert caught.value.kind is Kind.TRANSIENT

    @pytest.mark.parametrize(
        "error",
        [
            ConnectTimeoutError(endpoint_url="https://secret-endpoint"),
            ReadTimeoutError(endpoint_url="https://secret-endpoint"),
            EndpointConnectionError(endpoint_url="https://secret-endpoint"),
            ConnectionClosedError(endpoint_url="https://secret-endpoint"),
            SSLError(endpoint_url="https://secret-endpoint", error="bad"),
            HTTPClientError(error="reset"),
            NoCredentialsError(),
        ],
        ids=lambda error: type(error).__name__,
    )
    @pytest.mark.parametrize("operation", CALLS)
    def test_the_network(
        self, wire: Wire, monkeypatch: pytest.MonkeyPatch, operation: str, error: Exception
    ) -> None:
        if operation in ("StartModel", "StopModel"):
            seen = wire.service.describe(MODEL)
            monkeypatch.setattr(wire.service, "describe", lambda _: seen)
        before = len(wire.sent)
        wire.replies = [error]
        with pytest.raises(ServiceError) as caught:
            CALLS[operation](wire.service)
        assert caught.value.kind is Kind.TRANSIENT
        assert str(caught.value) == f"lookoutvision:{operation}: {type(error).__name__}"
        # Neither the SDK's retry nor ours: the driver looks first.
        assert len(wire.sent) == before + 1

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("3", 3.0),
            ("0", 0.0),
            ("-5", 0.0),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("1.5", 1.5),
            ("", None),
        ],
    )
    def test_retry_after_in_any_form(self, wire: Wire, header: str, seconds: float | None) -> None:
        headers = {"x-amzn-ErrorType": "ThrottlingException", "Retry-After": header}
        wire.replies = [(429, headers, b'{"Message":"slow down"}')]
        with pytest.raises(ServiceError) as caught:
            wire.service.tags(ARN)
        assert caught.value.retry_after == seconds

    def test_a_mistake_of_our_own_is_not_dressed_up(self, wire: Wire) -> None:
        with pytest.raises(KeyError):
            wire.service.describe({"ProjectName": "boards"})


@pytest.mark.parametrize("order", [sorted(ADAPTERS), sorted(ADAPTERS, reverse=True)])
def test_one_session_makes_every_service_s_client_in_any_order(
    order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    shared_session.cache_clear()
    try:
        assert [adapter(name).connect().name for name in order] == order
        assert shared_session().create_client("events").meta.service_model.service_name == "events"
    finally:
        shared_session.cache_clear()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UnrecognizedClientException", Kind.DENIED),
        ("InvalidSignatureException", Kind.DENIED),
        ("ExpiredTokenException", Kind.DENIED),
        ("AccessDenied", Kind.DENIED),
        ("RequestTimeoutException", Kind.TRANSIENT),
        ("SomethingElseException", Kind.INVALID),
    ],
)
@pytest.mark.parametrize("table", [CODES, {}])
def test_credentials_that_settle_are_not_a_wrong_property(
    table: Mapping[str, Kind], code: str, kind: Kind
) -> None:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    assert sorted_error(ClientError(response, "Any"), table, "any").kind is kind
