"""A service from outside the packages: boxes of toys, which are wound up and bill while they dance.

What each package takes of a service is here, in its order of "Add a service"; :func:`register` puts it into
the registries, and the end of the test takes it out again. Nothing else of this project knows the toy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import RemovalPolicy, Stack
from constructs import Construct

from hosted_model.grants import SERVICES as GRANTS
from hosted_model.grants import Read, ServiceGrants
from hosted_model.model import Declaration, HostedModel, OnRunning
from hosted_model_cli.services import REGISTRY, Price, ServiceRow
from hosted_model_local.simulator import Request, Response
from hosted_model_local.simulator.errors import ApiError
from hosted_model_local.simulator.http import json_object, json_response
from hosted_model_local.simulator.models import Lifecycle, SimulatedModel
from hosted_model_local.simulator.registry import SERVICES as SIMULATED
from hosted_model_local.simulator.service import Call, Outcome, Service
from hosted_model_runtime.decisions.model import Observed, Phase, Sighting, Units
from hosted_model_runtime.services import ADAPTERS
from hosted_model_runtime.services.base import CLIENT_CONFIG, Kind, ServiceError, shared_session, sorted_error
from support import policy, world
from support.cases import CASES, PROJECT, ServiceCase

NAME = "toy"
OPERATIONS = ("Describe", "List", "ListTags", "Wind", "Halt", "Tag", "Untag")

# --- the adapter, for the function --------------------------------------------------------------------------

PHASES = {
    "NEW": Phase.STOPPED,
    "WINDING": Phase.STARTING,
    "DANCING": Phase.RUNNING,
    "BROKEN": Phase.FAILED,
    "SLOWING": Phase.STOPPING,
    "STILL": Phase.STOPPED,
}
CODES = {"NoToyException": Kind.ABSENT, "BusyException": Kind.CONFLICT, "AccessDeniedException": Kind.DENIED}


class ToyService:
    name, running, stopped, fenced = NAME, "DANCING", "STILL", True

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def connect(cls) -> ToyService:
        return cls(shared_session().create_client(NAME, config=CLIENT_CONFIG))

    @staticmethod
    def names(model: Mapping[str, str]) -> tuple[str, str]:
        return model["Box"], model["Toy"]

    def physical_id(self, model: Mapping[str, str]) -> str:
        if set(model) != {"Box", "Toy"}:
            raise ValueError(f"Model must have Box and Toy, but it has {sorted(model)}")
        return f"{NAME}/{model['Box']}/{model['Toy']}"

    def describe(self, model: Mapping[str, str]) -> Sighting:
        observed, arn = Observed(Phase.ABSENT, f"toy {model['Box']}/{model['Toy']}"), ""
        try:
            seen = self._call("describe", **model)
        except ServiceError as error:
            if error.kind is not Kind.ABSENT:
                raise
        else:
            phase, arn = PHASES.get(seen["Status"], Phase.UPDATING), seen["Arn"]
            observed = Observed(phase, observed.name, seen["Status"], min_units=seen.get("Units"))
        return Sighting(observed, arn, model["Toy"], model)

    def alternatives(self, model: Mapping[str, str]) -> Iterable[Sighting]:
        return ()

    def start(self, sighting: Sighting, units: Units, token: str) -> None:
        self._call("wind", **sighting.model, Units=units.minimum)

    def stop(self, sighting: Sighting, token: str) -> None:
        self._call("halt", **sighting.model)

    def tags(self, arn: str) -> dict[str, str]:
        return dict(self._call("list_tags", Arn=arn)["Tags"])

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        self._call("tag", Arn=arn, Tags=tags)

    def untag(self, arn: str, keys: Iterable[str]) -> None:
        self._call("untag", Arn=arn, Keys=list(keys))

    def _call(self, operation: str, **given: Any) -> dict[str, Any]:
        try:
            return dict(getattr(self._client, operation)(**given))
        except Exception as error:
            raise sorted_error(error, CODES, f"{NAME}:{operation}") from error


# --- grants and construct -----------------------------------------------------------------------------------


def arn(stack: Stack, project: str, version: str) -> str:
    return stack.format_arn(service=NAME, resource="toy", resource_name=f"{project}/{version}")


def grants(stack: Stack) -> ServiceGrants:
    every = [arn(stack, "*", "*")]
    read = [Read("Read", ["toy:Describe", "toy:ListTags"], every)]
    return ServiceGrants(NAME, "Toy", every, read, "toy:Wind", "toy:Halt", "toy:Tag", "toy:Untag")


class ToyModel(HostedModel):
    METRIC_SERVICE, METRIC_NAMESPACE, METRIC_DIMENSIONS = NAME, "AWS/Toy", ("Box", "Toy")

    def __init__(self, scope: Construct, construct_id: str, *, box: str, toy: str, **given: Any) -> None:
        stack, named = Stack.of(scope), {"Box": box, "Toy": toy}
        declaration = Declaration(grants(stack), named, (box, toy), arn(stack, box, toy))
        super().__init__(scope, construct_id, declaration=declaration, **DEFAULTS | given)


DEFAULTS: dict[str, Any] = dict.fromkeys(("max_inference_units", "hosting_timeout", "hosting_hours"))
DEFAULTS |= {"min_inference_units": 1, "on_running": OnRunning.FAIL, "removal_policy": RemovalPolicy.DESTROY}

# --- the command --------------------------------------------------------------------------------------------


def _named(text: str, pattern: str) -> dict[str, str] | None:
    match = re.fullmatch(pattern, text)
    return {"Box": match[1], "Toy": match[2]} if match else None


def _listed(pages: Any) -> Iterator[tuple[str, Phase]]:
    for page in pages("List"):
        for found in page["Toys"]:
            yield found["Arn"], PHASES[found["Status"]]


ROW = ServiceRow(
    name=NAME,
    title="Toys",
    adapter=ToyService,
    codes=CODES,
    listed=_listed,
    model=lambda text: _named(text, r"arn:aws:toy:[^:]+:\d{12}:toy/(.+)/(.+)"),
    declared=lambda physical_id, _: _named(physical_id, r"toy/(.+)/(.+)"),
    names=ToyService.names,
    prices=(Price("us-east-1", 0.5, "A price list", "2026-11"),),
    regions=("us-east-1",),
)

# --- the simulator ------------------------------------------------------------------------------------------


class Toys(Service):
    name = signing_name = NAME
    endpoint_ids, target_prefix, operations = (NAME,), "Toys.", frozenset(OPERATIONS)
    error_status = {"NoToyException": 404, "BusyException": 409}
    lifecycle = Lifecycle(
        NAME, "arn:{partition}:toy:{region}:{account}:toy/{project}/{version}", frozenset(PHASES),
        trained="NEW", starting="WINDING", running="DANCING", failed="BROKEN", stopping="SLOWING",
        stopped="STILL", startable=frozenset({"NEW", "STILL", "BROKEN"}), stoppable=frozenset({"DANCING"}),
        billed=frozenset({"DANCING"}), unusable=frozenset(), messages={},
    )  # fmt: skip

    @staticmethod
    def is_model_name(project: str, version: str) -> bool:
        return True

    def route(self, request: Request) -> Call:
        payload = json_object(request.body) or {}
        project, version = payload.get("Box", ""), payload.get("Toy", "")
        if "Arn" in payload:
            _, project, version = str(payload["Arn"]).split("/")
        operation = request.headers["x-amz-target"].removeprefix(self.target_prefix)
        return Call(NAME, operation, request, str(project), str(version), payload=payload)

    def resource(self, call: Call) -> str:
        return f"arn:aws:toy:{call.region}:{call.account}:toy/{call.project}/{call.version}"

    def find(self, call: Call, now: float) -> SimulatedModel | None:
        return self._world.models.get((NAME, call.account, call.region, call.project), call.version, now)

    def request_tags(self, call: Call) -> Mapping[str, str | list[str]]:
        given: Any = call.payload
        tags = given.get("Tags", {})
        keys = {"aws:tagkeys": [*tags, *given.get("Keys", [])]} if call.operation in ("Tag", "Untag") else {}
        return keys | {f"aws:requesttag/{key}".lower(): value for key, value in tags.items()}

    def perform(self, call: Call, now: float) -> Outcome:
        given, found = call.payload, self.find(call, now)
        if call.operation == "List":
            return Outcome(200, {"Toys": [_seen(one) for one in self._world.models.all(now) if _is_toy(one)]})
        if found is None:
            raise ApiError("NoToyException", "There is no such toy.")
        if not {"Wind": found.can_start, "Halt": found.can_stop}.get(call.operation, lambda: True)():
            raise ApiError("BusyException", f"The toy is {found.status}.")
        match call.operation, given:
            case "Wind", {"Units": int(units)}:
                found.start(now, units, None)
            case "Halt", _:
                found.stop(now)
            case "Tag", {"Tags": dict(tags)}:
                found.write_tags(found.tags | tags, now)
            case "Untag", {"Keys": list(gone)}:
                found.write_tags({key: said for key, said in found.tags.items() if key not in gone}, now)
            case _:
                return Outcome(200, _seen(found) | {"Tags": self._world.seen_tags(found, now)})
        return Outcome(200, {}, effect=True)

    def success(self, outcome: Outcome) -> Response:
        return json_response(outcome.status, outcome.payload)

    def failure(self, error: ApiError) -> Response:
        return json_response(self.error_status.get(error.code, 400), {"__type": error.code})


def _is_toy(found: SimulatedModel) -> bool:
    return found.lifecycle.service == NAME


def _seen(found: SimulatedModel) -> dict[str, object]:
    return {"Arn": found.arn, "Status": found.status, "Units": found.units}


# --- the tests ----------------------------------------------------------------------------------------------

CASE = ServiceCase(
    name=NAME, stopped="STILL", starting="WINDING", running="DANCING", failed="BROKEN", unready="",
    deleting="", start="Wind", stop="Halt", describe="Describe", passing=("BusyException",), final=(),
    takes_tokens=False,
    model=lambda version: {"Box": PROJECT, "Toy": version},
    physical_id=lambda version: f"{NAME}/{PROJECT}/{version}",
    declare=lambda scope, construct_id, model, **given: ToyModel(
        scope, construct_id, box=model["Box"], toy=model["Toy"], **given
    ),
)  # fmt: skip


def _members(**types: str) -> dict[str, Any]:
    return {name: {"shape": shape} for name, shape in types.items()}


#: botocore's description of the service: every operation takes and returns any of the members.
API = {
    "metadata": {
        "apiVersion": "2026-01-01", "endpointPrefix": NAME, "jsonVersion": "1.1", "protocol": "json",
        "serviceFullName": "Toys", "serviceId": "Toy", "signatureVersion": "v4", "targetPrefix": "Toys",
    },
    "operations": {
        name: {"name": name, "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "Any"},
               "output": {"shape": "Any"}} for name in OPERATIONS
    },
    "shapes": {
        "Any": {"type": "structure", "members": _members(
            Box="Text", Toy="Text", Arn="Text", Status="Text", Units="Number", Tags="Tags", Keys="Texts",
            Toys="Toys")},
        "Text": {"type": "string"},
        "Number": {"type": "integer"},
        "Texts": {"type": "list", "member": {"shape": "Text"}},
        "Toys": {"type": "list", "member": {"shape": "Any"}},
        "Tags": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
    },
}  # fmt: skip


def register(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """Put the toy into every registry, and take it out again; ``folder`` is for botocore's description."""
    described = folder / NAME / "2026-01-01" / "service-2.json"
    described.parent.mkdir(parents=True)
    described.write_text(json.dumps(API))
    monkeypatch.setenv("AWS_DATA_PATH", str(folder))
    monkeypatch.setitem(ADAPTERS, NAME, "support.toy:ToyService")
    monkeypatch.setitem(REGISTRY, NAME, ROW)
    monkeypatch.setitem(CASES, NAME, CASE)
    GRANTS.append(grants)
    SIMULATED.append(Toys)
    _forget()
    yield
    GRANTS.remove(grants)
    SIMULATED.remove(Toys)
    _forget()


def _forget() -> None:
    """What the worlds of other tests have in common knows no toy, and must not know it later."""
    for kept in (policy.template, policy.statements, policy.rule_prefix, world._session, world._client):
        kept.cache_clear()
