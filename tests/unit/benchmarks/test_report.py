"""The page and its goals come from the rows, and nothing that misses a goal is left out."""

from __future__ import annotations

import json

import pytest
from benchmarks import ROOT, goals, plot, report, starts

LAG = {"p50": 1.2, "max": 2.9, "deploys": 10, "failures": 0, "kind": "simulated", "sorted": [0.4, 1.3, 2.9]}


def lag(design, mean, p95, minutes=(1, 55), **more):
    row = {"measure": "lag-virtual", "design": design, "minutes": list(minutes), "mean": mean, "p95": p95}
    return {**LAG, **row, **more}


def work(design, total, invocations=3, **more):
    return {
        "measure": "work",
        "design": design,
        "kind": "simulated",
        "ok": True,
        "memory": 128,
        "looks": 800,
        "other_calls": 9,
        "event_calls": 6,
        "gb_seconds": 230.0,
        "transitions": 0,
        "lag": 1.3,
        "invocations": invocations,
        "price": {"total": total},
        **more,
    }


def growth(models, last_hosted=700.0, **more):
    return {
        "measure": "growth",
        "design": "hosted-model",
        "kind": "simulated",
        "models": models,
        "start_seconds": 600.0,
        "ideal_seconds": 600.0 + (models - 1) / 5,
        "last_hosted": last_hosted,
        "last_answered": last_hosted + 2,
        "hosted": models,
        "failures": 0,
        "reasons": {},
        "ratio": last_hosted / (600.0 + (models - 1) / 5),
        "lag": {},
        "calls": {"DescribeModel": 100 * models},
        "throttled": {},
        "event_calls": 0,
        "invocations": models,
        "function_seconds": 600.0 * models,
        "most_running": models,
        "most_rules": 0,
        "policy_bytes": 400,
        **more,
    }


def footprint(models, resources):
    kept = {"functions": 1, "roles": 1, "statements": 4, "template_bytes": 5000}
    return {
        "measure": "footprint",
        "design": "hosted-model",
        "models": models,
        "resources": resources,
        **kept,
    }


COLD = {"measure": "cold-start", "design": "hosted-model", "runs": 1, "seconds": [0.3], "peak_mib": 60.0}
SYNTH = {"measure": "synth", "design": "hosted-model", "pairs": 1, "seconds": [2.0], "against_seconds": [2.0]}
ASSET = {"measure": "asset", "design": "hosted-model", "assets": 1, "files": 9, "bytes": 150_000}


def start(name, looks=90, mean=0.7, p95=2.0, **more):
    return {
        "measure": "starts",
        "design": "hosted-model",
        "kind": "simulated",
        "name": name,
        "deploys": 10,
        "failures": 0,
        "rules_left": 0,
        "looks": looks,
        "mean": mean,
        "p50": mean,
        "p95": p95,
        "max": p95,
        "least": 60.0,
        "invocations": 20,
        "function_seconds": 500.0,
        "memory": 160,
        "price": {"total": 0.001},
        **more,
    }


AT_ONCE = {**growth(50), "measure": "starts-at-once", "mean_running": 10.0}
GOOD = [
    *(start(name) for name in starts.CASES),
    AT_ONCE,
    growth(10),
    growth(50),
    {**SYNTH, "against": "a function written by hand", "ratio": 1.03, "processor_ratio": 1.03},
    lag("provider-1s", 0.8, 1.4),
    work("provider-1s", 0.036, looks=1400),
    lag("hosted-model", 1.3, 2.4),
    lag("provider-5s", 2.8, 5.1),
    work("hosted-model", 0.003, default=True),
    work("provider-5s", 0.009, 680),
    footprint(1, 6),
    footprint(10, 15),
    footprint(100, 105),
    {**COLD, "what": "handler and client of lookoutvision", "ratio": 1.1, "against": "boto3"},
    {**SYNTH, "against": "a bare CustomResource", "ratio": 1.05, "processor_ratio": 1.05},
    {**ASSET, "zipped_bytes": 60_000},
    growth(1, 600.5),
    growth(200, 700.0),
]
HEAD = {
    "command": "python -m benchmarks",
    "quick": False,
    "began": "2026-01-01T00:00Z",
    "seconds": 600,
    "machine": {"cores": 2, "python": "3.13.0", "platform": "Linux", "load_before": 0.0},
    "versions": {"boto3": "1.43"},
    "failed": {},
}


def results(rows):
    return report.Results(HEAD, rows)


def verdicts(rows):
    return {goal.figure: goal.met for goal in goals.all_of(results(rows))}


def test_every_goal_is_met_by_good_figures():
    assert set(verdicts(GOOD).values()) == {True}


