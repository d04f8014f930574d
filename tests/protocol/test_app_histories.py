"""A small run of the generated histories of apps; `make chaos EXAMPLES=10000` plays as many as one wants."""

from __future__ import annotations

import pytest

from chaos.jobs import ALL, APPS, Job, play


@pytest.mark.parametrize("seed", [1, 2])
def test_every_promise_holds_while_an_app_is_edited(seed: int) -> None:
    found = play(Job(APPS, ALL, seed=seed, examples=12, shrink=False))
    assert found.broken == []
    assert found.counted["deploys"] > 50
