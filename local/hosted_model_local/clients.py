"""Clients of a local cloud's two servers, independent of what the caller's environment says."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
import urllib3
from botocore.config import Config

_TIMEOUT_SECONDS = 10.0


def aws(service: str, *, endpoint: str, bundle: str, region: str) -> Any:
    """A boto3 client of ministack with root keys; a profile in the environment has no say."""
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return boto3.Session(botocore_session=session, region_name=region).client(
        service,
        endpoint_url=endpoint,
        verify=bundle,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (ministack's root key)
        config=Config(connect_timeout=_TIMEOUT_SECONDS, read_timeout=_TIMEOUT_SECONDS, proxies={}),
    )


@dataclass(frozen=True)
class ModelView:
    """A hosted model as the simulator's control API shows it; times are seconds since the epoch."""

    service: str
    project: str
    version: str
    arn: str
    status: str
    units: int | None
    tags: dict[str, str]
    starts: int
    billed_unit_seconds: float
    history: tuple[tuple[float, str], ...]

    @property
    def name(self) -> str:
        """Project and version, as people write them."""
        return f"{self.project}/{self.version}"


class SimulatorError(RuntimeError):
    """The control API refused a request."""


class Simulator:
    """The control API of the model services' simulator."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT_SECONDS, retries=urllib3.Retry(2, redirect=False))

    def models(self) -> list[ModelView]:
        """Every model of every service, as it is now."""
        return [_model(one) for one in self._call("GET", "models")]

    def seed(self, project: str, version: str, **members: object) -> ModelView:
        """Make a model, or change the members given."""
        return _model(self._call("PUT", f"models/{project}/{version}", members))

    def fault(self, **members: object) -> None:
        """Let the next calls of an operation fail; the members are those of the control API's faults."""
        self._call("POST", "faults", members)

    def _call(self, method: str, path: str, payload: object = None) -> Any:
        answer = self._pool.request(method, f"{self._url}/_simulator/{path}", json=payload)
        document = json.loads(answer.data)
        if answer.status != 200:
            raise SimulatorError(f"{method} {path}: {answer.status} {document}")
        return document


def _model(given: dict[str, Any]) -> ModelView:
    return ModelView(
        service=given["service"],
        project=given["project"],
        version=given["version"],
        arn=given["arn"],
        status=given["status"],
        units=given["min_inference_units"],
        tags=given["tags"],
        starts=given["starts"],
        billed_unit_seconds=given["billed_unit_seconds"],
        history=tuple((float(at), str(status)) for at, status in given["history"]),
    )
