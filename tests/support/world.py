"""A world in virtual time: Lambda, EventBridge, the model services and CloudFormation's answer endpoint.

The code under test is the real one, from ``index.handler`` to botocore's wire format: only the socket, the
clock and the processes are replaced. Every invocation is a greenlet; it gives way at each call and each
sleep, so invocations interleave as they would, and any of them can be killed at any call, before or after its
effect.
"""

from __future__ import annotations

import heapq
import importlib.util
import itertools
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from types import ModuleType
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.endpoint import convert_to_response_dict
from botocore.exceptions import ConnectionClosedError
from greenlet import greenlet

import hosted_model_runtime.cloudformation.answer as answer_module
import hosted_model_runtime.cloudformation.crhelper_resource as resource_module
import hosted_model_runtime.invocation.clock as clock_module
import hosted_model_runtime.invocation.emf as emf_module
import hosted_model_runtime.services as services_module
from hosted_model_local.simulator import Request, Simulator
from hosted_model_runtime.cloudformation.events import from_schedule
from hosted_model_runtime.contract import Env
from support.lateness import DROPPED_AFTER_SECONDS, LONGEST_QUEUE_SECONDS, ON_TIME, Lateness
from support.policy import REGION, PolicyAuthorizer, rule_prefix, statements

START = 1_795_000_000.0
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:provider"
FUNCTION_SECONDS = 900.0
#: No history takes as long as a week, unless something in it never ends.
LONGEST_SECONDS = 7 * 86400.0
#: "Lambda retries … twice, with a one-minute wait before the first, and two minutes before the second."
RETRY_SECONDS = (60.0, 120.0)


class Killed(BaseException):
    """The process is gone: no handler of the code under test runs."""


class Raw:
    """What botocore reads an answer's body from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: Any) -> bytes:
        return self._body


@dataclass
class Function:
    """A function: its warm execution environments, and what its role may do at this moment."""

    arn: str
    rule_prefix: str
    statements: Callable[[], list[Any]]
    warm: list[ModuleType] = field(default_factory=list)
    #: When it was deleted; what still runs then goes on, without a policy.
    deleted_at: float = float("inf")


@dataclass
class Invocation:
    """One run of the function."""

    number: int
    stack_id: str
    event: dict[str, Any]
    began: float
    deadline: float
    attempt: int
    function: Function
    green: greenlet | None = None
    ended: str = ""
    ended_at: float = 0.0


@dataclass
class AnswerRecord:
    """One answer that reached CloudFormation."""

    time: float
    url: str
    body: dict[str, Any]


@dataclass
class Call:
    """One call boundary that an invocation passed."""

    invocation: int
    what: str
    time: float


@dataclass
class Effect:
    """A call that changed a model, and how the model was before."""

    time: float
    stack_id: str
    request_id: str
    operation: str
    arn: str
    before: dict[str, Any]
    body: bytes
    after: dict[str, Any]


@dataclass
class Rule:
    """An EventBridge rule of one minute."""

    name: str
    created: float
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    ticks: int = 0
    description: str = ""


class Context:
    """Lambda's context object."""

    function_name = "provider"
    log_stream_name = "stream"

    def __init__(self, world: World, invocation: Invocation) -> None:
        self._world, self._invocation = world, invocation
        self.invoked_function_arn = invocation.function.arn
        self.aws_request_id = f"invocation-{invocation.number}"

    def get_remaining_time_in_millis(self) -> int:
        return int((self._invocation.deadline - self._world.now) * 1000)


