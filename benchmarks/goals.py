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
    return _worst_ratio(results, "cold start ratio", "at most 1.15", rows, 1.15, "what")


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


def _start(results: Results, name: str) -> Row | None:
    return next(iter(results.of("starts", name=name)), None)


def _known(name: str, looks: float, mean: float, p95: float) -> Callable[[Any], Goal]:
    """Return the goal for starts whose end is known more or less: looks, and lag."""

    def known(results: Results) -> Goal:
        figure = f"looks and lag, {name}"
        goal = f"at most {looks:g} looks, {mean:g} s on average, {p95:g} s for 95 of 100"
        row = _start(results, name)
        if row is None:
            return _none(figure, goal)
        product = row["looks"] * row["mean"]
        text = (
            f"{row['looks']:.0f} looks, {row['mean']:.2f} s, {row['p95']:.2f} s; looks times lag is "
            f"{product:.0f} s, {product / row['least']:.2f} times the least that any schedule has"
        )
        met = row["looks"] <= looks and row["mean"] <= mean and row["p95"] <= p95 and not row["failures"]
        return Goal(figure, goal, text, met)

    return known


def wrong_memory(results: Results) -> Goal:
    figure, goal = (
        "lag when the last start took half or twice as long, p95",
        "at most 4 s, no deadline missed",
    )
    rows = [row for row in results.of("starts") if row["name"].startswith("remembered")]
    if not rows:
        return _none(figure, goal)
    text = "; ".join(f"{row['p95']:.2f} s {row['name']}, {row['failures']} failed" for row in rows)
    return Goal(figure, goal, text, all(row["p95"] <= 4 and not row["failures"] for row in rows))


def lag_known(results: Results) -> Goal:
    figure = "mean lag against the Provider framework at 1 s, last start known"
    goal = "at most 1.0 times, with a fifth of its looks"
    row, peers = _start(results, "known within 5 %"), results.of("work", design="provider-1s")
    peer = _buckets(results, "provider-1s").get((1, 55))
    if row is None or not peers or peer is None:
        return _none(figure, goal)
    ratio, looks = row["mean"] / peer["mean"], row["looks"] / peers[0]["looks"]
    text = f"{ratio:.2f} times, with {looks:.2f} of its looks (the framework is modelled)"
    return Goal(figure, goal, text, ratio <= 1.0 and looks <= 0.2)


def price_known(results: Results) -> Goal:
    figure, goal = "price of a 30-minute deploy, last start known", "at most 0.15 of the Provider framework's"
    row, (_, peer) = _start(results, "known within 5 %"), _work(results)
    if row is None or not peer:
        return _none(figure, goal)
    ratio = row["price"]["total"] / peer["price"]["total"]
    text = f"{100 * row['price']['total']:.2f} cents, {ratio:.2f}"
    return Goal(figure, goal, text, ratio <= 0.15)


def at_once(results: Results) -> Goal:
    figure = "executions at once, 50 models of 30 minutes that are known, mean over the wait"
    rows = results.of("starts-at-once", models=50)
    if not rows:
        return _none(figure, "at most 12")
    row = rows[0]
    text = f"{row['mean_running']:.1f}, at most {row['most_running']} at a time; {row['failures']} failed"
    return Goal(figure, "at most 12", text, row["mean_running"] <= 12 and not row["failures"])


def _many(models: int, seconds: float, refused: float) -> Callable[[Any], Goal]:
    """Return the goal for so many models at once: when the last is answered, and what the quota refuses."""

    def many(results: Results) -> Goal:
        figure = f"{models} models at once: last answer after the last model runs, and calls refused"
        goal = f"at most {seconds:g} s, {100 * refused:g} %"
        rows = [row for row in results.of("growth", design=OURS, models=models) if row["last_hosted"]]
        if not rows:
            return _none(figure, goal)
        late = [row["last_answered"] - row["last_hosted"] for row in rows]
        shares = [sum(row["throttled"].values()) / max(1, sum(row["calls"].values())) for row in rows]
        text = "; ".join(
            f"start of {row['start_seconds'] / 60:g} minutes: {after:.1f} s, {100 * share:.1f} %"
            for row, after, share in zip(rows, late, shares, strict=True)
        )
        return Goal(figure, goal, text, max(late) <= seconds and max(shares) <= refused)

    return many


def refused(results: Results) -> Goal:
    figure = f"{MOST_MODELS} models at once: last model runs against the ideal, and calls refused"
    goal = "at most 1.10 times, 25 %"
    rows = [row for row in results.of("growth", design=OURS, models=MOST_MODELS) if row["ratio"]]
    if not rows:
        return _none(figure, goal)
    ratio = max(row["ratio"] for row in rows)
    share = max(sum(row["throttled"].values()) / max(1, sum(row["calls"].values())) for row in rows)
    return Goal(figure, goal, f"{ratio:.2f} times, {100 * share:.0f} %", ratio <= 1.10 and share <= 0.25)


def synth_against_a_function(results: Results) -> Goal:
    rows = results.of("synth", against="a function written by hand")
    return _worst_ratio(
        results, "synth ratio to a function written by hand", "at most 1.05", rows, 1.05, "against"
    )


GOALS: tuple[Callable[[Any], Goal], ...] = (
    _known("known within 5 %", 100, 1.0, 2.5),
    _known("known within 15 %", 250, 1.2, 3),
    _known("nothing known, 5 to 30 minutes", 300, 1.5, 4),
    wrong_memory,
    lag_known,
    lag_mean,
    lag_p95,
    lag_ratio,
    invocations,
    price,
    price_known,
    at_once,
    _many(10, 4, 0.01),
    _many(50, 20, 0.10),
    refused,
    resources,
    cold_start,
    synth,
    synth_against_a_function,
    asset,
    growth,
    costs,
)
