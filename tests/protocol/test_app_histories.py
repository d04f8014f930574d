"""A small run of the generated histories of apps; `make chaos EXAMPLES=10000` plays as many as one wants."""

from __future__ import annotations

from chaos.jobs import ALL, APPS, Job, play


def test_every_promise_holds_while_an_app_is_edited() -> None:
    found = play(Job(APPS, ALL, seed=1, examples=40, shrink=False))
    assert found.broken == []
    assert found.counted["deploys"] > 100
