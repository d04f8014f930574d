"""The simulator itself: takes a request, decides, answers. It opens no socket and starts no thread.

A call passes, in this order: routing, authentication, authorisation, injected faults, the request quota,
validation, existence, state. So a caller without permission learns neither whether a model exists nor whether
the input was right.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from .auth import AUTH_STATUS, Authorizer, Decision, credential
from .calls import MAX_CALLS_KEPT, CallRecord
from .control import PREFIX, Control
from .errors import COMMON_STATUS, ApiError
from .faults import CONNECTION_RESET, Fault, Faults
from .http import Request, Response, json_response
from .quota import Limits, RateLimiter
from .registry import SERVICES, addressed
from .service import Call, Service, World

_CUT = Response(0, {}, b"", cut=True)
_UNAUTHENTICATED = "The request could not be authenticated."


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
    services
        The services of this cloud.
    default_region
        For requests without a SigV4 credential scope, and for the control API.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        authorizer: Authorizer | None = None,
        requests_per_second: float | None = 5,
        services: Sequence[type[Service]] = SERVICES,
        default_region: str = "us-east-1",
        default_account: str = "000000000000",
    ) -> None:
        self._clock = clock
        self._authorizer = authorizer
        self._initial_rate = requests_per_second
        self._kinds = tuple(services)
        self.default_region = default_region
        self.default_account = default_account
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Back to the state after construction; the clock's offset, too."""
        self.offset = 0.0
        self.faults = Faults()
        self.calls: deque[CallRecord] = deque(maxlen=MAX_CALLS_KEPT)
        counts = {name: count for kind in self._kinds for name, count in kind.quotas.items()}
        telling = {kind.name for kind in self._kinds if kind.tells_tags}
        self.world = World(Limits(self._initial_rate, counts), telling=telling)
        self.limit_rate(self._initial_rate)
        self.services: dict[str, Service] = {kind.name: kind(self.world) for kind in self._kinds}
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
        service = addressed(self.services.values(), request)
        if service is None:
            return _unknown(request)
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
        call.region = scope.region if scope else self.default_region
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
            tags = self.world.seen_tags(model, self.now()) if model else {}
        resource_tags = {f"aws:resourcetag/{key}".lower(): value for key, value in tags.items()}
        told = service.name in self.world.telling
        context = {**resource_tags, **service.request_tags(call)} if told else {}
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
            error.retry_after, error.forced_status = fault.retry_after, fault.http_status
            error.status = error.status or COMMON_STATUS.get(fault.error)
            raise error
        if call.operation in service.unmetered:
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
            # IAM decides on no resource, but the call may be about one.
            resource = call.arn or call.project
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


def _unknown(request: Request) -> Response:
    """The answer to a request that is for no service of this cloud, in the form of both protocols."""
    code, message = "UnknownOperationException", "The operation does not exist."
    status = 400 if "x-amz-target" in request.headers else 404
    return json_response(status, {"__type": code, "Message": message}, {"x-amzn-ErrorType": code})


def _refusal(decision: Decision, code: str, message: str) -> ApiError:
    """A refused caller's error; code and message are for an authorizer that names none."""
    code = decision.code or code
    status = AUTH_STATUS.get(code, 403)
    return ApiError(code, decision.message or message, status=status)