class World:
    """Everything around the function."""

    current: World

    def __init__(
        self,
        *,
        seed: int = 0,
        latency: float = 0.05,
        function_seconds: float = FUNCTION_SECONDS,
        requests_per_second: float | None = 5,
        policy: bool = True,
        lateness: Lateness = ON_TIME,
        deliveries: int = 1,
    ) -> None:
        self.now = START
        #: How many times Lambda delivers every event, at least.
        self.deliveries = deliveries
        self.lateness = lateness
        self.random = random.Random(seed)
        self.latency, self.function_seconds = latency, function_seconds
        self.authorizer = PolicyAuthorizer(self._calling_stack, self._in_force)
        self.policy = policy
        self.simulator = Simulator(
            clock=lambda: self.now,
            authorizer=self.authorizer if policy else None,
            requests_per_second=requests_per_second,
        )
        self.answers: list[AnswerRecord] = []
        self.metrics: list[str] = []
        self.invocations: list[Invocation] = []
        self.calls: list[Call] = []
        self.rules: dict[str, Rule] = {}
        self.effects: list[Effect] = []
        #: By RequestId, how many calls an injected fault struck.
        self.struck: Counter[str] = Counter()
        #: Every call and every answer, in order: two runs of one history have the same.
        self.trace: list[str] = []
        self.killed = 0
        self.kill_at: dict[int, str] = {}
        self.lost_answers: set[int] = set()
        self.answer_faults: list[int | str] = []
        self.event_faults: list[tuple[str, str]] = []
        self.tick_plan: Callable[[Rule], list[float]] = lambda rule: [0.0]
        #: Seconds by which Lambda delivers the next events late, first come first served.
        self.late_deliveries: list[float] = []
        #: Events that Lambda dropped, because they found no free execution for too long.
        self.dropped: list[dict[str, Any]] = []
        #: How many executions there are at this moment, and were at the most.
        self.running = self.most_running = 0
        self.on_answer: list[Callable[[AnswerRecord], None]] = []
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._hub = greenlet.getcurrent()
        self._running: Invocation | None = None
        #: The functions that are deployed, by ARN. Where a test deploys none, each stack has the fixed one.
        self.functions: dict[str, Function] = {}
        self._fixed: dict[str, Function] = {}
        World.current = self
        for path, what, seconds, jumps in (
            ("tags", "tag_lag", lateness.tags, lateness.tags_jump),
            ("statuses", "status_lag", lateness.status, lateness.status_jump),
        ):
            if seconds:
                self.control(
                    "PUT", path, {f"{what}_seconds": seconds, **({f"{what}_seed": seed} if jumps else {})}
                )

    # --- time -------------------------------------------------------------------------------------------

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something at a time."""
        heapq.heappush(self._queue, (max(when, self.now), next(self._order), action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something later."""
        self.at(self.now + seconds, action)

    def run(self, seconds: float | None = None, until: Callable[[], bool] | None = None) -> None:
        """Let time pass: until nothing is left to happen, a time is reached, or a condition holds."""
        end = None if seconds is None else self.now + seconds
        while self._queue and not (until and until()):
            when = self._queue[0][0]
            if end is not None and when > end:
                break
            if when > START + LONGEST_SECONDS:
                raise AssertionError(f"something goes on for ever; last: {self.trace[-3:]}")
            _, _, action = heapq.heappop(self._queue)
            self.now = max(self.now, when)
            action()
        if end is not None and not (until and until()):
            self.now = max(self.now, end)

    def sleep(self, seconds: float) -> None:
        """What ``time.sleep`` is for the code under test."""
        invocation = self._running
        if invocation is None:
            raise RuntimeError("nobody sleeps outside an invocation")
        wake = self.now + max(0.0, seconds)
        if wake >= invocation.deadline:
            self.at(invocation.deadline, lambda: self._resume(invocation, Killed("Task timed out")))
        else:
            self.at(wake, lambda: self._resume(invocation))
        self._hub.switch()

    # --- Lambda -----------------------------------------------------------------------------------------

    def deliver(self, stack_id: str, event: dict[str, Any], function_arn: str = FUNCTION_ARN) -> None:
        """Take an event into Lambda's queue, which may deliver it late."""
        delay = self.late_deliveries.pop(0) if self.late_deliveries else 0.0
        self.after(delay, lambda: self.invoke(stack_id, event, function_arn=function_arn))

    def _queued(self, stack_id: str, event: dict[str, Any], attempt: int, arn: str, waited: float) -> bool:
        """Let an event wait in the queue if there is no free execution for it."""
        limit = self.lateness.concurrency
        if limit is None or self.running < limit:
            return False
        if waited >= DROPPED_AFTER_SECONDS:
            self.dropped.append(event)
            return True
        pause = min(LONGEST_QUEUE_SECONDS, max(1.0, waited)) * (1 + self.random.random())
        self.after(pause, lambda: self.invoke(stack_id, event, attempt, arn, waited + pause))
        return True

    def invoke(
        self,
        stack_id: str,
        event: dict[str, Any],
        attempt: int = 0,
        function_arn: str = FUNCTION_ARN,
        waited: float = 0.0,
    ) -> None:
        """Invoke asynchronously: at least once, retried when it ended badly, never once it is deleted."""
        function = self._function(stack_id, function_arn)
        if function is None:
            self.note("no such function", function_arn)
            return
        if self._queued(stack_id, event, attempt, function_arn, waited):
            return
        number = len(self.invocations)
        payload = json.loads(json.dumps(event))
        deadline = self.now + self.function_seconds
        invocation = Invocation(number, stack_id, payload, self.now, deadline, attempt, function)
        self.invocations.append(invocation)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.note("invoked", number, attempt, json.dumps(payload, sort_keys=True))
        invocation.green = greenlet(lambda: self._main(invocation), parent=self._hub)
        self._resume(invocation)

    def _function(self, stack_id: str, arn: str) -> Function | None:
        if arn != FUNCTION_ARN:
            return self.functions.get(arn)
        if stack_id not in self._fixed:
            self._fixed[stack_id] = Function(arn, rule_prefix(stack_id), lambda: self._known(stack_id))
        return self._fixed[stack_id]

    def _known(self, stack_id: str) -> list[Any]:
        """Return the policy of a stack without a template; all worlds begin with its deploy."""
        return statements(stack_id) if self.now >= START + self.lateness.policies else []

    def _main(self, invocation: Invocation) -> None:
        environments = invocation.function.warm
        module = environments.pop() if environments else fresh_index()
        try:
            module.handler(json.loads(json.dumps(invocation.event)), Context(self, invocation))
            invocation.ended = "ok"
            environments.append(module)
        except (Exception, Killed) as error:
            invocation.ended = f"{type(error).__name__}: {error}"
            if isinstance(error, Exception):
                environments.append(module)
            if invocation.attempt < len(RETRY_SECONDS):
                again = (invocation.stack_id, invocation.event, invocation.attempt + 1)
                arn = invocation.function.arn
                self.after(RETRY_SECONDS[invocation.attempt], lambda: self.invoke(*again, arn))
        invocation.ended_at = self.now
        self.running -= 1
        self.note("ended", invocation.number, invocation.ended)

    def _resume(self, invocation: Invocation, error: BaseException | None = None) -> None:
        green = invocation.green
        if green is None or green.dead:
            return
        before, self._running = self._running, invocation
        os.environ[Env.RULE_PREFIX] = invocation.function.rule_prefix
        os.environ[Env.STACK_ID] = invocation.stack_id
        try:
            if error is None:
                green.switch()
            else:
                green.throw(error)
        finally:
            self._running = before

    def kill(self, invocation: Invocation) -> None:
        """End an invocation now, as an out-of-memory kill does."""
        self._resume(invocation, Killed("killed"))

    def discard(self) -> None:
        """End every greenlet, so that none outlives the test."""
        for invocation in self.invocations:
            if invocation.green is not None and not invocation.green.dead:
                invocation.attempt = len(RETRY_SECONDS)
                self._resume(invocation, Killed("the world ends"))

    def _calling_stack(self) -> str | None:
        return self._running.stack_id if self._running else None

    def _in_force(self) -> list[Any]:
        return self._running.function.statements() if self._running else []

    # --- call boundaries --------------------------------------------------------------------------------

    def note(self, *what: object) -> None:
        """Write a line into the trace; long texts by their digest."""
        texts = [str(one) for one in what]
        short = (one if len(one) <= 80 else sha256(one.encode()).hexdigest() for one in texts)
        self.trace.append(" ".join((f"{self.now - START:.6f}", *short)))

    def _boundary(self, what: str, content: object, effect: Callable[[], Any]) -> Any:
        invocation = self._running
        if invocation is None:
            return effect()
        number = len(self.calls)
        self.calls.append(Call(invocation.number, what, self.now))
        self.note("call", number, invocation.number, what, content)
        if self.latency:
            self.sleep(self.latency * self.random.random())
        plan = self.kill_at.get(number)
        if plan == "before":
            self.killed += 1
            raise Killed(f"before {what}")
        result = effect()
        # The headers of an answer carry a random request ID.
        self.note("result", number, getattr(result, "status", result), getattr(result, "body", ""))
        if plan == "after":
            self.killed += 1
            raise Killed(f"after {what}")
        if self.latency:
            self.sleep(self.latency * self.random.random())
        return result

    def send(self, request: Any) -> AWSResponse:
        """Carry one of botocore's requests, already serialised and signed."""
        url = urlsplit(request.url)
        headers = {
            key.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for key, value in request.headers.items()
        }
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else bytes(body)
        if url.hostname and url.hostname.startswith("events."):
            what = headers["x-amz-target"].split(".")[-1]
            status, answered = self._boundary(what, content, lambda: self._events(what, json.loads(content)))
            return AWSResponse(request.url, status, {}, Raw(answered))
        target = headers.get("x-amz-target", "").split(".")[-1]
        what = target or f"{request.method} {url.path.rsplit('/', 1)[-1]}"
        asked = Request(request.method, url.path, url.query, headers, content)
        response = self._boundary(what, f"{url.path} ".encode() + content, lambda: self._handle(what, asked))
        if response.cut:
            raise ConnectionClosedError(endpoint_url="https://simulated")
        return AWSResponse(request.url, response.status, response.headers, Raw(response.body))

    def _handle(self, what: str, asked: Request) -> Any:
        faults = self._faults_left()
        response = self._served(what, asked)
        if self._running is not None and self._faults_left() < faults:
            self.struck[self._request_id(self._running)] += 1
        return response

    def _faults_left(self) -> int:
        return sum(fault.times for fault in self.simulator.faults.all())

    @staticmethod
    def _request_id(invocation: Invocation) -> str:
        return str(from_schedule(invocation.event)["RequestId"])

    def _served(self, what: str, asked: Request) -> Any:
        if what.startswith(("GET", "Describe", "List")):
            return self.simulator.handle(asked)
        before = {found["arn"]: found for found in self.control("GET", "models")}
        response = self.simulator.handle(asked)
        last = self.simulator.calls[-1]
        if last.effect and self._running is not None:
            request_id = self._request_id(self._running)
            stack_id = self._running.stack_id
            seen, arn = before.get(last.resource, {}), last.resource
            after = next((one for one in self.control("GET", "models") if one["arn"] == arn), {})
            self.effects.append(
                Effect(self.now, stack_id, request_id, last.operation, arn, seen, asked.body, after)
            )
        return response

    def put_answer(self, host: str, target: str, content: bytes) -> int:
        """Take an answer to CloudFormation; returns the HTTP status."""
        url = f"https://{host}{target}"
        return int(self._boundary("answer", content, lambda: self._answered(url, content)))

    def _answered(self, url: str, content: bytes) -> int:
        fault = self.answer_faults.pop(0) if self.answer_faults else None
        if isinstance(fault, str):
            raise ConnectionResetError(fault)
        if fault is not None:
            return fault
        record = AnswerRecord(self.now, url, json.loads(content))
        self.answers.append(record)
        for listener in list(self.on_answer):
            listener(record)
        return 200

    # --- EventBridge ------------------------------------------------------------------------------------

    def _events(self, operation: str, given: dict[str, Any]) -> tuple[int, bytes]:
        if self.event_faults and self.event_faults[0][0] == operation:
            _, code = self.event_faults.pop(0)
            return 500, json.dumps({"__type": code, "message": "injected"}).encode()
        name = given.get("Name") or given.get("Rule")
        rule = f"arn:aws:events:{REGION}:000000000000:rule/{name}"
        if self.policy and self._running and not self.authorizer.allows(f"events:{operation}", rule):
            return 400, json.dumps({"__type": "AccessDeniedException", "message": operation}).encode()
        return getattr(self, f"_{operation}")(given)  # type: ignore[no-any-return]

    def _PutRule(self, given: dict[str, Any]) -> tuple[int, bytes]:  # noqa: N802
        name = given["Name"]
        if len(name) > 64:
            return 400, json.dumps({"__type": "ValidationException"}).encode()
        if name not in self.rules:
            rule = self.rules[name] = Rule(name, self.now)
            earliest, latest = self.lateness.first_tick
            first = earliest if latest == earliest else self.random.uniform(earliest, latest)
            self.after(first, lambda: self._tick(rule))
        self.rules[name].description = given.get("Description", "")
        return 200, json.dumps({"RuleArn": f"arn:aws:events:{REGION}:000000000000:rule/{name}"}).encode()

    def _PutTargets(self, given: dict[str, Any]) -> tuple[int, bytes]:  # noqa: N802
        rule = self.rules.get(given["Rule"])
        if rule is None:
            return 400, json.dumps({"__type": "ResourceNotFoundException"}).encode()
        for target in given["Targets"]:
            rule.targets[target["Id"]] = {**target, "StackId": self._calling_stack()}
        return 200, b'{"FailedEntryCount":0,"FailedEntries":[]}'

    def _DescribeRule(self, given: dict[str, Any]) -> tuple[int, bytes]:  # noqa: N802
        if given["Name"] not in self.rules:
            return 400, json.dumps({"__type": "ResourceNotFoundException"}).encode()
        found = {"Name": given["Name"], "Description": self.rules[given["Name"]].description}
        return 200, json.dumps(found).encode()

    def _RemoveTargets(self, given: dict[str, Any]) -> tuple[int, bytes]:  # noqa: N802
        rule = self.rules.get(given["Rule"])
        if rule is None:
            return 400, json.dumps({"__type": "ResourceNotFoundException"}).encode()
        for target in given["Ids"]:
            rule.targets.pop(target, None)
        return 200, b'{"FailedEntryCount":0,"FailedEntries":[]}'

    def _DeleteRule(self, given: dict[str, Any]) -> tuple[int, bytes]:  # noqa: N802
        rule = self.rules.get(given["Name"])
        if rule is not None and rule.targets:
            return 400, json.dumps({"__type": "ValidationException", "message": "has targets"}).encode()
        self.rules.pop(given["Name"], None)
        return 200, b"{}"

    def _tick(self, rule: Rule) -> None:
        if self.rules.get(rule.name) is not rule:
            return
        rule.ticks += 1
        functions = [self._function(one["StackId"], one["Arn"]) for one in rule.targets.values()]
        if not any(functions) and (functions or rule.ticks > 60):
            # It would tick for ever, and bring nobody. One that has no target yet may still get one.
            return
        for target in list(rule.targets.values()):
            for delay in self.tick_plan(rule):
                asked = (target["StackId"], json.loads(target["Input"]), 0, target["Arn"])
                self.after(delay, lambda a=asked: self.invoke(*a))  # type: ignore[misc]
        self.after(60.0, lambda: self._tick(rule))

    # --- the model services -----------------------------------------------------------------------------

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Use the simulator's control API."""
        content = json.dumps(body or {}).encode()
        path, _, query = path.partition("?")
        response = self.simulator.handle(Request(method, f"/_simulator/{path}", query, {}, content))
        if response.status >= 300:
            raise AssertionError(response.body.decode())
        return json.loads(response.body) if response.body else None


