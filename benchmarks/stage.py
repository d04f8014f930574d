"""A world in virtual time for each design: the tests' world, with what a benchmark counts in it.

The handlers are real: this project's from ``index.handler`` to botocore's wire format, and those of
``peers/functions``, over crhelper 2.0.12 or by themselves. Time, the network and AWS are those of
``tests/support/world.py``.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import random
import re
import sys
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config

import support.hazards as hazards
import support.world as world_module
from benchmarks import ROOT
from hosted_model_runtime.contract import Env, Tag
from hosted_model_runtime.decisions.marks import Mark, State
from hosted_model_runtime.decisions.polling import LastStart
from hosted_model_runtime.decisions.tokens import fingerprint
from support.cases import LOOKOUTVISION, PROJECT
from support.world import FUNCTION_ARN, START, AnswerRecord, Invocation, Rule, World

#: Mean seconds that a call of the function takes: half on the way there, half on the way back, each drawn
#: evenly from 0 to this. Eight of ten calls take 25 to 85 ms.
LATENCY = 0.055
STACK_ID = f"arn:aws:cloudformation:us-east-1:000000000000:stack/Bench/{uuid.UUID(int=1)}"
SERVICE_QUOTA = 5.0
PEERS = ROOT / "benchmarks" / "peers" / "functions"


class BenchWorld(hazards.HazardWorld):
    """The world; rules tick at their own rate, and it counts what is alive at once."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        # Every call is kept: 200 models make more than the simulator keeps by itself.
        self.simulator.calls = deque()
        self.ends: dict[int, float] = {}
        self.most_rules = self.most_policy_bytes = 0
        self.event_calls: Counter[str] = Counter()

    def _main(self, invocation: Invocation) -> None:
        try:
            super()._main(invocation)
        finally:
            self.ends[invocation.number] = self.now

    def seconds(self, invocation: Invocation) -> float:
        """Return how long an invocation ran."""
        return self.ends[invocation.number] - (invocation.deadline - self.function_seconds)

    def _events(self, operation: str, given: dict[str, Any]) -> tuple[int, bytes]:
        self.event_calls[operation] += 1
        answer = super()._events(operation, given)
        self.most_rules = max(self.most_rules, len(self.rules))
        return answer

    def _policy(self, method: str, path: str, given: dict[str, Any]) -> tuple[int, bytes]:
        answer = super()._policy(method, path, given)
        size = len(json.dumps(list(self.permissions.values())))
        self.most_policy_bytes = max(self.most_policy_bytes, size)
        return answer

    def _PutRule(self, given: dict[str, Any]) -> tuple[int, bytes]:  # noqa: N802
        name = given["Name"]
        if name not in self.rules:
            minutes = re.fullmatch(r"rate\((\d+) minutes?\)", given["ScheduleExpression"])
            if minutes is None:
                raise AssertionError(given["ScheduleExpression"])
            rule = self.rules[name] = Rule(name, self.now)
            every = 60.0 * int(minutes[1])
            self.after(every, lambda: self._tick_every(rule, every))
        self.rules[name].description = given.get("Description", "")
        return 200, json.dumps({"RuleArn": f"arn:aws:events:us-east-1:000000000000:rule/{name}"}).encode()

    def _tick_every(self, rule: Rule, every: float) -> None:
        if self.rules.get(rule.name) is not rule:
            return
        rule.ticks += 1
        for target in list(rule.targets.values()):
            self.invoke(target["StackId"], json.loads(target["Input"]))
        self.after(every, lambda: self._tick_every(rule, every))


@cache
def _session() -> Any:
    found = botocore.session.get_session()
    data = ROOT / "lambda" / "hosted_model_runtime" / "data"
    found.get_component("data_loader").search_paths.append(str(data))
    return found


def _connect() -> Any:
    """Return a client into the current world: one for each environment, as each counts its own retries."""
    client = _session().create_client(
        "lookoutvision",
        region_name="us-east-1",
        # As hosting.connect() makes it, unsigned: nothing here checks signatures.
        config=Config(retries={"mode": "standard", "total_max_attempts": 5}, signature_version=UNSIGNED),
    )
    client.meta.events.register("before-send", lambda request, **_: World.current.send(request))
    return client


@cache
def _hosting() -> Any:
    """Return what the peers' functions share."""
    found: Any = _loaded("hosting", PEERS / "shared" / "hosting.py")
    found.connect = _connect
    return found


