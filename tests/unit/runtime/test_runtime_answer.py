"""The answer: its size, and its way to a real HTTPS endpoint."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from hosted_model_runtime.cloudformation import answer

SECRET = "X-Amz-Signature=0123456789abcdef"
PATH = f"/bucket/arn%3Aaws/key%7C1?X-Amz-Date=20260304T050607Z&{SECRET}"
FIELDS = {
    "Status": "FAILED",
    "PhysicalResourceId": "lookoutvision/boards/3",
    "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/Stack/1",
    "RequestId": "4962af83-294b-5fc0-b817-0230b7066ebf",
    "LogicalResourceId": "Model",
    "NoEcho": False,
    "Data": {},
}


class TestBody:
    @given(st.text(st.characters(), max_size=6000) | st.text('aü𝄞\x00"\\', min_size=500, max_size=6000))
    def test_it_fits_and_a_reason_keeps_its_beginning(self, reason: str) -> None:
        content = answer.body({**FIELDS, "Reason": reason})
        assert len(content) <= 4096
        read = json.loads(content)
        assert {key: value for key, value in read.items() if key != "Reason"} == FIELDS
        if read["Reason"] != reason:
            assert read["Reason"].endswith("…")
            assert reason.startswith(read["Reason"][:-1])

    @pytest.mark.parametrize(
        "character",
        [
            "a",
            "ü",
            "𝄞",
            "\x00",
            '"',
            "\ud800",
        ],
    )
    def test_not_much_more_is_cut_than_must_be(self, character: str) -> None:
        content = answer.body({**FIELDS, "Reason": character * 9000})
        assert 4096 - 24 <= len(content) <= 4096

    def test_a_reason_that_fits_is_whole(self) -> None:
        room = 4096 - len(answer.body({**FIELDS, "Reason": ""}))
        exact = answer.body({**FIELDS, "Reason": "a" * room})
        assert len(exact) == 4096
        assert json.loads(exact)["Reason"] == "a" * room
        assert json.loads(answer.body({**FIELDS, "Reason": "a" * (room + 1)}))["Reason"].endswith("a…")

    def test_the_longest_fields_there_are_fit(self) -> None:
        longest = {
            **FIELDS,
            "PhysicalResourceId": f"rekognition/{'p' * 255}/version/{'v' * 255}/1600000000001",
            "StackId": "s" * 256,
            "LogicalResourceId": "L" * 255,
            "Data": {
                "ModelArn": "a" * 2048,
                "ModelVersion": "v" * 255,
                "Status": "RUNNING",
                "HostedAt": "t" * 16,
            },
        }
        content = answer.body({**longest, "Reason": "r" * 5000})
        assert len(content) <= 4096
        assert json.loads(content)["Reason"].startswith("rrr")

    def test_no_reason_at_all_is_no_error(self) -> None:
        assert json.loads(answer.body(FIELDS)) == FIELDS


class Endpoint:
    """An HTTPS endpoint that answers with the statuses it is given, then with 200."""

    def __init__(self, certificate: trustme.LeafCert) -> None:
        self.statuses: list[int] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.hangs = 0
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.command, self.path, dict(self.headers), content))
                if outer.hangs:
                    outer.hangs -= 1
                    outer.released.wait(60)
                    return
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"https://localhost:{self.server.server_address[1]}{PATH}"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.fixture
def endpoint(authority: trustme.CA) -> Iterator[Endpoint]:
    made = Endpoint(authority.issue_cert("localhost"))
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.released.set()
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log; whatever a test did, nothing of the URL is in it."""
    caplog.set_level(logging.DEBUG)
    yield caplog
    for record in caplog.records:
        written = f"{record.getMessage()} {record.args} {record.exc_info} {record.exc_text}"
        assert not any(part in written for part in (SECRET, "X-Amz", "/bucket", "localhost"))