def fresh_index() -> ModuleType:
    """Return the function's entry module as a new execution environment imports it."""
    spec = importlib.util.find_spec("hosted_model_runtime.index")
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("hosted_model_runtime.index")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Time:
    """The ``time`` module of the code under test."""

    @staticmethod
    def time() -> float:
        return World.current.now

    @staticmethod
    def sleep(seconds: float) -> None:
        World.current.sleep(seconds)


@cache
def _session() -> Any:
    """Return the session of all worlds: what it has loaded is read only."""
    session = botocore.session.get_session()
    data = os.path.join(os.path.dirname(services_module.__file__), "..", "data")
    session.get_component("data_loader").search_paths.append(data)
    return session


@cache
def _client(service: str) -> Any:
    """Return botocore's client of a service, its socket replaced by the current world.

    All worlds share it, for making one takes as long as a short history. What a client remembers is its quota
    of retries, and ours are made to try once: the quota is never asked.
    """
    client = _session().create_client(
        service,
        region_name=REGION,
        # Nothing here checks signatures, and making them is a fifth of the time.
        config=services_module.base.CLIENT_CONFIG.merge(
            Config(signature_version=UNSIGNED, user_agent="tests")
        ),
    )
    _Wire(client)
    return client


#: Those that write marks are hardly ever sent twice: without an end they would fill the memory.
REQUESTS_KEPT = 5000