@pytest.mark.parametrize(
    ("figure", "row"),
    [
        ("lag, mean, any start time", lag("hosted-model", 1.6, 2.0, (15, 30))),
        ("lag, mean, any start time", lag("hosted-model", 1.0, 2.0, (15, 30), failures=1)),
        ("lag, p95, any start time", lag("hosted-model", 1.0, 3.1, (15, 30))),
        (
            "lag, mean, any start time",
            {"measure": "lag-real", "design": "hosted-model", "nominal_seconds": 5, "lag": 1.7},
        ),
        ("lag, mean, against the Provider framework's default", lag("provider-5s", 2.5, 5.0)),
        ("invocations for a 30-minute start", work("hosted-model", 0.003, 5, default=True)),
        ("price of a 30-minute deploy", work("hosted-model", 0.005, default=True)),
        ("resources: first model / each further one", footprint(1, 7)),
        ("resources: first model / each further one", footprint(10, 16)),
        ("cold start ratio", {**COLD, "what": "handler and client of rekognition", "ratio": 1.26}),
        (
            "synth ratio",
            {**SYNTH, "against": "a bare CustomResource", "ratio": 1.11, "processor_ratio": 1.0},
        ),
        ("asset", {**ASSET, "zipped_bytes": 100_001}),
        ("200 models at once under the quota", growth(200, 800.0)),
        ("200 models at once under the quota", growth(200, 700.0, failures=1)),
        ("200 models at once under the quota", growth(200, 700.0, ratio=None)),
        ("costs with the number of models", growth(200, 700.0, calls={"DescribeModel": 100 * 200**2})),
    ],
)
def test_one_bad_figure_misses_its_goal(figure, row):
    keys = ("measure", "design", "minutes", "models")
    others = [one for one in GOOD if any(one.get(key) != row.get(key) for key in keys)]
    assert verdicts([row, *others])[figure] is False


def test_what_was_not_measured_is_said():
    assert set(verdicts([]).values()) == {None}
    assert report.page(results([])).count("not measured") == len(goals.GOALS)


def test_a_goal_that_is_missed_is_shown_in_bold():
    assert "**not met**" in report.page(results([lag("hosted-model", 9.9, 9.9)]))


def test_a_goal_and_an_error_are_told_in_whole_words():
    told = "An error occurred (ThrottlingException) when calling the StartModel operation: Rate exceeded"
    row = growth(10, design="crhelper-1min", reasons={told: 3, "no answer in an hour": 1}, ratio=None)
    page = report.page(results([footprint(100, 106), footprint(1, 6), footprint(10, 15), row]))
    assert "| 6 / 9 for 9 more, 100 for 99 more | **not met** |" in page
    assert "| ThrottlingException 3, no answer in an hour 1 |" in page


def test_page_and_pictures_are_made_from_the_rows(tmp_path):
    point = {"measure": "curve", "kind": "simulated", "deploys": 1, "p50": 1, "max": 2, "chosen": True}
    curve = {**point, "design": "hosted-model", "worth": 0.0055, "looks": 800.0, "mean": 1.3, "p95": 2.4}
    file = tmp_path / "rows.json"
    file.write_text(json.dumps({**HEAD, "rows": [*GOOD, curve]}))
    report.write(report.Results.read(file), tmp_path)
    page = (tmp_path / "benchmarks.md").read_text()
    assert "<<" not in page
    assert "1.30 s where it is worst" in page
    for name in report.CHARTS:
        assert f"images/benchmarks-{name}.svg" in page
        assert (tmp_path / "images" / f"benchmarks-{name}.svg").read_text().startswith("<svg")


def test_a_chart_places_the_ends_of_its_axes():
    chart = plot.Chart("a < b", plot.Axis("x", (1, 10, 100), log=True), plot.Axis("y", (0, 2)))
    assert chart._at(10, 1) == (
        plot.LEFT + (plot.WIDTH - plot.LEFT - plot.RIGHT) / 2,
        plot.TOP + (plot.HEIGHT - plot.TOP - plot.BOTTOM) / 2,
    )
    assert chart._at(1000, -1) == (plot.WIDTH - plot.RIGHT, plot.HEIGHT - plot.BOTTOM)
    assert "a &lt; b" in chart.svg()


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (1.0, "1"), (1234.5, "1,234.5"), (12345, "12,345"), ("so", "so")]
)
def test_numbers_are_written_plainly(value, text):
    assert report.number(value) == text


def test_the_page_and_its_pictures_are_those_of_the_committed_rows(tmp_path):
    (tmp_path / "images").mkdir()
    report.write(report.Results.read(ROOT / "benchmarks" / "results.json"), tmp_path)
    for made in (tmp_path / "benchmarks.md", *sorted((tmp_path / "images").iterdir())):
        kept = ROOT / "docs" / made.relative_to(tmp_path)
        assert made.read_text(encoding="utf-8") == kept.read_text(encoding="utf-8"), "make bench-report"
