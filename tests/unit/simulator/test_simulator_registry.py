"""A service from outside the package, in one registry with ours: dispatch, quotas, faults, control API."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest

from hosted_model_local.simulator import Request, Response, Simulator
from hosted_model_local.simulator.errors import ApiError
from hosted_model_local.simulator.http import json_object, json_response
from hosted_model_local.simulator.models import Lifecycle, SimulatedModel
from hosted_model_local.simulator.registry import SERVICES
from hosted_model_local.simulator.service import Call, Outcome, Service


class Toys(Service):
    """Hosts toys: ``X-Amz-Target: Toys.Wind | Toys.Look`` with ``{"Toy": "box/name"}``."""

    name = "toys"
    signing_name = "toy-signer"
    endpoint_ids = ("toys", "toys-runtime")
    target_prefix = "Toys."
    lifecycle = Lifecycle(
        service="toys",
        arn_format="arn:{partition}:toys:{region}:{account}:toy/{project}/{version}",
        statuses=frozenset({"NEW", "WINDING", "RUNNING", "BROKEN", "SLOWING", "STILL"}),
        trained="NEW", starting="WINDING", running="RUNNING", failed="BROKEN",
        stopping="SLOWING", stopped="STILL",
        startable=frozenset({"NEW", "STILL"}), stoppable=frozenset({"RUNNING"}),
        billed=frozenset({"RUNNING"}), unusable=frozenset(), messages={},
    )  # fmt: skip
    operations = frozenset({"Wind", "Look"})
    unmetered = frozenset({"Look"})
    error_status: ClassVar[dict[str, int]] = {"ToyBrokenException": 418}
    quotas: ClassVar[dict[str, int | None]] = {"max_toys": 1}

    @staticmethod
    def is_model_name(project: str, version: str) -> bool:
        return version != "lion"

    def route(self, request: Request) -> Call:
        operation = request.headers.get("x-amz-target", "").removeprefix(self.target_prefix)
        if operation not in self.operations:
            raise ApiError("UnknownOperationException", "no")
        project, _, version = str((json_object(request.body) or {}).get("Toy")).partition("/")
        return Call(self.name, operation, request, project=project, version=version)

    def resource(self, call: Call) -> str:
        return f"arn:aws:toys:{call.region}:{call.account}:toy/{call.project}/{call.version}"

    def find(self, call: Call, now: float) -> SimulatedModel | None:
        return self._world.models.get((self.name, call.account, call.region, call.project), call.version, now)

    def perform(self, call: Call, now: float) -> Outcome:
        toy = self.find(call, now)
        if toy is None:
            raise ApiError("NoToyException", "There is no such toy.")
        if call.operation == "Wind":
            running = self._world.models.active(self.name, call.account, call.region, now)
            if len(running) >= (self._world.limits.count("max_toys", call.account) or 99):
                raise ApiError("TooManyToysException", "One at a time.")
            toy.start(now, 1, None)
        return Outcome(200, {"Toy": toy.status}, effect=call.operation == "Wind")

    def success(self, outcome: Outcome) -> Response:
        return json_response(outcome.status, outcome.payload)

    def failure(self, error: ApiError) -> Response:
        return json_response(self.error_status.get(error.code, 400), {"__type": error.code})


@pytest.fixture
def toys(make_bench):
    bench = make_bench({"services": (*SERVICES, Toys), "requests_per_second": 1})
    for name in ("bear", "duck"):
        bench.put(f"box/{name}", service="toys", start_seconds=5)
    return bench


def toy(bench, operation, name="bear", **headers):
    return bench.send(
        "POST", "/", {"Toy": f"box/{name}"}, headers={"x-amz-target": f"Toys.{operation}", **headers}
    )


def test_it_is_called_by_its_target_and_lives(toys):
    assert toy(toys, "Wind").json == {"Toy": "WINDING"}
    toys.now += 10
    assert toy(toys, "Look").json == {"Toy": "RUNNING"}
    seen = toys.model("box/bear", query="service=toys")
    assert (seen["starts"], seen["billed_unit_seconds"]) == (1, 5.0)
    assert seen["arn"] == "arn:aws:toys:us-east-1:000000000000:toy/box/bear"
    assert toys.calls()[0] | {"time": 0} == {
        "time": 0, "service": "toys", "operation": "Wind", "resource": seen["arn"], "client_token": None,
        "http_status": 200, "error": None, "effect": True, "principal": None, "response_lost": False,
    }  # fmt: skip


def test_its_quotas_faults_names_and_lag_are_known(toys):
    assert toys.control("GET", "quota")["max_toys"] == 1
    assert [toy(toys, "Look").status for _ in range(3)] == [200] * 3, "not metered"
    assert toy(toys, "Wind").status == 200
    toys.now += 1
    assert toy(toys, "Wind", "duck").error == "TooManyToysException"
    toys.control("PUT", "quota", {"max_toys": None})
    toys.fault("Wind", error="ToyBrokenException")
    toys.now += 1
    assert toy(toys, "Wind", "duck").status == 418
    known = sorted([*(one.name for one in SERVICES), "toys"])
    assert toys.control("GET", "health")["services"] == known
    toys.control("PUT", "models/box/lion", {"service": "toys"}, expect=400)
    assert (
        toys.control("PUT", "tags", {"service": "toys", "tag_lag_seconds": 1})["toys"]["tag_lag_seconds"] == 1
    )


def test_an_error_of_another_service_is_none_of_its_own(toys):
    toys.control("POST", "faults", {"operation": "Wind", "error": "ConflictException"}, expect=400)
    toys.control("POST", "faults", {"operation": "StartModel", "error": "ToyBrokenException"}, expect=400)


def signed(service: str) -> dict[str, str]:
    scope = f"AKIA/20260101/us-east-1/{service}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}


def test_the_signature_says_whose_a_request_is(toys):
    assert toy(toys, "Look", **signed("toy-signer")).status == 200
    refused = toy(toys, "Look", **signed("rekognition"))
    assert (refused.status, refused.error) == (400, "UnknownOperationException")
    toys.put()
    assert toys.describe(headers=signed("lookoutvision")).status == 200
    assert toys.describe(headers=signed("toy-signer")).error == "UnknownOperationException"


@pytest.mark.parametrize("service", ["s3", "personalize-of-tomorrow"])
def test_a_service_that_is_not_there_answers_for_no_other(bench, service):
    bench.put()
    for answer in (
        bench.describe(headers=signed(service)),
        bench.rekognition("StartProjectVersion", {}, signed(service)),
    ):
        assert answer.error == "UnknownOperationException"


def test_without_a_signature_target_and_path_suffice(bench):
    bench.put()
    assert bench.describe().status == 200
    assert bench.rekognition("DescribeProjects", {}).status == 200
    answer = bench.send("POST", "/", {}, headers={"x-amz-target": "Toys.Wind"})
    assert (answer.status, answer.error) == (400, "UnknownOperationException")
    assert bench.send("GET", "/other").status == 404


def test_what_each_service_must_bring():
    simulator = Simulator()
    assert list(simulator.services) == [kind.name for kind in SERVICES]
    for kind in SERVICES:
        life = kind.lifecycle
        assert {
            life.trained,
            life.starting,
            life.running,
            life.failed,
            life.stopping,
            life.stopped,
        } <= life.statuses
        assert kind.unmetered < kind.operations
        health = simulator.handle(Request("GET", "/_simulator/quota", "", {}))
        assert kind.quotas.items() <= json.loads(health.body).items()
