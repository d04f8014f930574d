"""What goes wrong around a deploy: nothing leaks, nothing is started twice, nothing is stolen."""

from __future__ import annotations

import os
import signal

import pytest
from support_apps import lookoutvision, together
from support_stage import Stage, until

pytestmark = pytest.mark.e2e


def test_when_the_second_of_three_cannot_be_hosted_all_three_end_stopped(stage: Stage, synth) -> None:
    names = ("three-a", "three-b", "three-c")
    for name in names:
        stage.seed(name, start_outcome="HOSTING_FAILED" if name == "three-b" else "HOSTED")
    app = synth({"Three": together(*(lookoutvision(name, name=name) for name in names))})

    assert stage.deploy(app) != 0
    assert stage.status("Three") in ("ROLLBACK_COMPLETE", "")
    assert "three-b/1 could not be hosted" in stage.reasons("Three")
    for name in names:
        stage.assert_gone(name, starts=stage.model(name).starts)
        assert stage.model(name).starts <= 1
    assert stage.model("three-b").starts == 1
    assert stage.rules() == []


def test_a_killed_function_is_resumed_and_the_model_is_started_once(stage: Stage, synth) -> None:
    stage.seed("killed", start_seconds=8)
    app = synth({"Killed": lookoutvision("killed")})
    deploy = stage.start_deploy(app)
    until(lambda: stage.model("killed").status == "STARTING_HOSTING", what="the model starts")
    workers = stage.workers("Killed")
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    until(lambda: set(stage.workers("Killed")) - set(workers), what="Lambda delivers the event again")
    assert stage.model("killed").status == "STARTING_HOSTING", "killed while it polled"

    assert deploy.wait() == 0
    assert (stage.model("killed").status, stage.model("killed").starts) == ("HOSTED", 1)
    assert stage.destroy(app) == 0
    stage.assert_gone("killed", starts=1)


def test_a_stack_deleted_while_it_is_created_leaves_no_model_running(stage: Stage, synth) -> None:
    stage.seed("abandoned", start_seconds=5)
    deploy = stage.start_deploy(synth({"Abandoned": lookoutvision("abandoned")}))
    until(lambda: stage.model("abandoned").status == "STARTING_HOSTING", what="the model starts")
    assert stage.status("Abandoned") == "CREATE_IN_PROGRESS"
    stage.client("cloudformation").delete_stack(StackName="Abandoned")

    assert deploy.wait() != 0
    until(lambda: stage.stack("Abandoned") is None, what="the stack is gone")
    stage.assert_gone("abandoned", starts=1)
    assert stage.rules() == []


def test_of_two_stacks_that_want_one_model_the_second_fails(stage: Stage, synth) -> None:
    stage.seed("wanted")
    first, second = (synth({name: lookoutvision("wanted")}) for name in ("First", "Second"))
    assert stage.deploy(first) == 0
    hosted = stage.model("wanted")

    assert stage.deploy(second) != 0
    reasons = stage.reasons("Second")
    assert "wanted/1 is not this stack's to command" in reasons
    assert "/First/" in reasons
    assert stage.model("wanted").history == hosted.history
    assert stage.model("wanted").tags == hosted.tags

    assert stage.destroy(first) == 0
    stage.assert_gone("wanted", starts=1)


def test_late_tags_and_credentials_that_settle_are_waited_out(stage: Stage, synth) -> None:
    """What AWS's tag APIs and IAM may do in the first minutes: none of it is the template's fault."""
    stage.seed("late", tag_lag_seconds=2.0, tag_lag_seed=7)
    for operation, error, status in (
        ("StartModel", "UnrecognizedClientException", 400),
        ("TagResource", "ExpiredTokenException", 400),
        ("DescribeModel", "RequestTimeoutException", 408),
        ("StopModel", "InvalidSignatureException", 403),
    ):
        stage.simulator.fault(operation=operation, error=error, http_status=status, times=2)
    app = synth({"Late": lookoutvision("late")})

    assert stage.deploy(app) == 0
    assert (stage.model("late").status, stage.model("late").starts) == ("HOSTED", 1)
    assert stage.outputs("Late")["HostedAt"]
    assert stage.destroy(app) == 0
    stage.assert_gone("late", starts=1)
