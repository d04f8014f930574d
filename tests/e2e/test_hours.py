"""Hosting hours, by the real cdk command and the local cloud's scheduler: asleep, updated, awake, gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aws_cdk import aws_scheduler as scheduler
from support_apps import lookoutvision, rekognition
from support_stage import Stage, until

from hosted_model import HostingHours

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

VISION, LABELS = "HoursOfVision", "HoursOfLabels"
#: Seconds after the beginning: late enough for the deploy before it on a busy machine.
SLEEP, WAKE = 70, 145


def test_a_model_sleeps_and_wakes_by_its_schedule(stage: Stage, synth) -> None:
    stage.seed("nine-to-five", "1")
    stage.seed("nine-to-five", "v1", service="rekognition")
    arn = stage.model("nine-to-five", "v1", "rekognition").arn
    began = datetime.now(UTC).replace(microsecond=0)

    def at(seconds: int) -> scheduler.ScheduleExpression:
        return scheduler.ScheduleExpression.at(began + timedelta(seconds=seconds))

    hours = HostingHours(start=at(WAKE), stop=at(SLEEP))

    def app(units: int):
        return synth(
            {
                VISION: lookoutvision("nine-to-five", "1", units, hosting_hours=hours),
                LABELS: rekognition(arn, units, hosting_hours=hours),
            }
        )

    def models():
        return [stage.model("nine-to-five"), stage.model("nine-to-five", "v1", "rekognition")]

    def statuses() -> list[str]:
        return [one.status for one in models()]

    def passed() -> float:
        return (datetime.now(UTC) - began).total_seconds()

    assert stage.deploy(app(1), "--concurrency", "2") == 0
    assert passed() < SLEEP, "too slow a machine for these times"
    assert statuses() == ["HOSTED", "RUNNING"]
    assert len(stage.client("scheduler").list_schedules()["Schedules"]) == 4

    until(lambda: statuses() == ["TRAINED", "STOPPED"], seconds=SLEEP + 20, what="asleep")
    assert passed() >= SLEEP
    assert all(one.tags["hosted-model:stack"] for one in models())

    # An update in its sleep does not wake it.
    assert stage.deploy(app(2), "--concurrency", "2") == 0
    assert passed() < WAKE, "too slow a machine for these times"
    assert statuses() == ["TRAINED", "STOPPED"]
    assert [one.starts for one in models()] == [1, 1]
    assert [stage.outputs(name)["Status"] for name in (VISION, LABELS)] == ["TRAINED", "STOPPED"]

    until(lambda: statuses() == ["HOSTED", "RUNNING"], seconds=WAKE, what="awake")
    assert passed() >= WAKE
    assert [(one.starts, one.units) for one in models()] == [(2, 2), (2, 2)]

    assert stage.destroy(app(2)) == 0
    stage.assert_gone("nine-to-five", starts=2)
    stage.assert_gone("nine-to-five", "v1", service="rekognition", starts=2)
    assert stage.client("scheduler").list_schedules()["Schedules"] == []
    assert stage.rules() == []
