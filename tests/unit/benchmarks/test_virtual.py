"""Rows, prices and the designs in virtual time, in small."""

from __future__ import annotations

import random

import pytest
from benchmarks import growth, prices, starts, virtual, work
from benchmarks.__main__ import MEASURES, _measure


def test_a_price_is_the_sum_of_its_items():
    found = prices.cost({"lambda-request": 1_000_000, "transition": 2000, "lambda-arm64": 0})
    assert found == pytest.approx({"lambda-request": 0.20, "transition": 0.05, "total": 0.25})


@pytest.mark.parametrize("name", prices.PRICES)
def test_every_price_names_its_page_and_date(name):
    price = prices.PRICES[name]
    assert price.page
    assert price.read >= "2026-01"


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_is_there(name):
    assert callable(_measure(name))


@pytest.mark.parametrize("interval", [1.0, 5.0])
def test_the_framework_is_late_by_a_round_at_most(interval):
    draws = random.Random(1)
    longest = interval + 3 * virtual.PROVIDER_ROUND_SECONDS
    for start in (60, 600, 3300):
        run = virtual.provider(interval, start, draws)
        assert 0 < run.lag <= longest
        assert run.looks == pytest.approx(2 + start / (interval + virtual.PROVIDER_ROUND_SECONDS), rel=0.1)
        assert run.invocations == 2 * run.looks


@pytest.mark.parametrize(
    ("design", "most", "invocations"),
    [
        ("hosted-model", 20.5, 1),
        ("crhelper-1min", 61.0, 3),
        ("crhelper-2min", 121.0, 2),
        ("sleeper-5s", 6.0, 1),
    ],
)
def test_each_design_hosts_a_model_in_virtual_time(design, most, invocations):
    run = virtual.deploy(design, 100.0, seed=1)
    assert run.ok
    assert 0 < run.lag < most
    assert run.invocations == invocations
    assert run.function_seconds > 0


def test_a_function_that_sleeps_fails_after_its_quarter_of_an_hour():
    run = virtual.deploy("sleeper-5s", 1000.0, seed=1)
    assert (run.ok, run.lag) == (False, None)


def test_the_curve_takes_the_worth_that_it_is_given():
    from hosted_model_runtime.decisions import polling

    before = polling.LOOK_SECONDS
    (short,) = virtual._with_worth(0.001, [400.0], 1)
    (long,) = virtual._with_worth(0.05, [400.0], 1)
    assert short.looks > 1.5 * long.looks
    assert before == polling.LOOK_SECONDS


def test_the_least_looks_times_lag_is_what_arithmetic_says():
    assert starts.least("known within 5 %") == pytest.approx(93.4, abs=0.1)
    assert starts.least("nothing known, 5 to 30 minutes") == pytest.approx(333.3, abs=0.1)


def test_a_start_that_is_known_is_left_to_ticks_and_found_at_once():
    (run,) = starts._deploys("known within 5 %", 0, 1)
    assert run["ok"]
    assert run["lag"] < 3
    assert run["seconds"] < 900
    assert run["rules"] == 0
    assert starts._row("known within 5 %", [run])["price"]["total"] > 0


def test_start_times_cover_every_range_alike():
    starts = virtual._starts("hosted-model", 4)
    for low, high in virtual.BUCKETS:
        assert sum(60 * low <= start < 60 * high for start in starts) == 4


def test_quantiles_are_of_the_sorted_values():
    assert virtual.spread_of(range(100)) == {"mean": 49.5, "p50": 50, "p95": 95, "max": 99}
    assert virtual.spread_of([]) == {}
    assert len(virtual._thinned([float(n) for n in range(1000)])) == 101


@pytest.mark.parametrize("design", growth.DESIGNS)
def test_three_models_at_once_are_counted(design):
    row = growth.grow(design, 3, 30.0)
    assert (row["models"], row["hosted"], row["failures"]) == (3, 3, 0)
    assert row["ideal_seconds"] == pytest.approx(30.4)
    assert row["last_hosted"] >= 30
    assert row["most_running"] == 3
    assert row["most_rules"] == (0 if design == "hosted-model" else 3)
    assert row["calls"]["StartModel"] == 3


def test_the_default_memory_is_the_constructs():
    assert work.default_memory() in range(128, 10241)


def test_half_an_hour_by_a_state_machine_is_a_transition_a_look():
    run = virtual.Run(1800, True, 2.0, 101, 1, 0, 0, 202, 0.0)
    row = work.modelled_provider("provider-5s", [run])
    assert row["transitions"] == 100
    assert row["price"]["transition"] == pytest.approx(0.0025)
    assert row["price"]["total"] > 0.0025