@pytest.mark.usefixtures("trusted")
class TestPut:
    def test_it_arrives_once(
        self, endpoint: Endpoint, waits: list[float], log: pytest.LogCaptureFixture
    ) -> None:
        answer.put(endpoint.url, b'{"Status":"SUCCESS"}', waits.append)
        [(method, path, headers, content)] = endpoint.requests
        assert (method, path, content) == ("PUT", PATH, b'{"Status":"SUCCESS"}')
        # The URL is presigned for no content type.
        assert headers.get("content-type", "") == ""
        assert waits == []

    @pytest.mark.parametrize("status", [400, 403, 404, 411])
    def test_a_refusal_is_not_repeated(
        self, endpoint: Endpoint, waits: list[float], log: pytest.LogCaptureFixture, status: int
    ) -> None:
        endpoint.statuses = [status]
        with pytest.raises(answer.NotAnsweredError) as caught:
            answer.put(endpoint.url, b"{}", waits.append)
        assert (len(endpoint.requests), waits) == (1, [])
        assert f"HTTP {status}" in log.text
        assert "localhost" not in str(caught.value)

    @pytest.mark.parametrize("statuses", [[500], [503, 500], [502, 503, 504], [301, 500]])
    def test_an_error_of_the_endpoint_is_repeated(
        self, endpoint: Endpoint, waits: list[float], log: pytest.LogCaptureFixture, statuses: list[int]
    ) -> None:
        endpoint.statuses = list(statuses)
        answer.put(endpoint.url, b"{}", waits.append)
        assert len(endpoint.requests) == len(statuses) + 1
        assert waits == [0.5, 1.0, 2.0][: len(statuses)]

    def test_it_is_repeated_three_times_and_no_more(
        self, endpoint: Endpoint, waits: list[float], log: pytest.LogCaptureFixture
    ) -> None:
        endpoint.statuses = [500] * 10
        with pytest.raises(answer.NotAnsweredError):
            answer.put(endpoint.url, b"{}", waits.append)
        assert (len(endpoint.requests), waits) == (4, [0.5, 1.0, 2.0])

    def test_an_endpoint_that_hangs_is_left(
        self,
        endpoint: Endpoint,
        waits: list[float],
        log: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(answer, "TIMEOUT_SECONDS", 1)
        endpoint.hangs = 1
        before = time.monotonic()
        answer.put(endpoint.url, b"{}", waits.append)
        assert time.monotonic() - before < 30
        assert (len(endpoint.requests), waits) == (2, [0.5])
        assert "TimeoutError" in log.text

    def test_an_endpoint_out_of_reach(self, waits: list[float], log: pytest.LogCaptureFixture) -> None:
        with socket.socket() as taken:
            # Bound, not listening: whoever connects is refused.
            taken.bind(("127.0.0.1", 0))
            with pytest.raises(answer.NotAnsweredError) as caught:
                answer.put(f"https://localhost:{taken.getsockname()[1]}{PATH}", b"{}", waits.append)
        assert waits == [0.5, 1.0, 2.0]
        assert SECRET not in str(caught.value)
        assert log.text.count("ConnectionRefusedError") == 4

    def test_all_attempts_together_fit_into_the_deadlines_margin(self) -> None:
        from hosted_model_runtime.contract import DEADLINE_MARGIN

        pauses = sum(2.0**attempt for attempt in range(answer.ATTEMPTS - 1))
        assert answer.ATTEMPTS * answer.TIMEOUT_SECONDS + pauses < DEADLINE_MARGIN


def test_a_certificate_that_nobody_vouches_for_is_refused(
    endpoint: Endpoint, waits: list[float], log: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(answer.NotAnsweredError):
        answer.put(endpoint.url, b"{}", waits.append)
    assert endpoint.requests == []
    assert "SSLCertVerificationError" in log.text


@pytest.mark.parametrize(
    "url", ["", "http://localhost:1/?" + SECRET, "ftp://x/y", "/path?" + SECRET, "https:///x"]
)
def test_anything_but_https_is_refused(url: str, waits: list[float], log: pytest.LogCaptureFixture) -> None:
    with pytest.raises(answer.NotAnsweredError, match="not an HTTPS address") as caught:
        answer.put(url, b"{}", waits.append)
    assert SECRET not in str(caught.value)
