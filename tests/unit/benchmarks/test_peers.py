"""The peers' functions against the simulator, and what the measures of them compute."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import urllib3
from benchmarks import cold_start, footprint, lag_real
from benchmarks.peers import code

from hosted_model_local import clients

PROPERTIES = {"ProjectName": "boards", "ModelVersion": "1", "MinInferenceUnits": "1"}
START_SECONDS = 60.0


class Cloud:
    """A simulator of the model service over HTTP, whose clock a test moves."""

    def __init__(self, url: str) -> None:
        self.url, self.control = url, clients.Simulator(url)

    def advance(self, seconds: float = START_SECONDS) -> None:
        urllib3.request("POST", f"{self.url}/_simulator/clock", json={"advance": seconds})

    def status(self) -> str:
        return self.control.models()[0].status


@pytest.fixture(scope="module")
def simulator_url() -> Iterator[str]:
    command = [sys.executable, "-m", "hosted_model_local.simulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield child.stdout.readline().split()[-1]
        finally:
            child.terminate()


@pytest.fixture
def cloud(simulator_url: str, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    urllib3.request("POST", f"{simulator_url}/_simulator/reset")
    for name, value in {
        "AWS_ENDPOINT_URL_LOOKOUTVISION": simulator_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    made = Cloud(simulator_url)
    made.control.seed(
        "boards", "1", service="lookoutvision", status="TRAINED", start_seconds=START_SECONDS, stop_seconds=1
    )
    return made


Load = Callable[[str], ModuleType]


@pytest.fixture
def load(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import a peer's function as Lambda does, from what is staged for it."""
    names = ("index", "hosting")

    def load_staged(function: str) -> ModuleType:
        monkeypatch.syspath_prepend(code.stage(function))
        return importlib.import_module("index")

    yield load_staged
    for name in names:
        sys.modules.pop(name, None)


def request(kind: str, **more: Any) -> dict[str, Any]:
    return {"RequestType": kind, "ResourceProperties": PROPERTIES, **more}


# --- functions -------------------------------------------------------------------------------------------


def test_provider_is_complete_when_the_model_is_hosted_and_when_it_is_stopped(
    load: Load, cloud: Cloud
) -> None:
    index = load("with_provider")
    assert index.on_event(request("Create"), None) == {"PhysicalResourceId": "boards/1"}
    assert index.is_complete(request("Create"), None) == {"IsComplete": False}
    cloud.advance()
    assert index.is_complete(request("Create"), None) == {"IsComplete": True}
    index.on_event(request("Delete"), None)
    assert index.is_complete(request("Delete"), None) == {"IsComplete": False}
    cloud.advance()
    assert index.is_complete(request("Delete"), None) == {"IsComplete": True}


def test_crhelper_polls_until_there_is_a_physical_id(load: Load, cloud: Cloud) -> None:
    index = load("with_crhelper")
    index.start(request("Create"), None)
    assert index.is_hosted(request("Create"), None) is None
    cloud.advance()
    assert index.is_hosted(request("Create"), None) == "boards/1"
    index.stop(request("Delete"), None)
    assert index.is_stopped(request("Delete"), None) is None
    cloud.advance()
    assert index.is_stopped(request("Delete"), None) is True


@pytest.mark.parametrize(("kind", "status"), [("Create", "HOSTED"), ("Delete", "TRAINED")])
def test_sleeper_answers_when_the_model_is_there(
    load: Load, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, kind: str, status: str
) -> None:
    index = load("with_sleep")
    monkeypatch.setattr(index.wait, "__defaults__", (lambda seconds: cloud.advance(seconds * 4),))
    with listening() as (url, answers):
        names = dict.fromkeys(("StackId", "RequestId", "LogicalResourceId"), "x")
        index.handler(request(kind, ResponseURL=url, **names), None)
    assert cloud.status() == status
    assert [(one["Status"], one["PhysicalResourceId"]) for one in answers] == [("SUCCESS", "boards/1")]


class listening:  # noqa: N801 (reads as the statement that it is)
    """Collects what is PUT to a URL on this machine."""

    def __enter__(self) -> tuple[str, list[dict[str, Any]]]:
        answers: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                answers.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}/", answers

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.mark.parametrize(
    ("wanted", "status", "reached"),
    [
        ("HOSTED", "HOSTED", True),
        ("HOSTED", "STARTING_HOSTING", False),
        ("HOSTED", "SYSTEM_UPDATING", False),
        ("HOSTED", "HOSTING_FAILED", None),
        ("HOSTED", "TRAINED", None),
        ("TRAINED", "TRAINED", True),
        ("TRAINED", "STOPPING_HOSTING", False),
        ("TRAINED", "HOSTED", None),
    ],
)
def test_a_status_from_which_there_is_no_way_is_an_error(
    load: Load, wanted: str, status: str, reached: bool | None
) -> None:
    hosting = load("with_sleep").hosting
    if reached is None:
        with pytest.raises(RuntimeError, match=status):
            hosting.has_reached(wanted, {"Status": status})
    else:
        assert hosting.has_reached(wanted, {"Status": status}) is reached


