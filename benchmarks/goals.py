"""The goals, each a row of the page's first table: what was wanted, what was measured, met or not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchmarks.rows import Results, Row

OURS, PEER = "hosted-model", "provider-5s"
MOST_MODELS = 200
#: "No cost that grows faster than the number of models": cost ~ models^p, and this much of p is rounding.
MOST_EXPONENT = 1.05


@dataclass(frozen=True)
class Goal:
    """One goal; ``met`` is None where nothing was measured."""

    figure: str
    goal: str
    measured: str
    met: bool | None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "**not met**", None: "not measured"}[self.met]


def all_of(results: Results) -> list[Goal]:
    """Return every goal; one whose rows are missing is not measured, never left out."""
    return [goal(results) for goal in GOALS]


def _none(figure: str, goal: str) -> Goal:
    return Goal(figure, goal, "-", None)


def _buckets(results: Results, design: str) -> dict[tuple[int, int], Row]:
    rows = results.of("lag-virtual", design=design)
    return {(row["minutes"][0], row["minutes"][1]): row for row in rows}


def _real(results: Results, design: str) -> dict[int, float]:
    rows = results.of("lag-real", design=design)
    starts = sorted({row["nominal_seconds"] for row in rows})
    return {s: fmean(row["lag"] for row in rows if row["nominal_seconds"] == s) for s in starts}


def lag_mean(results: Results) -> Goal:
    figure, goal = "lag, mean, any start time", "at most 1.5 s"
    found, real = _buckets(results, OURS), _real(results, OURS)
    if not found:
        return _none(figure, goal)
    worst = max(row["mean"] for row in found.values())
    text = f"{worst:.2f} s where it is worst, in virtual time"
    if real:
        text += f"; {max(real.values()):.2f} s on the local cloud"
    failed = any(row["failures"] for row in found.values())
    return Goal(figure, goal, text, not failed and max([worst, *real.values()]) <= 1.5)


def lag_p95(results: Results) -> Goal:
    figure, goal = "lag, p95, any start time", "at most 3 s"
    found = _buckets(results, OURS)
    if not found:
        return _none(figure, goal)
    worst = max(row["p95"] for row in found.values())
    text = f"{worst:.2f} s where it is worst, in virtual time"
    real = [row["lag"] for row in results.of("lag-real", design=OURS)]
    if real:
        text += f"; at most {max(real):.2f} s in {len(real)} deploys on the local cloud"
    return Goal(figure, goal, text, worst <= 3.0 and max(real, default=0) <= 3.0)


def lag_ratio(results: Results) -> Goal:
    figure, goal = "lag, mean, against the Provider framework's default", "at most half"
    ours, peer = _buckets(results, OURS), _buckets(results, PEER)
    if not ours or not peer:
        return _none(figure, goal)
    every = (1, 55)
    ratios = [ours[every]["mean"] / peer[every]["mean"]]
    text = f"{ratios[0]:.2f} in virtual time (the framework is modelled there)"
    real, other = _real(results, OURS), _real(results, PEER)
    if real and other:
        measured = fmean(real.values()) / fmean(other.values())
        ratios.append(measured)
        text += f"; {measured:.2f} over all starts on the local cloud"
    return Goal(figure, goal, text, max(ratios) <= 0.5)


def _work(results: Results) -> tuple[Row | None, Row | None]:
    ours, peer = results.of("work", design=OURS, default=True), results.of("work", design=PEER)
    return (ours[0] if ours else None), (peer[0] if peer else None)


def invocations(results: Results) -> Goal:
    figure, goal = "invocations for a 30-minute start", "at most 4"
    ours, peer = _work(results)
    if not ours:
        return _none(figure, goal)
    text = f"{ours['invocations']:g}"
    if peer:
        text += f"; the Provider framework {peer['invocations']:.0f} (modelled)"
    return Goal(figure, goal, text, ours["invocations"] <= 4)


def price(results: Results) -> Goal:
    figure, goal = "price of a 30-minute deploy", "at most half of the Provider framework's"
    ours, peer = _work(results)
    if not ours or not peer:
        return _none(figure, goal)
    ratio = ours["price"]["total"] / peer["price"]["total"]
    text = (
        f"{100 * ours['price']['total']:.2f} cents with {ours['memory']} MiB, the framework "
        f"{100 * peer['price']['total']:.2f} cents: {ratio:.2f}"
    )
    return Goal(figure, goal, text, ratio <= 0.5)


def resources(results: Results) -> Goal:
    figure, goal = "resources: first model / each further one", "at most 6 / exactly 1"
    found = {row["models"]: row["resources"] for row in results.of("footprint", design=OURS)}
    if len(found) < 2 or 1 not in found:
        return _none(figure, goal)
    further = {size - 1: found[size] - found[1] for size in sorted(found) if size > 1}
    text = f"{found[1]} / " + ", ".join(f"{count} for {models} more" for models, count in further.items())
    met = found[1] <= 6 and all(count == models for models, count in further.items())
    return Goal(figure, goal, text, met)


def _worst_ratio(results: Results, figure: str, goal: str, rows: list[Row], most: float, of: str) -> Goal:
    if not rows:
        return _none(figure, goal)
    worst = max(rows, key=lambda row: float(row["ratio"]))
    return Goal(figure, goal, f"{worst['ratio']:.2f} ({worst[of]})", worst["ratio"] <= most)


def cold_start(results: Results) -> Goal:
    rows = [
        row
        for row in results.of("cold-start", design=OURS)
        # One client: what the function has when it works. Compiled files are not in the asset.
        if row["what"].startswith("handler and client of") and "compiled" not in row["what"]
    ]
    return _worst_ratio(results, "cold start ratio", "at most 1.25", rows, 1.25, "what")


def synth(results: Results) -> Goal:
    rows = results.of("synth", against="a bare CustomResource")
    return _worst_ratio(results, "synth ratio", "at most 1.10", rows, 1.10, "against")


def asset(results: Results) -> Goal:
    figure, goal = "asset", "at most 100 KB"
    rows = results.of("asset", design=OURS)
    if not rows:
        return _none(figure, goal)
    zipped, plain = rows[0]["zipped_bytes"], rows[0]["bytes"]
    text = f"{zipped / 1000:.0f} KB as it is stored and loaded, {plain / 1000:.0f} KB unpacked"
    return Goal(figure, goal, text, zipped <= 100_000)


def growth(results: Results) -> Goal:
    figure = f"{MOST_MODELS} models at once under the quota"
    goal = "all HOSTED, no failure, the last within 1.2 times the ideal"
    rows = results.of("growth", design=OURS, models=MOST_MODELS)
    if not rows:
        return _none(figure, goal)
    texts = [
        f"start of {row['start_seconds'] / 60:g} minutes: {row['hosted']} HOSTED, {row['failures']} failed, "
        f"the last at {row['ratio'] or math.nan:.2f} times the ideal"
        for row in rows
    ]
    met = all(row["failures"] == 0 and row["ratio"] is not None and row["ratio"] <= 1.2 for row in rows)
    return Goal(figure, goal, "; ".join(texts), met)


COSTS: dict[str, Callable[[Row], Any]] = {
    "calls": lambda row: sum(row["calls"].values()),
    "invocations": lambda row: row["invocations"],
    "function seconds": lambda row: row["function_seconds"],
    "concurrent invocations": lambda row: row["most_running"],
    "policy bytes": lambda row: row["policy_bytes"],
}


def costs(results: Results) -> Goal:
    figure, goal = "costs with the number of models", "none grows faster than the number"
    rows = results.of("growth", design=OURS)
    pairs = []
    for start in sorted({row["start_seconds"] for row in rows}):
        sizes = {row["models"]: row for row in rows if row["start_seconds"] == start}
        if 1 in sizes and max(sizes) > 1:
            pairs.append((sizes[1], sizes[max(sizes)]))
    if not pairs:
        return _none(figure, goal)
    exponents = {
        name: max(math.log(cost(many) / cost(one)) / math.log(many["models"]) for one, many in pairs)
        for name, cost in COSTS.items()
    }
    shown = ", ".join(f"{name} {power:.2f}" for name, power in exponents.items())
    return Goal(
        figure,
        goal,
        f"as a power of the number, 1 is in proportion: {shown}",
        max(exponents.values()) <= MOST_EXPONENT,
    )


GOALS: tuple[Callable[[Any], Goal], ...] = (
    lag_mean,
    lag_p95,
    lag_ratio,
    invocations,
    price,
    resources,
    cold_start,
    synth,
    asset,
    growth,
    costs,
)
