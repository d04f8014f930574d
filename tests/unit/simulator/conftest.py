"""A simulator under a clock that stands still until a test moves it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from hosted_model_local.simulator import Request, Response, Simulator

BASE = "/2020-11-20/projects"


@dataclass
class Answer:
    response: Response

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def json(self) -> Any:
        return json.loads(self.response.body)

    @property
    def error(self) -> str | None:
        named = self.response.headers.get("x-amzn-ErrorType")
        return named or self.json.get("__type")

    @property
    def headers(self) -> dict[str, str]:
        return self.response.headers


@dataclass
class Bench:
    """Drives one simulator as clients and tests do."""

    options: dict[str, Any] = field(default_factory=dict)
    now: float = 1_000_000.0

    def __post_init__(self) -> None:
        self.simulator = Simulator(clock=lambda: self.now, **{"requests_per_second": None, **self.options})

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return Answer(self.simulator.handle(Request(method, path, query, headers or {}, raw)))

    # control API
    def control(self, method: str, path: str, body: Any = None, *, query: str = "", expect: int = 200) -> Any:
        answer = self.send(method, f"/_simulator/{path}", body, query=query)
        assert answer.status == expect, answer.response
        return answer.json

    def put(self, name: str = "boards/3", **members: Any) -> Any:
        return self.control("PUT", f"models/{name}", members)

    def model(self, name: str = "boards/3", query: str = "") -> Any:
        return self.control("GET", f"models/{name}", query=query)

    def fault(self, operation: str, **members: Any) -> Any:
        return self.control("POST", "faults", {"operation": operation, **members})

    def calls(self) -> Any:
        return self.control("GET", "calls")

    # Lookout for Vision
    def start(
        self, name: str = "boards/3", low: Any = 1, high: Any = None, token: str | None = None, **more: Any
    ) -> Answer:
        body = {"MinInferenceUnits": low} | ({} if high is None else {"MaxInferenceUnits": high})
        return self.action(name, "start", body, token, **more)

    def stop(self, name: str = "boards/3", token: str | None = None, **more: Any) -> Answer:
        return self.action(name, "stop", None, token, **more)

    def action(self, name: str, verb: str, body: Any, token: str | None, **more: Any) -> Answer:
        project, version = name.split("/")
        headers = more.pop("headers", {}) | ({} if token is None else {"x-amzn-client-token": token})
        path = f"{BASE}/{quote(project, safe='')}/models/{quote(version, safe='')}/{verb}"
        return self.send("POST", path, body, headers=headers)

    def describe(self, name: str = "boards/3", **more: Any) -> Answer:
        project, version = name.split("/")
        return self.send("GET", f"{BASE}/{project}/models/{version}", **more)

    def detect(self, name: str = "boards/3", body: bytes = b"\x89PNG", kind: str = "image/png") -> Answer:
        return self.action(name, "detect", body, None, headers={"content-type": kind})

    def list_models(self, project: str = "boards", **query: Any) -> Answer:
        return self.send("GET", f"{BASE}/{project}/models", query=urlencode(query))

    def list_projects(self, headers: dict[str, str] | None = None, **query: Any) -> Answer:
        return self.send("GET", BASE, query=urlencode(query), headers=headers)

    def arn(self, name: str = "boards/3") -> str:
        return f"arn:aws:lookoutvision:us-east-1:000000000000:model/{name}"

    def tag(self, tags: dict[str, str], arn: str | None = None) -> Answer:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        return self.tag_body({"Tags": pairs}, arn)

    def tag_body(self, body: Any, arn: str | None = None) -> Answer:
        return self.send("POST", f"/2020-11-20/tags/{quote(arn or self.arn(), safe='')}", body)

    def untag(self, *keys: str, arn: str | None = None) -> Answer:
        query = urlencode([("tagKeys", key) for key in keys])
        return self.send("DELETE", f"/2020-11-20/tags/{quote(arn or self.arn(), safe='')}", query=query)

    def tags(self, arn: str | None = None) -> Answer:
        return self.send("GET", f"/2020-11-20/tags/{quote(arn or self.arn(), safe='')}")

    # Rekognition
    def rekognition(self, operation: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        target = {"x-amz-target": f"RekognitionService.{operation}"}
        return self.send("POST", "/", body, headers={**target, **(headers or {})})


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def make_bench() -> type[Bench]:
    return Bench
