"""Plain crhelper 2.0.12 and this project's resource, side by side in the same virtual world.

Plain crhelper is the real code with handlers as its README shows them. What it reaches for beyond the world
of ``world.py`` is met by the same fakes for both: Lambda's policy API, the connection that carries an answer,
``threading.Timer`` and ``time.sleep``.
"""

from __future__ import annotations

import json
import logging
import random
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import botocore.session
import crhelper.resource_helper
import crhelper.utils
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from crhelper import CfnResource
from greenlet import greenlet

import hosted_model_runtime.cloudformation.answer as answer_module
import support.world as world_module
from hosted_model_runtime.services.base import CLIENT_CONFIG
from support.cases import LOOKOUTVISION, PROJECT
from support.cloudformation import Sent, Stack
from support.policy import REGION
from support.world import FUNCTION_ARN, Killed, Raw, World, virtual

#: "Function resource-based policy: 20 KB" (Lambda quotas, AWS Lambda Developer Guide).
POLICY_BYTES = 20 * 1024
IDENTITY = LOOKOUTVISION.physical_id("1")
PLAIN, OURS = "plain", "ours"
# virtual() replaces this one; here the connection below it is what is replaced.
_send = answer_module._send


@dataclass(frozen=True)
class Finding:
    """Whether a property held, and what was seen."""

    held: bool
    observed: str


class HazardWorld(World):
    """The world, with what only plain crhelper asks of it and with the faults of the hazards."""

    def __init__(self, **given: Any) -> None:
        super().__init__(policy=False, **given)
        self.rule_names: list[str] = []
        self.permissions: dict[str, dict[str, Any]] = {}
        self.policy_calls: list[str] = []
        self.refused: dict[str, list[str]] = {}
        self.stall_after: float | None = None
        self.unreachable = False
        self.hanging = 0
        self.timers = 0
        self.answer_bytes: list[int] = []

    # --- AWS --------------------------------------------------------------------------------------------

    def send(self, request: Any, read_timeout: float = CLIENT_CONFIG.read_timeout) -> AWSResponse:
        url = urlsplit(request.url)
        if (url.hostname or "").startswith("lambda."):
            content = json.loads(request.body or b"{}")
            status, body = self._boundary(
                "policy", content, lambda: self._policy(request.method, url.path, content)
            )
            return AWSResponse(request.url, status, {}, Raw(body))
        if self.stall_after is not None and self.now >= self.stall_after:
            self.stall_after = None
            self.sleep(read_timeout)
            raise ReadTimeoutError(endpoint_url="https://simulated")
        return super().send(request)

    def _policy(self, method: str, path: str, given: dict[str, Any]) -> tuple[int, bytes]:
        operation = "RemovePermission" if method == "DELETE" else "AddPermission"
        self.policy_calls.append(operation)
        if refusal := self._refusal(operation):
            return refusal
        if operation == "RemovePermission":
            self.permissions.pop(unquote(path.rsplit("/", 1)[-1]), None)
            return 204, b""
        statement = {
            "Sid": given["StatementId"],
            "Effect": "Allow",
            "Principal": {"Service": given["Principal"]},
            "Action": given["Action"],
            "Resource": FUNCTION_ARN,
            "Condition": {"ArnLike": {"AWS:SourceArn": given["SourceArn"]}},
        }
        made = {**self.permissions, given["StatementId"]: statement}
        if len(json.dumps(list(made.values()))) > POLICY_BYTES:
            return _error("PolicyLengthExceededException")
        self.permissions = made
        return 201, json.dumps({"Statement": json.dumps(statement)}).encode()

    def _events(self, operation: str, given: dict[str, Any]) -> tuple[int, bytes]:
        if refusal := self._refusal(operation):
            return refusal
        if operation == "PutRule" and given["Name"] not in self.rule_names:
            self.rule_names.append(given["Name"])
        return super()._events(operation, given)

    def _refusal(self, operation: str) -> tuple[int, bytes] | None:
        codes = self.refused.get(operation)
        return _error(codes.pop(0)) if codes else None

    # --- the answer -------------------------------------------------------------------------------------

    def take(self, host: str, target: str, content: bytes, timeout: float | None) -> int:
        """Take an answer as the endpoint is now: well, hanging or out of reach."""
        if self.unreachable:
            raise ConnectionRefusedError
        if self.hanging:
            self.hanging -= 1
            self.sleep(1e9 if timeout is None else timeout)
            raise TimeoutError
        return self.put_answer(host, target, content)

    def _answered(self, url: str, content: bytes) -> int:
        self.answer_bytes.append(len(content))
        return super()._answered(url, content)

    # --- threads ----------------------------------------------------------------------------------------

    def start_timer(self, seconds: float, action: Callable[[], Any], cancelled: Callable[[], bool]) -> None:
        """Run something beside the invocation, in the same process: it ends when that ends."""
        self.timers += 1
        owner = self._running
        assert owner is not None

        def fire() -> None:
            if cancelled() or owner.green is None or owner.green.dead:
                return
            thread = replace(owner)
            thread.green = greenlet(lambda: _ignoring(action), parent=self._hub)
            self._resume(thread)

        self.after(seconds, fire)


