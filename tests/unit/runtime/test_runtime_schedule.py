"""How long to wait: bounds, growth, jitter, who goes first, and what the service asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosted_model_runtime.decisions.polling import AHEAD, FIRST, LONGEST, WIDEST, interval, widened

POLLS, DRAWS, WIDTHS = st.integers(0, 10**6), st.floats(0, 1), st.floats(1, WIDEST)


@given(POLLS, DRAWS, st.booleans())
def test_calm_polls_stay_within_bounds(polls: int, draw: float, waiting: bool) -> None:
    assert 0.75 * FIRST <= interval(polls, 1.0, draw, waiting=waiting) <= LONGEST


@given(POLLS, WIDTHS, DRAWS)
def test_a_widened_wait_is_longer_and_bounded(polls: int, width: float, draw: float) -> None:
    waited = interval(polls, width, draw)
    assert waited <= LONGEST * WIDEST * 1.25
    assert waited >= interval(polls, 1.0, 0) * width * 0.75


@given(POLLS, WIDTHS, DRAWS)
def test_it_never_shrinks_from_poll_to_poll(polls: int, width: float, draw: float) -> None:
    assert interval(polls, width, draw) <= interval(polls + 1, width, draw)


def test_it_grows_from_the_first_to_the_longest() -> None:
    waits = [interval(polls, 1.0, 0) for polls in range(20)]
    assert waits[0] == FIRST
    assert waits[-1] == LONGEST
    assert waits == sorted(waits)


def test_jitter() -> None:
    assert interval(100, 1.0, 1) == pytest.approx(LONGEST * 0.75)
    assert interval(100, 4.0, 0) == pytest.approx(LONGEST * 3)
    assert interval(100, 4.0, 1) == pytest.approx(LONGEST * 5)
    assert len({interval(5, 2.0, draw / 10) for draw in range(11)}) == 11


@given(POLLS, WIDTHS, DRAWS)
def test_who_has_a_step_to_take_goes_ahead(polls: int, width: float, draw: float) -> None:
    ahead, behind = interval(polls, width, draw, waiting=False), interval(polls, width, draw)
    assert ahead <= behind
    assert ahead >= behind / AHEAD * 0.999


@given(WIDTHS)
def test_the_width_doubles_when_refused_and_outlives_one_success(width: float) -> None:
    assert widened(width, calm=False) == min(WIDEST, width * 2)
    assert widened(width, calm=True) == max(1.0, width * 0.8)


def test_the_width_is_gone_after_a_dozen_looks_that_work() -> None:
    width = WIDEST
    for _ in range(14):
        width = widened(width, calm=True)
    assert width == 1.0


@given(POLLS, WIDTHS, DRAWS, st.floats(0, 1000), st.booleans())
def test_what_the_service_asked_for_is_never_undercut(
    polls: int, width: float, draw: float, retry_after: float, waiting: bool
) -> None:
    assert interval(polls, width, draw, retry_after, waiting) >= retry_after