def _loaded(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _peer(folder: str, **environment: str) -> ModuleType:
    """Return a peer's function as a new execution environment imports it."""
    with patch.dict(sys.modules, hosting=_hosting()), patch.dict(os.environ, environment):
        return _loaded(folder, PEERS / folder / "index.py")


def crhelper_index(**options: object) -> ModuleType:
    """Return the crhelper peer's module, with these options of its ``CfnResource``."""
    return _peer("with_crhelper", CRHELPER_OPTIONS=json.dumps(options))


def sleeper_index() -> ModuleType:
    """Return the module of the function that sleeps and asks every 5 s."""
    module: Any = _peer("with_sleep")
    module.wait.__defaults__ = (world_module._Time.sleep,)
    module.http = _Http()
    return module


class _Http:
    """``urllib3.PoolManager`` into the current world."""

    def request(self, method: str, url: str, body: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        hazards.Connection(parts.netloc).request(method, f"{parts.path}?{parts.query}", body, headers)


#: What a new execution environment of each design imports; the options are those of peers/designs.py.
INDEXES: dict[str, Callable[[], ModuleType]] = {
    "hosted-model": world_module.fresh_index,
    "crhelper-2min": crhelper_index,
    "crhelper-1min": lambda: crhelper_index(polling_interval=1, log_level="INFO", sleep_on_delete=0),
    "sleeper-5s": sleeper_index,
}


@contextmanager
def stage(
    design: str, *, seed: int, requests_per_second: float | None = SERVICE_QUOTA, models: int = 1
) -> Iterator[BenchWorld]:
    """Put a design into a new world of its own."""
    with ExitStack() as stack:
        # The SDK's own back-off draws from here.
        random.seed(seed)
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, logging.NOTSET)
        stack.enter_context(world_module.virtual())
        # As the construct does at synth.
        stack.enter_context(patch.dict(os.environ, {Env.MODELS: f"lookoutvision={models}"}))
        hazards._replace_what_crhelper_reaches_for(stack)
        world = BenchWorld(seed=seed, latency=LATENCY, requests_per_second=requests_per_second)
        stack.callback(world.discard)
        stack.enter_context(patch.object(world_module, "fresh_index", INDEXES[design]))
        yield world


@dataclass
class Deploy:
    """One model of a stack that CloudFormation creates."""

    world: BenchWorld
    number: int
    start_seconds: float
    #: What the lease of the model remembers: how long its last start took, in seconds, and its spread in
    #: percent. Then this is an update of a stopped model; else a Create.
    remembers: tuple[int, int] = (0, 0)
    answer: AnswerRecord | None = None

    @property
    def url(self) -> str:
        return f"https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/{self.number}"

    def begin(self) -> None:
        """Seed the model, and send the Create."""
        version = str(self.number)
        body: dict[str, Any] = {"status": "TRAINED", "start_seconds": self.start_seconds}
        update: dict[str, Any] = {}
        if self.remembers[0]:
            body["tags"] = self._lease(version)
            update = {"PhysicalResourceId": LOOKOUTVISION.physical_id(version)}
            update["OldResourceProperties"] = LOOKOUTVISION.properties(version, units=2)
        self.world.control("PUT", f"models/{PROJECT}/{version}", body)
        self.world.on_answer.append(self._take)
        date = datetime.fromtimestamp(int(self.world.now), UTC).strftime("%Y%m%dT%H%M%SZ")
        self.world.invoke(
            STACK_ID,
            {
                "RequestType": "Update" if update else "Create",
                **update,
                "RequestId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.world.random.random()}")),
                "StackId": STACK_ID,
                "LogicalResourceId": f"Model{version}",
                "ResourceType": "Custom::HostedModel",
                "ServiceToken": FUNCTION_ARN,
                "ResponseURL": f"{self.url}?X-Amz-Date={date}&X-Amz-Expires=7200",
                "ResourceProperties": {
                    **LOOKOUTVISION.properties(version),
                    # As the peers have it.
                    "ProjectName": PROJECT,
                    "ModelVersion": version,
                },
            },
        )

    def _lease(self, version: str) -> dict[str, str]:
        """Return the tags that an earlier deploy left."""
        declared = fingerprint(LOOKOUTVISION.physical_id(version))
        issued = datetime.fromtimestamp(self.world.now - 86400, UTC)
        mark = Mark(issued, "Create", "earlier", State.DONE, declared, last_start=LastStart(*self.remembers))
        return {Tag.STACK: STACK_ID, Tag.LOGICAL_ID: f"Model{version}", Tag.REQUEST: str(mark)}

    def _take(self, record: AnswerRecord) -> None:
        if self.answer is None and record.url.startswith(f"{self.url}?"):
            self.answer = record

    @property
    def hosted(self) -> float | None:
        """When the model was HOSTED, in seconds since the world began; None: it was not."""
        (found,) = (m for m in self.world.control("GET", "models") if m["version"] == str(self.number))
        times = [at for at, status in found["history"] if status == "HOSTED"]
        return times[0] - START if times else None

    @property
    def answered(self) -> float | None:
        """When CloudFormation was told, in seconds since the world began."""
        return self.answer.time - START if self.answer else None

    @property
    def ok(self) -> bool:
        """Whether it was told that the model is up."""
        return self.answer is not None and self.answer.body["Status"] == "SUCCESS"