class _Wire:
    """What botocore's client of the worlds sends with, in place of a socket.

    The worlds ask the same things millions of times, and botocore makes the same request of the same
    parameters each time: that was half of a history's time. So a request is made once and then sent again.
    What comes back is parsed each time, and an error goes all of botocore's way.
    """

    def __init__(self, client: Any) -> None:
        self._client, self._whole = client, client._make_api_call
        self._parser = client._endpoint._response_parser_factory.create_parser(
            client.meta.service_model.resolved_protocol
        )
        self._made: dict[tuple[str, str], Any] = {}
        self._making: dict[greenlet, tuple[str, str]] = {}
        self._come_back: AWSResponse | None = None
        client.meta.events.register("before-send", self._send)
        client._make_api_call = self._call

    def _call(self, operation: str, parameters: dict[str, Any]) -> Any:
        key = operation, repr(parameters)
        request = self._made.get(key)
        if request is None:
            self._making[greenlet.getcurrent()] = key
            return self._whole(operation, parameters)
        response = World.current.send(request)
        if response.status_code >= 300:
            self._come_back = response
            return self._whole(operation, parameters)
        model = self._client.meta.service_model.operation_model(operation)
        return self._parser.parse(convert_to_response_dict(response, model), model.output_shape)

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        if self._come_back is not None:
            response, self._come_back = self._come_back, None
            return response
        if len(self._made) >= REQUESTS_KEPT:
            self._made.clear()
        self._made[self._making.pop(greenlet.getcurrent())] = request
        return World.current.send(request)


@contextmanager
def virtual() -> Iterator[None]:
    """Put the code under test into virtual worlds, and take it out again."""
    saved = (clock_module.time, answer_module._send, resource_module._events)
    clock_module.time = _Time  # type: ignore[assignment]
    answer_module._send = lambda host, target, content: World.current.put_answer(host, target, content)
    resource_module._events = lambda: _client("events")  # type: ignore[assignment]
    adapters = {name: services_module.adapter(name) for name in services_module.ADAPTERS}
    patches = [
        patch.object(adapter, "connect", staticmethod(lambda a=adapter, n=name: a(_client(n))))
        for name, adapter in adapters.items()
    ]
    # Each world has environments of its own, and what they leave is to be collected.
    patches.append(patch("gc.freeze"))
    for one in patches:
        one.start()
    emit, emf_module.emit = emf_module.emit, lambda line: World.current.metrics.append(line)
    sys.modules.setdefault("hosted_model_runtime.index", fresh_index())
    try:
        yield
    finally:
        clock_module.time, answer_module._send, resource_module._events = saved  # type: ignore[assignment]
        emf_module.emit = emit
        for one in patches:
            one.stop()
