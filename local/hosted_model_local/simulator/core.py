"""The simulator itself: takes a request, decides, answers. It opens no socket and starts no thread.

A call passes, in this order: routing, authentication, authorisation, injected faults, the request quota,
validation, existence, state. So a caller without permission learns neither whether a model exists nor whether
the input was right.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from .auth import AUTH_STATUS, Authorizer, Decision, credential
from .control import PREFIX, Control
from .errors import ApiError
from .faults import CONNECTION_RESET, Fault, Faults
from .http import Request, Response
from .lookoutvision import LookoutVision
from .quota import EXEMPT, Limits, RateLimiter
from .rekognition import Rekognition
from .service import Call, Service, World

MAX_CALLS_KEPT = 100_000

_CUT = Response(0, {}, b"", cut=True)
_UNAUTHENTICATED = "The request could not be authenticated."


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One line of ``GET /_simulator/calls``; ``http_status`` is None where the call was cut off at once."""

    time: float
    service: str
    operation: str
    resource: str
    client_token: str | None
    http_status: int | None
    error: str | None
    effect: bool
    principal: str | None
    response_lost: bool


class Simulator:
    """The model services of one cloud.

    Parameters
    ----------
    clock
        Seconds since the epoch. All times follow it; nothing sleeps.
    authorizer
        None allows everything, as the default account.
    requests_per_second
        The quota of each API, account and region; None is none.
    default_region
        For requests without a SigV4 credential scope, and for the control API.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        authorizer: Authorizer | None = None,
        requests_per_second: float | None = 5,
        default_region: str = "us-east-1",
        default_account: str = "000000000000",
    ) -> None:
        self._clock = clock
        self._authorizer = authorizer
        self._initial_rate = requests_per_second
        self.default_region = default_region
        self.default_account = default_account
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Back to the state after construction; the clock's offset, too."""
        self.offset = 0.0
        self.faults = Faults()
        self.calls: deque[CallRecord] = deque(maxlen=MAX_CALLS_KEPT)
        self.world = World(Limits(requests_per_second=self._initial_rate))
        self.limit_rate(self._initial_rate)
        self._lookoutvision: Service = LookoutVision(self.world)
        self._rekognition: Service = Rekognition(self.world)
        self._control = Control(self)

    def now(self) -> float:
        """The simulator's time: its clock and the offset that the control API has set."""
        return self._clock() + self.offset

    def limit_rate(self, requests_per_second: float | None) -> None:
        """Set the request quota; the windows begin anew."""
        self.world.limits.requests_per_second = requests_per_second
        self._limiter = RateLimiter(requests_per_second)

    def handle(self, request: Request) -> Response:
        """Answer one request. Safe to call from several threads."""
        if request.path.startswith(PREFIX):
            with self._lock:
                return self._control.handle(request, self.now())
        # Only services of the JSON protocols name a target; the REST services have paths.
        service = self._rekognition if "x-amz-target" in request.headers else self._lookoutvision
        try:
            call = service.route(request)
        except ApiError as error:
            return service.failure(error)
        try:
            # Asking the authorizer can take long: the lock is not held meanwhile.
            self._admit(service, call)
        except ApiError as error:
            with self._lock:
                return self._refuse(service, call, error)
        with self._lock:
            return self._perform(service, call)

    # --- who may -----------------------------------------------------------------------------------------

    def _admit(self, service: Service, call: Call) -> None:
        """Authenticate and authorise; fills in account, region and principal of the call."""
        scope = credential(call.request)
        call.region = scope[1] if scope else self.default_region
        call.account = self.default_account
        if self._authorizer is None:
            return
        who = self._authorizer.authorize(call.request, None, "", call.region, {})
        call.principal = who.principal or None
        if not who.allowed:
            raise _refusal(who, "UnrecognizedClientException", _UNAUTHENTICATED)
        call.account = who.account or self.default_account
        resource = service.resource(call)
        with self._lock:
            model = service.find(call, self.now())
            tags = (
                {f"aws:resourcetag/{key}".lower(): value for key, value in model.tags.items()}
                if model
                else {}
            )
        context = {**tags, **service.request_tags(call)}
        action = f"{service.name}:{call.operation}"
        decision = self._authorizer.authorize(call.request, action, resource, call.region, context)
        call.principal = decision.principal or call.principal
        if not decision.allowed:
            # AWS's own words, and the same whether the resource exists or not.
            words = (
                f"User: {call.principal} is not authorized to perform: {action} on resource: {resource} "
                f"because no identity-based policy allows the {action} action"
            )
            raise _refusal(decision, "AccessDeniedException", words)

    # --- what happens ------------------------------------------------------------------------------------

    def _refuse(self, service: Service, call: Call, error: ApiError) -> Response:
        response = service.failure(error)
        self._record(service, call, self.now(), response.status, error.code)
        return response

    def _perform(self, service: Service, call: Call) -> Response:
        now = self.now()
        fault = self._fault(service, call, now) if self.faults else None
        if fault is not None and fault.error == CONNECTION_RESET:
            self._record(service, call, now, None, CONNECTION_RESET, lost=True)
            return _CUT
        lost = fault is not None and fault.lose_response
        try:
            self._obstruct(service, call, fault, now)
            outcome = service.perform(call, now)
        except ApiError as error:
            response = service.failure(error)
            self._record(service, call, now, response.status, error.code, lost=lost)
        else:
            response = service.success(outcome)
            self._record(service, call, now, response.status, None, effect=outcome.effect, lost=lost)
        return replace(response, cut=True) if lost else response

    def _fault(self, service: Service, call: Call, now: float) -> Fault | None:
        names = {f"{call.project}/{call.version}"}
        model = service.find(call, now)
        if model is not None:
            names |= {f"{model.project}/{model.version}", model.arn}
        return self.faults.take(service.name, call.operation, frozenset(names))

    def _obstruct(self, service: Service, call: Call, fault: Fault | None, now: float) -> None:
        """Raise what an injected fault or the request quota wants."""
        if fault is not None and fault.error is not None:
            error = service.error(fault.error, call)
            error.retry_after = fault.retry_after
            raise error
        if call.operation in EXEMPT:
            return
        if not self._limiter.admit((call.account, call.region, service.name, call.operation), now):
            raise service.error("ThrottlingException", call)

    def _record(
        self,
        service: Service,
        call: Call,
        now: float,
        status: int | None,
        error: str | None,
        *,
        effect: bool = False,
        lost: bool = False,
    ) -> None:
        resource = service.resource(call)
        if resource == "*":
            resource = call.project
        self.calls.append(
            CallRecord(
                now,
                service.name,
                call.operation,
                resource,
                call.client_token,
                status,
                error,
                effect,
                call.principal,
                lost,
            )
        )


def _refusal(decision: Decision, code: str, message: str) -> ApiError:
    """A refused caller's error; code and message are for an authorizer that names none."""
    code = decision.code or code
    status = AUTH_STATUS.get(code, 403)
    return ApiError(code, decision.message or message, status=status)