def _ignoring(action: Callable[[], Any]) -> None:
    # A thread's end, however bad, is not its process's.
    try:
        action()
    except (Exception, Killed):
        return


def _error(code: str) -> tuple[int, bytes]:
    return 400, json.dumps({"__type": code, "message": "injected", "Message": "injected"}).encode()


class Connection:
    """``http.client.HTTPSConnection`` into the current world."""

    def __init__(self, host: str, timeout: float | None = None, context: Any = None) -> None:
        self._host, self._timeout, self._status = host, timeout, 0

    def request(self, method: str, url: str, body: str | bytes, headers: dict[str, str]) -> None:
        content = body.encode() if isinstance(body, str) else body
        world = World.current
        assert isinstance(world, HazardWorld)
        self._status = world.take(self._host, url, content, self._timeout)

    def getresponse(self) -> Any:
        return SimpleNamespace(status=self._status, reason=str(self._status))

    def close(self) -> None: ...


class Timer:
    """``threading.Timer`` in virtual time."""

    def __init__(self, interval: float, function: Callable[[], Any]) -> None:
        self._interval, self._function, self._cancelled = interval, function, False

    def start(self) -> None:
        world = World.current
        assert isinstance(world, HazardWorld)
        world.start_timer(self._interval, self._function, lambda: self._cancelled)

    def cancel(self) -> None:
        self._cancelled = True


@cache
def _client(service: str) -> Any:
    """Return a client with the SDK's own defaults, into the current world."""
    session = botocore.session.get_session()
    data = world_module.services_module.base.__file__.rsplit("/services/", 1)[0] + "/data"
    session.get_component("data_loader").search_paths.append(data)
    client = session.create_client(
        service, region_name=REGION, aws_access_key_id="AKIATEST", aws_secret_access_key="secret"
    )
    timeout = client.meta.config.read_timeout

    def carry(request: Any, **_: Any) -> AWSResponse:
        world = World.current
        assert isinstance(world, HazardWorld)
        return world.send(request, timeout)

    client.meta.events.register("before-send", carry)
    return client


