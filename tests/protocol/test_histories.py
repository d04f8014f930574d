"""A small run of the generated histories; `make chaos EXAMPLES=10000` plays as many as one wants."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from chaos.histories import machine
from support.cases import CASES

pytestmark = pytest.mark.usefixtures("virtual_time")

SMALL = settings(
    max_examples=40,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking is for whoever looks into it, with `make chaos`.
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture(autouse=True)
def only_the_promises_read_the_logs() -> Iterator[None]:
    handlers = logging.root.handlers[:]
    logging.root.handlers[:] = []
    yield
    logging.root.handlers[:] = handlers


@pytest.mark.parametrize("service", sorted(CASES))
def test_every_promise_holds_in_every_history(service: str) -> None:
    run_state_machine_as_test(machine(service), settings=SMALL)
