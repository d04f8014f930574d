"""When to look: by how likely the end of a start is, who shares the quota, what the service asked for."""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosted_model_runtime.decisions import polling
from hosted_model_runtime.decisions.polling import (
    AHEAD,
    EARLY,
    FIRST,
    LEAST,
    LONGER,
    LONGEST,
    NOTHING,
    PUT_OFF,
    WIDEST,
    LastStart,
    Start,
    first_wait,
    interval,
    step_interval,
    widened,
)

WANTED, DRAWS, WIDTHS = st.floats(LEAST, EARLY), st.floats(0, 1), st.floats(1, WIDEST)
AGES = st.floats(0, 4000)
MEMORIES = st.builds(LastStart, st.integers(1, 3600), st.integers(0, 99))
#: Half an hour, as one start or as two that agree.
ONCE, TWICE = LastStart(1800), LastStart(1800, 7)


def looks(last: LastStart, length: float, draws: random.Random) -> tuple[int, float]:
    """How many looks a start of this length takes, and how late the last one is."""
    age, count = draws.random(), 1
    while age < length:
        # A call takes some hundredths of a second.
        age += interval(Start(age, last).interval, 1.0, draws.random()) + 0.055
        count += 1
    return count, age - length


def many(
    last: LastStart, length: Callable[[random.Random], float], runs: int = 120
) -> tuple[float, float, float]:
    """Mean looks, mean lag, and the lag that 95 of 100 stay under."""
    draws = random.Random(7)
    found = [looks(last, max(1.0, length(draws)), draws) for _ in range(runs)]
    lags = sorted(lag for _, lag in found)
    return fmean(count for count, _ in found), fmean(lags), lags[int(0.95 * runs)]


class TestAStart:
    @pytest.mark.parametrize(
        ("last", "length", "most_looks", "most_lag", "most_p95"),
        [
            (LastStart(1800, 5), lambda draws: draws.gauss(1800, 90), 220, 0.85, 2.3),
            (ONCE, lambda draws: draws.gauss(1800, 270), 410, 1.1, 2.8),
            (NOTHING, lambda draws: draws.uniform(300, 1800), 365, 1.45, 3.8),
            (NOTHING, lambda draws: draws.uniform(60, 300), 70, 2.4, 4.5),
        ],
        ids=["known within 5 %", "known within 15 %", "nothing known", "nothing known, and short"],
    )
    def test_few_looks_find_it_soon(
        self, last: LastStart, length: Callable[[random.Random], float], most_looks: float, most_lag: float,
        most_p95: float,
    ) -> None:  # fmt: skip
        count, lag, p95 = many(last, length)
        assert count <= most_looks
        assert lag <= most_lag
        assert p95 <= most_p95

    @pytest.mark.parametrize("times", [0.5, 0.6, 0.75, 1.5, 1.9, 2.0])
    def test_a_memory_that_is_wrong_costs_four_seconds_at_most(self, times: float) -> None:
        _, _, p95 = many(ONCE, lambda draws: 1800 * times + 60 * draws.random())
        assert p95 <= 4.0

    @pytest.mark.parametrize("times", [1.5, 2.0])
    def test_one_that_was_proven_and_is_too_short_now_does_too(self, times: float) -> None:
        _, _, p95 = many(TWICE, lambda draws: 1800 * times + 60 * draws.random())
        assert p95 <= 4.0

    @given(AGES, MEMORIES | st.just(NOTHING))
    def test_every_interval_is_bounded(self, age: float, last: LastStart) -> None:
        wanted = Start(age, last).interval
        assert LEAST <= wanted <= EARLY
        assert wanted <= max(FIRST, 0.2001 * age) or wanted <= LONGEST
        if age >= max(last.seconds, 1800):
            assert wanted <= LONGEST

    def test_it_is_dense_around_the_end_and_rare_before_and_patient_after(self) -> None:
        before, at, after = (Start(age, TWICE).interval for age in (900, 1800, 3000))
        assert at < 2 < after < before

    @pytest.mark.parametrize(
        ("last", "age", "far"),
        [(NOTHING, 10, 0), (ONCE, 100, 1800 * polling.HALF - 100), (TWICE, 100, 1800 * 0.825 - 100)],
    )
    def test_it_knows_when_the_end_is_far(self, last: LastStart, age: float, far: float) -> None:
        assert Start(age, last).far == pytest.approx(far)

    @given(MEMORIES)
    def test_an_end_is_never_far_when_its_time_has_come(self, last: LastStart) -> None:
        assert Start(last.seconds, last).far < 0