def plain_index(*, returns_true: bool = False) -> Any:
    """Return a function as crhelper's README teaches to write one: idempotent, one identity throughout."""
    helper = CfnResource(polling_interval=1)
    models = _client("lookoutvision")

    def known(event: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        name = event["ResourceProperties"]["Model"]
        return name, models.describe_model(**name)["ModelDescription"]

    def identity(event: dict[str, Any]) -> str:
        name = event["ResourceProperties"]["Model"]
        return f"lookoutvision/{name['ProjectName']}/{name['ModelVersion']}"

    @helper.create
    @helper.update
    def start(event: dict[str, Any], _: Any) -> str:
        name, found = known(event)
        if found["Status"] in ("TRAINED", "HOSTING_FAILED"):
            models.start_model(
                **name, MinInferenceUnits=int(event["ResourceProperties"]["MinInferenceUnits"])
            )
        return identity(event)

    @helper.poll_create
    @helper.poll_update
    def poll_start(event: dict[str, Any], _: Any) -> str | bool | None:
        _name, found = known(event)
        before = helper.Data.get("Status")
        helper.Data.update(Status=found["Status"], StatusMessage=found.get("StatusMessage", ""))
        if found["Status"] == "HOSTING_FAILED":
            raise RuntimeError(f"{identity(event)} is HOSTING_FAILED: {found.get('StatusMessage')}")
        if found["Status"] == "TRAINED" and before == "STARTING_HOSTING":
            raise RuntimeError(f"{identity(event)} was stopped by somebody else while it was starting")
        if found["Status"] != "HOSTED":
            return None
        return True if returns_true else identity(event)

    @helper.delete
    def stop(event: dict[str, Any], _: Any) -> str:
        name, found = known(event)
        if found["Status"] == "HOSTED":
            models.stop_model(**name)
        return identity(event)

    @helper.poll_delete
    def poll_stop(event: dict[str, Any], _: Any) -> str | None:
        return identity(event) if known(event)[1]["Status"] == "TRAINED" else None

    return SimpleNamespace(handler=helper, helper=helper)


class _Lines(logging.Handler):
    """Every line that would be in the function's log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@dataclass
class Side:
    """One of the two, its world, and one stack."""

    name: str
    world: HazardWorld
    log: list[str]
    stack: Stack
    cold_start: list[Callable[[Any], None]] = field(default_factory=list)

    def seed(self, version: str = "1", **given: Any) -> None:
        """Make a model that is trained, and that takes 40 s to start."""
        body = {"status": "TRAINED", "start_seconds": 40, "stop_seconds": 10, **given}
        self.world.control("PUT", f"models/{PROJECT}/{version}", body)

    def model(self) -> dict[str, Any]:
        """Return the model as the simulator knows it."""
        return next(m for m in self.world.control("GET", "models") if m["version"] == "1")

    def create(self, hours: float = 2, timeout: int = 3600, deliveries: int = 1) -> Sent:
        """Create the resource, and let time pass."""
        properties = LOOKOUTVISION.properties("1", HostingTimeoutSeconds=timeout)
        sent = self.stack.send("Create", properties, deliveries=deliveries)
        self.world.run(seconds=3600 * hours)
        return sent

    def again(self, kind: str, hours: float = 2) -> Sent:
        """Send another request for the same resource with the same properties."""
        same = LOOKOUTVISION.properties("1")
        old = same if kind == "Update" else None
        sent = self.stack.send(kind, same, physical_id=IDENTITY, old=old)
        self.world.run(seconds=3600 * hours)
        return sent

    def warm(self) -> Any:
        """Return the function's module as it waits for the next event."""
        return self.world._function(self.stack.id, FUNCTION_ARN).warm[0]


@contextmanager
def side(name: str, *, returns_true: bool = False, **world: Any) -> Iterator[Side]:
    """Put plain crhelper or this project's resource into a new world.

    Parameters
    ----------
    name
        ``plain`` or ``ours``.
    returns_true
        Plain crhelper's polls return True, as its README shows, instead of the identity.
    """
    lines, root = _Lines(), logging.getLogger()
    levels = {
        logger: logger.level for logger in map(logging.getLogger, ("", "crhelper", "boto3", "botocore"))
    }
    ours = world_module.fresh_index
    with ExitStack() as stack:
        stack.enter_context(virtual())
        _replace_what_crhelper_reaches_for(stack)
        made = HazardWorld(**{"latency": 0.02, **world})
        stack.callback(made.discard)
        root.addHandler(lines)
        # As in a new process: what ran before may have quietened one of them.
        for logger in levels:
            logger.setLevel(logging.WARNING if logger is root else logging.NOTSET)
        stack.callback(lambda: [logger.setLevel(level) for logger, level in levels.items()])
        stack.callback(root.removeHandler, lines)
        found = Side(name, made, lines.lines, Stack(made, LOOKOUTVISION))

        def fresh() -> Any:
            module = plain_index(returns_true=returns_true) if name == PLAIN else ours()
            for change in found.cold_start:
                change(module)
            return module

        stack.enter_context(patch.object(world_module, "fresh_index", fresh))
        yield found


def _replace_what_crhelper_reaches_for(stack: ExitStack) -> None:
    helper, utils, clock = crhelper.resource_helper, crhelper.utils, world_module._Time
    sdk = SimpleNamespace(client=lambda service, **_: _client(service))
    for module, name, stand_in in (
        (answer_module, "_send", _send),
        (answer_module, "HTTPSConnection", Connection),
        (utils, "HTTPSConnection", Connection),
        (utils, "time", clock),
        # Which prefix a real stack would give its rules is nothing to these scenarios.
        (world_module, "rule_prefix", lambda stack_id: "hosted-model-"),
        (helper, "threading", SimpleNamespace(Timer=Timer)),
        (helper, "boto3", sdk),
        (helper, "random", random.Random(0)),
        (botocore.endpoint, "time", clock),
        # Bound when the class was made, so that its module's name is not looked up any more.
        (CfnResource._wait_for_cwlogs, "__defaults__", (clock.sleep,)),
    ):
        stack.enter_context(patch.object(module, name, stand_in))


def masked(text: str) -> str:
    """Return a text whose random parts are shown as such."""
    return re.sub(r"((?:Model|Resource)_?)[A-Z0-9]{8}\b", r"\1<random>", text)


def told(sent: Sent) -> str:
    """Say what CloudFormation was told, answer by answer."""
    if not sent.answers:
        return "never answered"
    return ", then ".join(_answer(record.body) for record in sent.answers)


def _answer(body: dict[str, Any]) -> str:
    reason = body["Reason"]
    shown = f" (“{reason if len(reason) <= 110 else reason[:110] + '…'}”)" if reason else ""
    return masked(f"answered {body['Status']}{shown}, physical ID '{body['PhysicalResourceId']}'")
