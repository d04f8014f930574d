"""One local cloud for each worker of the end-to-end tests, and the evidence when one fails."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from support_stage import Stage

from hosted_model_local import processes
from hosted_model_local.cloud import LocalCloud

#: Lambda's own delay before it repeats a failed invocation is 60 s.
RETRY_SECONDS = 2
Synth = Callable[[Mapping[str, Any]], Path]

#: This worker's, for the evidence of a failure.
_STAGES: list[Stage] = []


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker for tests that wait for more than a minute: for EventBridge, whose floor that is."""
    config.addinivalue_line("markers", "slow: waits for more than a minute")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits longest, then with the files of most tests: else all wait for them at the end."""
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, -tests[item.path]))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A bootstrapped cloud; when its last test is over, nothing of it may be left."""
    made = LocalCloud(tmp_path_factory.mktemp("cloud") / "state", lambda_retry_seconds=RETRY_SECONDS)
    made.start()
    try:
        yield made
    finally:
        running = made.running()
        left = made.stop()
    assert left == [], "stop() says what survived"
    assert processes.alive(running) == [], "workers of functions are among what must have ended"
    assert not any(map(_listens, (made.ministack_url, made.simulator_url)))
    assert not made.state_dir.exists()


@pytest.fixture(scope="session")
def shared_stage(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The cloud with its cdk command; for fixtures that outlive a test."""
    made = Stage(cloud, tmp_path_factory.mktemp("cdk"))
    _STAGES.append(made)
    return made


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    """The cloud with its cdk command; no cdk command outlives the test."""
    shared_stage.runs.clear()
    yield shared_stage
    for run in shared_stage.runs:
        run.wait()


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Synth:
    """Synthesise an app: stack names and what fills them; the assembly's folder."""
    # The CDK takes seconds to import, which the workers of other tests need not wait for.
    from support_apps import assembly

    return lambda stacks: assembly(tmp_path_factory.mktemp("app"), stacks)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Show what cdk and the function said when a test of a cloud failed."""
    report = yield
    if call.when != "teardown" and report.failed:
        report.sections += [section for stage in _STAGES for section in stage.evidence()]
    return report


def _listens(url: str) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) == 0
