"""Models of names that pages show, in a cloud that other tests use too: new before a test, gone after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import urllib3
from support_stage import Stage


@contextmanager
def new_model(stage: Stage, project: str, version: str, service: str = "lookoutvision") -> Iterator[None]:
    """A trained model that was never started, whatever another test did with one of its name."""
    _remove(stage, project, version, service)
    stage.seed(project, version, service=service)
    yield
    # Not when the test failed: what it left is evidence.
    _remove(stage, project, version, service)


def _remove(stage: Stage, project: str, version: str, service: str) -> None:
    url = f"{stage.cloud.simulator_url}/_simulator/models/{project}/{version}"
    answer = urllib3.request("DELETE", url, json={"service": service}, timeout=60, retries=False)
    assert answer.status in (200, 404), answer.data
