"""What the core and a simulated service say to each other, and what a service must bring."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from .errors import ApiError
from .http import Request, Response
from .lag import Lag
from .models import Lifecycle, SimulatedModel, SimulatedModels
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
    """Everything that a service can change, apart from time.

    ``tag_lags`` holds for all models of a service that have no lag of their own, ``status_lags`` for all.
    """

    limits: Limits
    models: SimulatedModels = field(default_factory=SimulatedModels)
    tokens: ClientTokens = field(default_factory=ClientTokens)
    tag_lags: dict[str, Lag] = field(default_factory=dict)
    status_lags: dict[str, Lag] = field(default_factory=dict)
    #: The services that tell IAM the tags of models and requests, as keys of conditions.
    telling: set[str] = field(default_factory=set)

    def seen_tags(self, model: SimulatedModel, now: float) -> dict[str, str]:
        """The tags as one read or one evaluation of a policy sees them: late, where a lag is set."""
        lag = model.tag_lag or self.tag_lags.get(model.lifecycle.service)
        return model.tags if lag is None else model.tags_at(now - lag.draw())

    def seen(self, model: SimulatedModel, now: float) -> SimulatedModel:
        """The model as one call describes it: late, where a lag is set."""
        lag = self.status_lags.get(model.lifecycle.service)
        return model if lag is None else model.at(now - lag.draw())


class Service(ABC):
    """A simulated service: the wire protocol and the rules of its operations.

    Attributes
    ----------
    name
        Its prefix in IAM's actions, and its name in the control API.
    signing_name
        The service of the credential scope of Signature Version 4.
    target_prefix
        What the header X-Amz-Target begins with; empty where the service has paths instead.
    endpoint_ids
        The services as botocore names them in ``AWS_ENDPOINT_URL_…``: control plane, and runtime if apart.
    operations, unmetered
        All operations; those that the quota of requests a second does not count.
    error_status
        The HTTP status of each error code of its own.
    tells_tags
        Whether the service tells IAM the tags of models and requests; the control API can change it.
    quotas
        Counts that the control API can change, with the service's defaults; None is no limit.
    """

    name: ClassVar[str]
    signing_name: ClassVar[str]
    endpoint_ids: ClassVar[tuple[str, ...]]
    lifecycle: ClassVar[Lifecycle]
    operations: ClassVar[frozenset[str]]
    error_status: ClassVar[Mapping[str, int]]
    target_prefix: ClassVar[str] = ""
    unmetered: ClassVar[frozenset[str]] = frozenset()
    tells_tags: ClassVar[bool] = True
    quotas: ClassVar[Mapping[str, int | None]] = {}

    def __init__(self, world: World) -> None:
        self._world = world

    @staticmethod
    def owns_path(path: str) -> bool:
        """Whether an unsigned request without a target is for this service, by its path."""
        return False

    @staticmethod
    @abstractmethod
    def is_model_name(project: str, version: str) -> bool:
        """Whether the service could have such a model."""

    @abstractmethod
    def route(self, request: Request) -> Call:
        """Which operation this is; raises ApiError when there is none."""

    @abstractmethod
    def resource(self, call: Call) -> str:
        """The resource on which IAM decides, for the call's account and region."""

    @abstractmethod
    def find(self, call: Call, now: float) -> SimulatedModel | None:
        """The model that the call is about, if there is one."""

    def request_tags(self, call: Call) -> Mapping[str, str | list[str]]:
        """IAM context keys that the request itself brings."""
        return {}

    @abstractmethod
    def perform(self, call: Call, now: float) -> Outcome:
        """Validate and carry out; raises ApiError."""

    def error(self, code: str, call: Call) -> ApiError:
        """An error of that code with the members that it has, for faults and for throttling."""
        return ApiError(code, f"{code} (simulated)")

    @abstractmethod
    def success(self, outcome: Outcome) -> Response:
        """The answer's form on the wire."""

    @abstractmethod
    def failure(self, error: ApiError) -> Response:
        """The error's form on the wire."""
