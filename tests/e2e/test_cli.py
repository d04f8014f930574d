"""`hosted-model` on the local cloud, by users with the documented policies: IAM decides on each call."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from aws_cdk import aws_scheduler as scheduler
from support_apps import lookoutvision, together
from support_stage import CHECKOUT, Stage, until

from hosted_model import HostingHours

pytestmark = pytest.mark.e2e

STACK, PROJECT, FORGOTTEN, OTHER = "Watched", "watched", "forgotten", "eu-west-1"
READ, STOP, WAKE = re.findall(r"```json\n(.*?)```", (CHECKOUT / "docs" / "cli.md").read_text(), re.S)
SECONDS = 120


@dataclass
class User:
    """Somebody with the policies of the documentation."""

    stage: Stage
    arn: str
    keys: dict[str, str]

    def start(self, *arguments: str, out: Any = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start the command, without a terminal."""
        environment = self.stage.cloud.process_environment() | self.keys
        return subprocess.Popen(
            [sys.executable, "-m", "hosted_model_cli", *arguments],
            env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command; exit code, output, error output."""
        child = self.start(*arguments)
        try:
            out, error = child.communicate(timeout=SECONDS)
        finally:
            child.kill()
        return child.returncode, out, error

    @property
    def used(self) -> set[str]:
        """The actions that were allowed so far."""
        return self.stage.cloud.used_actions().get(self.arn, set())


def user(stage: Stage, name: str, *policies: str) -> User:
    iam = stage.client("iam")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    for number, document in enumerate(policies):
        iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    return User(stage, arn, keys)


@pytest.fixture(scope="module")
def reader(shared_stage: Stage) -> User:
    return user(shared_stage, "reader", READ)


@pytest.fixture(scope="module")
def watched(
    shared_stage: Stage, reader: User, synth: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, str, str, Path]:
    """A deploy that is watched from before it begins: the watch's exit code and output, and the app."""
    shared_stage.seed(PROJECT, start_seconds=6)
    running = {"status": "HOSTED", "min_inference_units": 2, "region": OTHER}
    shared_stage.seed(FORGOTTEN, **running)
    now = datetime.now(UTC).replace(microsecond=0)
    wake, sleep = (scheduler.ScheduleExpression.at(now + timedelta(days=days)) for days in (3, 2))
    app = synth({STACK: lookoutvision(PROJECT, hosting_hours=HostingHours(start=wake, stop=sleep))})
    told = tmp_path_factory.mktemp("watch") / "told"
    with told.open("w") as out:
        watch = reader.start("watch", STACK, "--timeout", str(SECONDS), out=out)
    try:
        until(lambda: told.read_text() or watch.poll() is not None, what="the watch waits")
        assert shared_stage.deploy(app) == 0
        _, error = watch.communicate(timeout=SECONDS)
    finally:
        watch.kill()
    return watch.returncode, told.read_text(), error, app


@pytest.fixture
def stage(shared_stage: Stage) -> Stage:
    """The module's stage: its fixtures' commands are evidence too."""
    return shared_stage


def control(stage: Stage, method: str, path: str, body: Any = None) -> None:
    """Use the simulator's control API."""
    url = f"{stage.cloud.simulator_url}/_simulator/{path}"
    answer = urllib3.PoolManager().request(method, url, json=body)
    assert answer.status == 200, answer.data


def arn(stage: Stage, project: str) -> str:
    return stage.model(project).arn


def test_watch_shows_a_deploy_from_start_to_end(watched: tuple[int, str, str, Path]) -> None:
    code, out, error, _ = watched
    assert (code, error) == (0, "")
    told = [line.split("  ", 1)[1] for line in out.splitlines()]
    resource = next(line.split()[0] for line in told if line.startswith("Model"))
    inner = [
        f"waiting for an operation of {STACK} in us-east-1: there is no such stack yet",
        f"{STACK}  CREATE_IN_PROGRESS",
        f"{resource}  CREATE_IN_PROGRESS",
        f"model {PROJECT}/1  STARTING_HOSTING, 1 unit",
        f"{resource}  CREATE_COMPLETE",
        f"{STACK}  CREATE_COMPLETE",
    ]
    assert [line for line in told if line in inner] == inner
    assert re.fullmatch(rf"{STACK}  CREATE_COMPLETE after (\d+ s|\d:\d\d)", told[-1])
    assert re.search(
        rf"model {PROJECT}/1  HOSTED, 1 unit \(STARTING_HOSTING, 1 unit for at least \d+ s\)", out
    )


def test_ls_tells_the_declared_from_the_undeclared(
    stage: Stage, reader: User, watched: tuple[int, str, str, Path]
) -> None:
    regions = ("--region", "us-east-1", "--region", OTHER)
    code, out, error = reader.run("ls", *regions, "--json")
    assert (code, error) == (0, "")
    found = {one["project"]: one for one in json.loads(out)["models"]}
    declared, forgotten = found[PROJECT], found[FORGOTTEN]
    assert (declared["declared"], declared["region"], declared["stack_name"]) == (True, "us-east-1", STACK)
    assert declared["hosted_at"]
    assert declared["cost"] == pytest.approx(declared["hours"] * 4, abs=1e-3)
    assert (forgotten["declared"], forgotten["region"]) == (False, OTHER)
    assert forgotten["why_not_declared"] == "no stack owns it"

    code, out, error = reader.run("ls", *regions)
    assert (code, error) == (0, "")
    assert out.isascii()
    signs = {line.split()[1]: line[0] for line in out.splitlines() if "arn:" in line}
    assert (signs[f"{PROJECT}/1"], signs[f"{FORGOTTEN}/1"]) == ("-", "!")


def test_all_regions(reader: User, watched: tuple[int, str, str, Path]) -> None:
    code, out, error = reader.run("ls", "--all-regions", "--all", "--json")
    assert (code, error) == (0, "")
    assert {PROJECT, FORGOTTEN} <= {one["project"] for one in json.loads(out)["models"]}


def test_show(stage: Stage, reader: User, watched: tuple[int, str, str, Path]) -> None:
    code, out, error = reader.run("show", arn(stage, PROJECT))
    assert (code, error) == (0, "")
    assert "(declares it)" in out
    assert "request: Create, done" in out
    days = [(datetime.now(UTC) + timedelta(days=days)).date() for days in (2, 3)]
    goals = re.findall(r"^  (start|stop) +next (\S+) \d\d:\d\d Etc/UTC  at\(", out, re.M)
    assert goals == [("stop", f"{days[0]}"), ("start", f"{days[1]}")], "the next one first"
    log = out.partition("\nLog\n")[2]
    assert "metric TimeToHosted" in log or f"{PROJECT}/1" in log, "the function's last entries about it"


def test_check_and_estimate(reader: User, watched: tuple[int, str, str, Path]) -> None:
    code, out, error = reader.run("check", STACK)
    assert (code, out, error) == (0, "As declared: 1 model of 1 stack.\n", "")
    code, out, _ = reader.run("check", "--region", "us-east-1", "--region", OTHER, "--json")
    said = {one["project"]: one["difference"] for one in json.loads(out)["differences"]}
    assert (code, said) == (1, {FORGOTTEN: "no stack owns it"})

    code, out, error = reader.run("estimate", "--stack", STACK)
    assert (code, error) == (0, "")
    assert out == reader.run("estimate", str(watched[3]))[1], "before the deploy and after it"
    assert f"{PROJECT}/1" in out


def test_sleep_and_wake(stage: Stage, watched: tuple[int, str, str, Path]) -> None:
    """By the stack's own function, which IAM and the lease let do it."""
    waker = user(stage, "waker", READ, WAKE)
    starts = stage.model(PROJECT).starts
    code, out, error = waker.run("sleep", arn(stage, PROJECT))
    assert code == 0, error
    assert "is TRAINED: it is not billed until its next start" in out
    assert stage.model(PROJECT).status == "TRAINED"
    assert re.search(rf"^-  {PROJECT}/1 .* asleep by its hours$", waker.run("ls")[1], re.M)
    assert waker.run("check", STACK)[0] == 0, "it sleeps as it should"

    code, out, error = waker.run("wake", arn(stage, PROJECT))
    assert code == 0, error
    assert (stage.model(PROJECT).status, stage.model(PROJECT).starts) == ("HOSTED", starts + 1)
    assert waker.run("check", STACK)[0] == 0
    assert stage.rules() == []


def test_the_readers_policy_is_used_whole_and_stops_nothing(
    stage: Stage, reader: User, watched: tuple[int, str, str, Path]
) -> None:
    test_all_regions(reader, watched)
    test_show(stage, reader, watched)
    test_check_and_estimate(reader, watched)
    granted = {action for one in json.loads(READ)["Statement"] for action in one["Action"]}
    # There is no model of these services: what that needs is not asked.
    unused = {
        "rekognition:DescribeProjectVersions",
        "rekognition:ListTagsForResource",
        "personalize:DescribeRecommender",
        "personalize:ListTagsForResource",
    }
    assert reader.used <= granted
    assert granted - reader.used <= unused
    code, _, error = reader.run("stop", "--yes", arn(stage, FORGOTTEN))
    assert code == 1
    assert "not authorized to perform: lookoutvision:StopModel" in error
    assert stage.model(FORGOTTEN).status == "HOSTED"


def test_stop(stage: Stage, watched: tuple[int, str, str, Path]) -> None:
    stopper = user(stage, "stopper", READ, STOP)
    code, out, error = stopper.run("stop", "--yes", arn(stage, PROJECT))
    assert (code, out) == (4, "")
    assert f"of stack {STACK} declares {PROJECT}/1" in error
    assert stage.model(PROJECT).status == "HOSTED"

    # Somebody stops it all the same: `cdk deploy` would say that nothing has changed.
    assert stopper.run("stop", "--yes", "--force", arn(stage, PROJECT))[0] == 0
    code, out, _ = stopper.run("check", STACK)
    assert code == 1
    assert "declared, not running since some time after" in out

    code, out, _ = stopper.run("stop", "--yes", arn(stage, FORGOTTEN))
    assert (code, out.splitlines()[0]) == (
        0,
        f"Lookout for Vision model {FORGOTTEN}/1 is TRAINED: it is not billed",
    )
    assert stage.model(FORGOTTEN).status == "TRAINED"

    # The stack is gone, and somebody runs its model with the lease that it had.
    tags = stage.model(PROJECT).tags
    assert stage.destroy(watched[3]) == 0
    stage.simulator.seed(PROJECT, "1", status="HOSTED", tags=tags, min_inference_units=1)
    code, out, _ = stopper.run("ls", "--json")
    found = {one["project"]: one for one in json.loads(out)["models"]}
    assert found[PROJECT]["why_not_declared"] == "its stack is gone"
    assert stopper.run("release", "--yes", arn(stage, FORGOTTEN))[0] == 0
    code, out, error = stopper.run("stop", "--yes", arn(stage, PROJECT))
    assert code == 0, error
    assert re.search("removed its tags of an owner that is gone: .*hosted-model:logical-id", out)
    until(lambda: stage.model(PROJECT).status == "TRAINED")
    assert set(stage.model(PROJECT).tags) <= {"hosted-model:closed"}


def test_what_is_made_is_declared_and_what_is_left_behind_is_not(stage: Stage, synth: Any) -> None:
    """A model that a first deploy starts is refused; one whose deletion was given up is stopped."""
    stopper = user(stage, "sweeper", READ, STOP)
    stage.seed("kept")
    stage.seed("dropped", start_seconds=12)
    both = together(lookoutvision("kept"), lookoutvision("dropped", name="Dropped"))
    run = stage.start_deploy(synth({"Sweeping": both}))
    until(lambda: stage.model("dropped").status == "STARTING_HOSTING", what="the model starts")
    assert stopper.run("stop", "--yes", arn(stage, "dropped"))[0] == 4
    code, out, _ = stopper.run("ls", "--json")
    found = {one["project"]: one for one in json.loads(out)["models"]}
    assert (code, found["dropped"]["declared"]) == (0, True)
    assert run.wait() == 0

    refusal = {"operation": "StopModel", "error": "ValidationException", "resource": arn(stage, "dropped")}
    control(stage, "POST", "faults", {**refusal, "times": 99})
    assert stage.deploy(synth({"Sweeping": lookoutvision("kept")})) == 0, "CloudFormation gave it up"
    control(stage, "DELETE", "faults")
    assert stage.model("dropped").status == "HOSTED"
    code, out, _ = stopper.run("ls", "--json")
    found = {one["project"]: one for one in json.loads(out)["models"]}
    assert found["dropped"]["why_not_declared"] == "its stack removed it and could not stop it"
    assert found["kept"]["declared"]
    code, _, error = stopper.run("stop", "--yes", arn(stage, "dropped"))
    assert code == 0, error
    assert stage.model("dropped").status == "TRAINED"
    assert set(stage.model("dropped").tags) <= {"hosted-model:closed"}
