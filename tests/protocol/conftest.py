"""What the protocol tests share."""

from __future__ import annotations

import pytest

from support.cases import CASES, ServiceCase


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> ServiceCase:
    """Each service in turn."""
    return CASES[request.param]
