"""A construct is renamed or moved within its stack: its model passes to the new logical ID, and back."""

from __future__ import annotations

import pytest

from chaos.moving import STORIES, killed_everywhere, tell
from support.cases import CASES, ServiceCase

pytestmark = pytest.mark.usefixtures("virtual_time", "no_logs")


@pytest.mark.parametrize("latency", [0.0, 0.3])
@pytest.mark.parametrize("name", STORIES)
def test_the_model_passes_from_one_logical_id_to_the_other(
    case: ServiceCase, name: str, latency: float
) -> None:
    assert tell(case, name, latency=latency)[1] == []


@pytest.mark.parametrize("name", list(STORIES)[1::5])
def test_it_does_so_whatever_is_killed(name: str) -> None:
    """Every fifth story, over one service in turn; ``make chaos`` kills every one over every service."""
    case = list(CASES.values())[list(STORIES).index(name) % len(CASES)]
    assert killed_everywhere(case, name).broken == []
