"""The command never asks faster than a service allows, and waits when it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hosted_model_cli.aws import Cloud, Kind, ServiceError
from hosted_model_cli.models import AWAKE, in_region
from hosted_model_cli.pace import Pacer
from unit.cli.conftest import REGION, Command


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_no_second_has_more_than_five() -> None:
    time, sent = Time(), []
    pacer = Pacer(time.clock, time.sleep)
    for _ in range(23):
        pacer.wait("api")
        sent.append(time.now)
        time.now += 0.01
    assert all(later - earlier > 1 for earlier, later in zip(sent, sent[5:], strict=False))
    assert sent[4] - sent[0] < 0.1, "the first five need not wait"


def test_each_key_has_its_own() -> None:
    time = Time()
    pacer = Pacer(time.clock, time.sleep)
    for number in range(20):
        pacer.wait(number % 4)
    assert time.slept == []
    pacer.wait(0)
    assert time.slept != []


def test_the_service_never_has_to_refuse(command: Command) -> None:
    time = Time()
    command.simulator._clock = time.clock
    command.simulator.limit_rate(5)
    for number in range(1, 13):
        command.model(f"boards-{number}/1")
        command.model(f"labels-{number}/v1", service="rekognition")
    cloud = Cloud(clock=time.clock, sleep=time.sleep)
    for service in ("lookoutvision", "rekognition"):
        assert len(list(in_region(cloud, REGION, service, AWAKE))) == 12
    assert len(command.simulator.calls) > 70
    assert [one for one in command.simulator.calls if one.error] == []


def test_a_busy_service_is_asked_again_when_it_says(command: Command) -> None:
    time = Time()
    command.model()
    fault = {"operation": "ListProjects", "error": "ThrottlingException", "times": 2, "retry_after": 7}
    command.control("POST", "faults", fault)
    cloud = Cloud(clock=time.clock, sleep=time.sleep)
    assert len(list(in_region(cloud, REGION, "lookoutvision", AWAKE))) == 1
    assert [one for one in time.slept if one >= 7] == [7, 7]


@pytest.mark.parametrize(("code", "kind"), [("AccessDeniedException", Kind.DENIED)])
def test_what_will_not_pass_is_not_asked_again(command: Command, code: str, kind: Kind) -> None:
    time = Time()
    command.control("POST", "faults", {"operation": "ListProjects", "error": code})
    cloud = Cloud(clock=time.clock, sleep=time.sleep)
    with pytest.raises(ServiceError) as raised:
        list(in_region(cloud, REGION, "lookoutvision", AWAKE))
    assert (raised.value.kind, time.slept) == (kind, [])


def test_a_service_that_stays_busy_is_given_up(command: Command) -> None:
    time = Time()
    command.control(
        "POST", "faults", {"operation": "ListProjects", "error": "ThrottlingException", "times": 99}
    )
    cloud = Cloud(clock=time.clock, sleep=time.sleep)
    with pytest.raises(ServiceError):
        list(in_region(cloud, REGION, "lookoutvision", AWAKE))
    assert 3 <= len(time.slept) <= 10
