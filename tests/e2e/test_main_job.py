"""The main job, by the real cdk command: host, ask, resize, swap, fail and roll back, destroy."""

from __future__ import annotations

from pathlib import Path

import pytest
from support_apps import Fill, lookoutvision, personalize, rekognition
from support_stage import CHECKOUT, Stage

from hosted_model_local.demo_services import SERVICES, ServiceScript

pytestmark = pytest.mark.e2e

STACK = "HostedModels"


def declared(stage: Stage, script: ServiceScript, version: str, units: int) -> Fill:
    """What the sample app declares for this context."""
    if script.service == "rekognition":
        return rekognition(stage.model(script.project, version, script.service).arn, units)
    if script.service == "personalize":
        return personalize(stage.model(script.project, version, script.service).arn, units)
    return lookoutvision(script.project, version, units)


@pytest.mark.parametrize("service", SERVICES)
def test_a_models_whole_life(stage: Stage, synth, tmp_path: Path, service: str) -> None:
    script = SERVICES[service]
    project, (first, second, third) = script.project, script.versions
    for version in script.versions:
        outcome = script.failed if version == third else script.running
        stage.seed(project, version, service=service, start_outcome=outcome)

    def model(version: str):
        return stage.model(project, version, service)

    def deploy(version: str, units: int) -> int:
        return stage.deploy(synth({STACK: declared(stage, script, version, units)}))

    # Deploy the sample app, as a person does.
    context = [f"{name}={value}" for name, value in script.context(model(first)).items()]
    words = [part for one in context for part in ("-c", one)]
    run = stage.start(
        *("deploy", "--require-approval", "never", "--output", str(tmp_path / "cdk.out"), *words),
        cwd=CHECKOUT,
    )
    assert run.wait() == 0
    hosted = model(first)
    assert (hosted.status, hosted.units, hosted.starts) == (script.running, 1, 1)
    outputs = stage.outputs(STACK)
    assert outputs.pop("HostedAt")
    assert outputs == {"ModelArn": hosted.arn, "ModelVersion": first, "Status": script.running}

    answer = {"lookoutvision": "IsAnomalous", "rekognition": "CustomLabels", "personalize": "itemList"}
    assert answer[service] in stage.infer(hosted)

    # Other units: the same resource, stopped and started again, or changed while it serves.
    starts = 1 if script.in_place else 2
    assert deploy(first, 2) == 0
    assert (model(first).status, model(first).units, model(first).starts) == (script.running, 2, starts)
    assert not script.in_place or model(first).history == hosted.history

    # Another version: the new one is up before the old one stops.
    assert deploy(second, 2) == 0
    assert (model(second).status, model(second).units, model(second).starts) == (script.running, 2, 1)
    stage.assert_gone(project, first, service=service, starts=starts)
    up = next(at for at, status in model(second).history if status == script.running)
    down = next(at for at, status in reversed(model(first).history) if status.startswith("STOP"))
    assert up <= down

    # A version that cannot be hosted: the deploy fails, and the earlier one never noticed.
    before = model(second)
    assert deploy(third, 2) != 0
    assert stage.status(STACK) == "UPDATE_ROLLBACK_COMPLETE"
    after = model(second)
    assert (after.status, after.units, after.history) == (script.running, 2, before.history)
    assert model(third).starts == 1
    assert model(third).status in (script.trained, script.stopped)

    assert stage.destroy(synth({STACK: declared(stage, script, second, 2)})) == 0
    assert stage.stack(STACK) is None
    stage.assert_gone(project, second, service=service, starts=1)
    stage.assert_gone(project, third, service=service, starts=1)
    assert stage.rules() == []
