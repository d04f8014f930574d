"""The role has what it needs and no more: a missing permission is a loud, explained failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aws_cdk import Duration
from support_apps import lookoutvision, without
from support_stage import Stage

pytestmark = pytest.mark.e2e

START, STOP = "lookoutvision:StartModel", "lookoutvision:StopModel"


@pytest.fixture(scope="module")
def app(synth) -> Path:
    """Two stacks, each of which lacks one permission; deployed at once, as each waits for its grace."""
    return synth(
        {
            "NoStart": without(START, lookoutvision("no-start")),
            # Its Delete waits for the permission until its deadline, half a minute before this.
            "NoStop": without(STOP, lookoutvision("no-stop", hosting_timeout=Duration.seconds(80))),
        }
    )


@pytest.fixture(scope="module")
def deployed(shared_stage: Stage, app: Path) -> int:
    """The exit code of the deploy."""
    shared_stage.seed("no-start")
    shared_stage.seed("no-stop")
    return shared_stage.deploy(app, "--concurrency", "2")


def test_a_role_that_may_not_start_is_a_failure_that_names_action_and_model(
    deployed: int, stage: Stage
) -> None:
    assert deployed != 0
    assert stage.status("NoStart") == "ROLLBACK_COMPLETE"
    reasons = stage.reasons("NoStart")
    assert f"not authorized to perform: {START}" in reasons
    assert stage.model("no-start").arn in reasons
    assert "role needs this permission" in reasons
    stage.assert_gone("no-start", starts=0)


def test_a_role_that_may_not_stop_fails_the_destroy_and_keeps_the_model(
    deployed: int, stage: Stage, app: Path
) -> None:
    hosted = stage.model("no-stop")
    assert hosted.status == "HOSTED"

    assert stage.destroy(app, "NoStop") != 0
    assert stage.status("NoStop") == "DELETE_FAILED"
    assert f"not authorized to perform: {STOP}" in stage.reasons("NoStop")
    kept = stage.model("no-stop")
    assert (kept.status, kept.history) == ("HOSTED", hosted.history)
    assert kept.tags["hosted-model:stack"] == hosted.tags["hosted-model:stack"]

    # An administrator mends the role; nothing else is needed.
    statement = {"Effect": "Allow", "Action": STOP, "Resource": hosted.arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stage.client("iam").put_role_policy(
        RoleName=stage.role_name("NoStop"), PolicyName="Mend", PolicyDocument=document
    )
    assert stage.destroy(app, "NoStop") == 0
    stage.assert_gone("no-stop", starts=1)
    assert stage.rules() == []