@pytest.mark.parametrize(
    ("function", "crhelper"), [("with_crhelper", True), ("with_provider", False), ("with_sleep", False)]
)
def test_staged_are_sources_alone_and_crhelper_where_it_is_used(function: str, crhelper: bool) -> None:
    folder = Path(code.stage(function))
    assert {file.suffix for file in folder.rglob("*") if file.is_file()} == {".py", ".json"}
    assert (folder / "crhelper" / "__init__.py").exists() is crhelper
    assert (folder / "data" / "lookoutvision" / "2020-11-20" / "service-2.json").exists()


# --- lag in real time ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quick", "designs", "starts", "each"), [(True, 4, {5, 20}, 1), (False, 6, {5, 20, 90, 200}, 3)]
)
def test_every_design_gets_the_same_starts(quick: bool, designs: int, starts: set[int], each: int) -> None:
    runs = lag_real.plan(quick)
    found = {
        design: [(run.nominal, run.repetition, run.start_seconds) for run in runs if run.design == design]
        for design in {run.design for run in runs}
    }
    assert len(found) == designs
    assert len({tuple(one) for one in found.values()}) == 1
    assert {nominal for nominal, _, _ in found["hosted-model"]} == starts
    assert len(runs) == designs * len(starts) * each
    assert all(abs(start - nominal) <= 2.5 for nominal, _, start in found["hosted-model"])


def test_the_cdk_deploys_each_design_once_and_first() -> None:
    runs = lag_real.plan(quick=False)
    assert [run.design for run in runs if run.by == "cdk deploy"] == list(lag_real.DESIGNS)
    assert [run.by for run in runs[: len(lag_real.DESIGNS)]] == ["cdk deploy"] * len(lag_real.DESIGNS)


@pytest.mark.parametrize(
    ("under_way", "expected"),
    [
        ([], "provider-1s"),
        (["lag-provider-1s-200-0", "lag-provider-5s-200-0"], "provider-1s"),
        (["lag-provider-1s-200-0", "lag-provider-1s-200-1"], "hosted-model"),
    ],
)
def test_few_of_the_costly_loops_run_at_once(under_way: list[str], expected: str) -> None:
    rest = [lag_real.Run("provider-1s", 90, 0, 90.0), lag_real.Run("hosted-model", 90, 0, 90.0)]
    found = lag_real.next_run(rest, under_way)
    assert found is not None
    assert found.design == expected


def test_nothing_is_next_while_no_design_has_room() -> None:
    full = ["lag-provider-1s-200-0", "lag-provider-1s-200-1"]
    assert lag_real.next_run([lag_real.Run("provider-1s", 90, 0, 90.0)], full) is None


def test_a_call_is_counted_for_its_project() -> None:
    arn = "arn:aws:lookoutvision:us-east-1:000000000000:model/lag-sleeper-5s-20-0/1"
    assert lag_real.project_of(arn) == "lag-sleeper-5s-20-0"


# --- footprint -------------------------------------------------------------------------------------------

STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
POLICY = {"PolicyDocument": {"Statement": [STATEMENT, STATEMENT]}}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"Type": "AWS::CDK::Metadata"}, (0, 0, 0, 0)),
        ({"Type": "AWS::Lambda::Function"}, (1, 1, 0, 0)),
        ({"Type": "AWS::IAM::Policy", "Properties": POLICY}, (1, 0, 0, 2)),
        ({"Type": "AWS::IAM::ManagedPolicy", "Properties": POLICY}, (1, 0, 0, 2)),
        ({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}, (1, 0, 1, 0)),
        ({"Type": "AWS::IAM::Role", "Properties": {"Policies": [POLICY]}}, (1, 0, 1, 2)),
        ({"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": ["arn"]}}, (1, 0, 1, 1)),
    ],
)
def test_what_a_resource_counts(resource: dict[str, Any], expected: tuple[int, int, int, int]) -> None:
    found = footprint.count({"Resources": {"One": resource}})
    assert tuple(found.values()) == expected
    assert list(found) == ["resources", "functions", "roles", "statements"]


def test_an_archive_is_smaller_than_what_repeats_itself(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "text.py").write_text("same\n" * 10_000)
    assert 0 < footprint.zipped_bytes(tmp_path) < 1000


def test_what_slowed_both_runs_of_a_pair_is_not_in_the_median_of_ratios() -> None:
    assert footprint.median_of_ratios([(1.1, 1.0), (22.0, 20.0), (1.1, 1.0)]) == pytest.approx(1.1)


# --- cold start ------------------------------------------------------------------------------------------


def test_a_start_is_timed_in_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "mine.py").write_text("big = bytearray(30_000_000)")
    subject = cold_start.Subject("any", "a module of the task", ("import mine",))
    _, cpu, size = cold_start.start(subject, tmp_path / "task")
    _, _, least = cold_start.start(cold_start.PYTHON, tmp_path / "task")
    assert cpu > 0
    assert size - least > 25_000_000
    assert not list(tmp_path.rglob("*.pyc"))


def test_each_client_of_ours_is_held_against_one_of_the_same_service() -> None:
    for service, subject in cold_start.OURS.items():
        assert subject.against is cold_start.BASELINES[service]
        assert service in subject.against.what
