"""What the core and a simulated service say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .errors import ApiError
from .http import Request, Response
from .models import Model, Models
from .quota import Limits
from .tokens import ClientTokens


@dataclass(slots=True)
class Call:
    """One API call on its way: what was asked, and by whom as far as is known by now.

    ``project`` and ``version`` are as the caller wrote them, unchecked; ``arn`` is set where the caller wrote
    an ARN instead. ``payload`` is None when the body is no JSON object.
    """

    service: str
    operation: str
    request: Request
    project: str = ""
    version: str = ""
    arn: str | None = None
    payload: dict[str, object] | None = field(default_factory=dict)
    client_token: str | None = None
    region: str = ""
    account: str = ""
    principal: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call that succeeded; ``effect`` says that it changed a model."""

    status: int
    payload: dict[str, object]
    effect: bool = False


@dataclass(slots=True)
class World:
    """Everything that a service can change, apart from time."""

    limits: Limits
    models: Models = field(default_factory=Models)
    tokens: ClientTokens = field(default_factory=ClientTokens)


class Service(Protocol):
    """A simulated service: the wire protocol and the rules of its operations."""

    name: str

    def route(self, request: Request) -> Call:
        """Which operation this is; raises ApiError when there is none."""

    def resource(self, call: Call) -> str:
        """The resource on which IAM decides, for the call's account and region."""

    def find(self, call: Call, now: float) -> Model | None:
        """The model that the call is about, if there is one."""

    def request_tags(self, call: Call) -> Mapping[str, str | list[str]]:
        """IAM context keys that the request itself brings."""

    def perform(self, call: Call, now: float) -> Outcome:
        """Validate and carry out; raises ApiError."""

    def error(self, code: str, call: Call) -> ApiError:
        """An error of that code with the members that it has, for faults and for throttling."""

    def success(self, outcome: Outcome) -> Response:
        """The answer's form on the wire."""

    def failure(self, error: ApiError) -> Response:
        """The error's form on the wire."""
