"""The function's metrics, through ``index.handler``, over CloudFormation's own sequences."""

from __future__ import annotations

import json
from typing import Any

import pytest

import hosted_model_runtime.invocation.emf as emf_module
from hosted_model_runtime.contract import Metric
from support.cases import LOOKOUTVISION, PROJECT, ServiceCase
from support.cloudformation import Script, Stack, play
from support.models import seed
from support.world import World

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.fixture
def world() -> Any:
    made = World(latency=0.02)
    yield made
    made.discard()


def done(world: World, script: Script) -> None:
    """Play a script to its end; the function goes on for a moment once it has answered."""
    play(world, script)
    world.run(seconds=5)


def measured(world: World, case: ServiceCase) -> list[tuple[str, str, int, str]]:
    """Name, version, value and reason of every line so far, to whole minutes of seconds."""
    found = []
    for line in map(json.loads, world.metrics):
        (metric,) = line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        assert (line["Service"], line["Project"]) == (case.name, case.project)
        assert line["_aws"]["Timestamp"] <= world.now * 1000
        value = line[metric["Name"]]
        whole = round(value / 60) if metric["Unit"] == "Seconds" else value
        found.append((metric["Name"], line["Version"], whole, line.get("Reason", "")))
    return found


def waits(case: ServiceCase) -> int:
    """Minutes that a claim of what nobody owned takes where nothing fences it, rounded up."""
    return 0 if case.fenced else 3


def test_a_life(world: World, case: ServiceCase) -> None:
    seed(world, case, start_seconds=300)
    stack = Stack(world, case)
    done(world, stack.create(case.properties("1")))
    assert measured(world, case) == [("TimeToHosted", "1", 5 + waits(case), "")]
    world.run(seconds=3600)
    done(world, stack.delete())
    assert measured(world, case)[1:] == [("HostingSeconds", "1", 60, "")]


def test_a_start_that_the_relay_carries_is_measured_once(world: World, case: ServiceCase) -> None:
    seed(world, case, start_seconds=3000)
    stack = Stack(world, case)
    done(world, stack.create(case.properties("1")))
    assert len(world.invocations) > 2
    assert measured(world, case) == [("TimeToHosted", "1", 50 + waits(case), "")]


def test_a_stop_that_the_relay_carries_is_measured_once(world: World, case: ServiceCase) -> None:
    seed(world, case, stop_seconds=2000)
    stack = Stack(world, case)
    done(world, stack.create(case.properties("1")))
    world.run(seconds=7200)
    done(world, stack.delete())
    world.run(seconds=5)
    # It ends when it is told to stop, not when it has stopped.
    assert measured(world, case)[1:] == [("HostingSeconds", "1", 120, "")]


def test_a_stop_whose_response_is_lost_is_measured(world: World, case: ServiceCase) -> None:
    seed(world, case)
    stack = Stack(world, case)
    done(world, stack.create(case.properties("1")))
    world.control("POST", "faults", {"operation": case.stop, "lose_response": True})
    world.run(seconds=600)
    done(world, stack.delete())
    assert measured(world, case)[1:] == [("HostingSeconds", "1", 10, "")]


def test_an_update_that_starts_nothing_has_no_time_to_hosted(world: World, case: ServiceCase) -> None:
    seed(world, case)
    stack = Stack(world, case)
    done(world, stack.create(case.properties("1")))
    world.run(seconds=600)
    done(world, stack.update(case.properties("1", HostingTimeoutSeconds=1800)))
    assert stack.status == "UPDATE_COMPLETE"
    assert [name for name, *_ in measured(world, case)] == ["TimeToHosted"]


def test_a_change_of_units_ends_one_hosting_and_begins_another_unless_it_is_in_place(
    world: World, case: ServiceCase
) -> None:
    seed(world, case)
    stack = Stack(world, case)
    done(world, stack.create(case.properties("1")))
    world.run(seconds=600)
    done(world, stack.update(case.properties("1", 2)))
    again = [("HostingSeconds", "1", 10, ""), ("TimeToHosted", "1", 1, "")]
    assert measured(world, case)[1:] == ([] if case.resize else again)


def test_a_model_that_nobody_here_hosted_has_no_hours(world: World, case: ServiceCase) -> None:
    seed(world, case)
    stack = Stack(world, case)
    done(world, stack.create(case.properties("1")))
    world.control("PUT", f"models/{PROJECT}/1", {"service": case.name, "status": case.stopped})
    done(world, stack.delete())
    # It was stopped already: since when, nobody here knows.
    assert [name for name, *_ in measured(world, case)] == ["TimeToHosted"]


def test_a_superseded_create(world: World, case: ServiceCase) -> None:
    seed(world, case, start_seconds=300)
    stack = Stack(world, case)
    done(world, stack.create(case.properties("1"), interrupt=60))
    # Far from the end it looks rarely, and it waits until the Delete is over.
    world.run(seconds=300)
    assert ("SupersededRequests", "1", 1, "") in measured(world, case)


@pytest.mark.parametrize(
    ("reason", "given", "properties"),
    [
        (Metric.TIMEOUT, {"start_seconds": 320}, {"HostingTimeoutSeconds": 300}),
        (Metric.INVALID, {}, {"MinInferenceUnits": 0}),
        (Metric.INVALID, {"status": "unready"}, {}),
        (Metric.HOSTING_FAILED, {"start_outcome": "failed"}, {}),
        (Metric.FOREIGN, {"status": "running"}, {}),
    ],
)
def test_a_failure_by_its_reason(
    world: World, case: ServiceCase, reason: str, given: dict[str, Any], properties: dict[str, Any]
) -> None:
    # A status is named by the case's word for it.
    seed(
        world,
        case,
        **{key: getattr(case, value) if isinstance(value, str) else value for key, value in given.items()},
    )
    stack = Stack(world, case)
    done(world, stack.create(case.properties("1", **properties)))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert ("HostingFailures", "1", 1, reason) in measured(world, case)


@pytest.mark.parametrize(
    ("error", "reason"),
    [("ServiceQuotaExceededException", Metric.QUOTA), ("AccessDeniedException", Metric.DENIED)],
)
def test_what_the_service_refuses(world: World, error: str, reason: str) -> None:
    seed(world, LOOKOUTVISION)
    world.control("POST", "faults", {"operation": "StartModel", "error": error, "times": 1000})
    stack = Stack(world, LOOKOUTVISION)
    done(world, stack.create(LOOKOUTVISION.properties("1")))
    assert ("HostingFailures", "1", 1, reason) in measured(world, LOOKOUTVISION)


def test_latest_is_measured_by_its_number(world: World) -> None:
    seed(world, LOOKOUTVISION, "1")
    seed(world, LOOKOUTVISION, "2")
    stack = Stack(world, LOOKOUTVISION)
    done(world, stack.create(LOOKOUTVISION.properties("latest")))
    done(world, stack.delete())
    found = measured(world, LOOKOUTVISION)
    assert [(name, version) for name, version, *_ in found] == [
        ("TimeToHosted", "2"),
        ("HostingSeconds", "2"),
    ]


def test_what_goes_wrong_with_a_metric_changes_no_answer(
    world: World, case: ServiceCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: str) -> None:
        raise OSError("standard output is closed")

    monkeypatch.setattr(emf_module, "emit", broken)
    seed(world, case)
    stack = Stack(world, case)
    done(world, stack.create(case.properties("1")))
    done(world, stack.delete())
    assert stack.status == "DELETED"
    assert [one.ended for one in world.invocations] == ["ok", "ok"]
