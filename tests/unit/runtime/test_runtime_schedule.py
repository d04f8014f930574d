"""How long to wait: bounds, growth, jitter, and what the service asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosted_model_runtime.schedule import FIRST, LONGEST, LONGEST_THROTTLED, interval

POLLS, SETBACKS = st.integers(0, 10**6), st.integers(0, 10**6)
DRAWS = st.floats(0, 1)


@given(POLLS, DRAWS)
def test_calm_polls_stay_within_bounds(polls: int, draw: float) -> None:
    assert 0.75 * FIRST <= interval(polls, 0, draw) <= LONGEST


@given(POLLS, st.integers(1, 10**6), DRAWS)
def test_after_an_error_the_wait_is_longer_and_bounded(polls: int, setbacks: int, draw: float) -> None:
    waited = interval(polls, setbacks, draw)
    assert waited <= LONGEST_THROTTLED * 1.5
    assert waited >= 2 * interval(polls, 0, 0) or waited >= LONGEST_THROTTLED


@given(POLLS, SETBACKS, DRAWS)
def test_it_never_shrinks_from_poll_to_poll(polls: int, setbacks: int, draw: float) -> None:
    assert interval(polls, setbacks, draw) <= interval(polls + 1, setbacks, draw)
    assert interval(polls, setbacks, draw) <= interval(polls, setbacks + 1, draw) or setbacks == 0


def test_it_grows_from_the_first_to_the_longest() -> None:
    waits = [interval(polls, 0, 0) for polls in range(20)]
    assert waits[0] == FIRST
    assert waits[-1] == LONGEST
    assert waits == sorted(waits)


def test_jitter_takes_off_up_to_a_quarter_and_adds_up_to_half_after_an_error() -> None:
    assert interval(100, 0, 1) == pytest.approx(LONGEST * 0.75)
    assert interval(100, 100, 0) == LONGEST_THROTTLED
    assert interval(100, 100, 1) == pytest.approx(LONGEST_THROTTLED * 1.5)
    assert len({interval(5, 0, draw / 10) for draw in range(11)}) == 11


@given(POLLS, st.integers(1, 100), DRAWS, st.floats(0, 1000))
def test_what_the_service_asked_for_is_never_undercut(
    polls: int, setbacks: int, draw: float, retry_after: float
) -> None:
    assert interval(polls, setbacks, draw, retry_after) >= retry_after