class TestMemory:
    @pytest.mark.parametrize(
        ("before", "seconds", "after"),
        [
            (NOTHING, 600.4, LastStart(600)),
            (LastStart(600), 612, LastStart(612, 8)),
            (LastStart(600, 8), 600, LastStart(600, 5)),
            (LastStart(600, 5), 660, LastStart(660, 10)),
            (LastStart(600, 5), 1200, LastStart(1200, 99)),
            (LastStart(1200, 99), 1200, LastStart(1200, 50)),
            (LastStart(600, 5, sent=3), 600, LastStart(600, 5)),
            (NOTHING, 0.1, LastStart(1)),
        ],
    )
    def test_trust_is_won_by_starts_that_agree_and_lost_at_once(
        self, before: LastStart, seconds: float, after: LastStart
    ) -> None:
        assert before.took(seconds) == after

    def test_of_another_version_it_is_not_proven(self) -> None:
        assert LastStart(600, 5, 3).of_another == LastStart(600)

    @pytest.mark.parametrize(
        "text", ["", "hours", "took", "tookx", "took1-", "0f8fad5b-d9cb-469f-a165-70867728950e"]
    )
    def test_what_is_no_memory(self, text: str) -> None:
        assert LastStart.parse(text) is None


class TestTheNextLook:
    @given(WANTED, DRAWS)
    def test_a_calm_wait_is_up_to_a_quarter_shorter_than_wanted(self, wanted: float, draw: float) -> None:
        assert 0.75 * wanted <= interval(wanted, 1.0, draw) <= wanted

    @given(WANTED, WIDTHS, DRAWS)
    def test_a_widened_wait_is_longer_and_bounded(self, wanted: float, width: float, draw: float) -> None:
        wider = max(wanted, min(wanted, LONGER) * width)
        assert 0.749 * wider <= interval(wanted, width, draw) <= 1.251 * wider

    def test_steps_are_waited_for_from_one_second_on(self) -> None:
        waits = [step_interval(polls) for polls in range(20)]
        assert waits[0] == FIRST
        assert waits[-1] == LONGER
        assert waits == sorted(waits)

    def test_jitter(self) -> None:
        assert interval(2.0, 4.0, 0) == pytest.approx(6)
        assert interval(2.0, 4.0, 1) == pytest.approx(10)
        assert len({interval(1.0, 2.0, draw / 10) for draw in range(11)}) == 11

    @given(WANTED, WIDTHS, DRAWS)
    def test_who_has_a_step_to_take_goes_ahead(self, wanted: float, width: float, draw: float) -> None:
        ahead, behind = interval(wanted, width, draw, waiting=False), interval(wanted, width, draw)
        assert behind / AHEAD * 0.999 <= ahead <= behind

    @pytest.mark.parametrize(
        ("models", "least"), [(1, 1.0), (10, 10 / 3.25), (50, 50 / 3.25), (200, 200 / 3.25)]
    )
    def test_all_models_of_a_stack_share_the_quota(self, models: int, least: float) -> None:
        assert interval(1.0, 1.0, 0, models=models) == least
        assert interval(1.0, 1.0, 0, models=models, waiting=False) == 1.0

    @pytest.mark.parametrize("wanted", [1.0, 4.0])
    def test_they_keep_apart_once_they_are_and_move_when_refused(self, wanted: float) -> None:
        draws = [draw / 10 for draw in range(11)]
        assert len({interval(wanted, 1.0, draw, models=10) for draw in draws}) == 1
        assert len({interval(wanted, 2.0, draw, models=10, calm=False) for draw in draws}) == 11

    @pytest.mark.parametrize(("models", "longest"), [(1, 0), (2, 5 / 3.25), (10, 45 / 3.25), (200, PUT_OFF)])
    def test_first_looks_are_spread(self, models: int, longest: float) -> None:
        assert first_wait(models, 0) == 0
        assert first_wait(models, 1) == longest

    @given(WIDTHS)
    def test_the_width_doubles_when_refused_and_outlives_one_success(self, width: float) -> None:
        assert widened(width, calm=False) == min(WIDEST, width * 2)
        assert widened(width, calm=True) == max(1.0, width * 0.8)

    def test_the_width_is_gone_after_a_dozen_looks_that_work(self) -> None:
        width = WIDEST
        for _ in range(14):
            width = widened(width, calm=True)
        assert width == 1.0

    @given(WANTED, WIDTHS, DRAWS, st.floats(0, 1000), st.booleans())
    def test_what_the_service_asked_for_is_never_undercut(
        self, wanted: float, width: float, draw: float, retry_after: float, waiting: bool
    ) -> None:
        assert interval(wanted, width, draw, retry_after, waiting) >= retry_after
