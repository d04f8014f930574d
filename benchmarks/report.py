"""``python -m benchmarks.report [FILE]``: makes docs/benchmarks.md and its pictures from one file of rows."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import ROOT, goals
from benchmarks.plot import NAMES as SHORT
from benchmarks.plot import Axis, Chart
from benchmarks.prices import PRICES, REGION, cost
from benchmarks.rows import Results

DOCS = ROOT / "docs"
DESIGNS = ("hosted-model", "crhelper-2min", "crhelper-1min", "provider-5s", "provider-1s", "sleeper-5s")
#: Which of our schedule's choices are named in the picture, beside the chosen one.
CURVE_TEXTS = (0.0002, 0.001, 0.01, 0.05)
#: Where two dots of the peers are close, or close to our line, their texts keep out of each other's way.
CURVE_PLACES = {"provider-5s": "left", "sleeper-5s": "below", "provider-1s": "below"}
NAMES = {
    "hosted-model": "this project",
    "crhelper-2min": "crhelper, its defaults",
    "crhelper-1min": "crhelper, its floor of a minute",
    "provider-5s": "CDK Provider framework, its default",
    "provider-1s": "CDK Provider framework, 1 s",
    "sleeper-5s": "a function that sleeps, 5 s",
    # Where the interval makes no difference.
    "crhelper": "crhelper",
    "provider": "CDK Provider framework",
    "sleeper": "a function that sleeps",
    "durable-2s": "a durable function, 2 s",
    "durable-5s": "a durable function, 5 s",
    "scheduler-60s": "EventBridge Scheduler, 1 min",
}


def number(value: Any, digits: int = 2) -> str:
    """Return a number as a table shows it; a dash for none."""
    if value is None:
        return "-"
    if isinstance(value, float):
        text = f"{value:,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], words: int = 0) -> str:
    """Return a table; every column but the first, and the last so many, is of numbers."""
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1 - words)}{'---|' * words}"]
    lines += [f"| {' | '.join(c if isinstance(c, str) else number(c) for c in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


# --- sections --------------------------------------------------------------------------------------------


def _goals(results: Results) -> str:
    rows = [(goal.figure, goal.goal, goal.measured, goal.verdict) for goal in goals.all_of(results)]
    head = "| figure | goal | measured | |\n|---|---|---|---|\n"
    return head + "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _lag(results: Results) -> str:
    rows = []
    for design in DESIGNS:
        for row in results.of("lag-virtual", design=design):
            low, high = row["minutes"]
            rows.append(
                (
                    NAMES[design] if (low, high) == (1, 55) else "",
                    f"{low} to {high}",
                    row["deploys"],
                    *(row.get(key) for key in ("mean", "p50", "p95", "max")),
                    row["failures"],
                    row["kind"],
                )
            )
    head = ("design", "start, minutes", "deploys", "mean", "p50", "p95", "max", "failed", "how")
    return table(head, rows, words=1)


def _lag_real(results: Results) -> str:
    rows = []
    for design in DESIGNS:
        found = results.of("lag-real", design=design)
        for nominal in sorted({row["nominal_seconds"] for row in found}):
            lags = sorted(row["lag"] for row in found if row["nominal_seconds"] == nominal)
            rows.append((NAMES[design], nominal, len(lags), fmean(lags), lags[0], lags[-1]))
    return table(("design", "start, s", "deploys", "mean", "least", "most"), rows)


def _round(results: Results) -> str:
    """Say what a round of the framework took for real beside its interval."""
    texts = []
    for design, interval in (("provider-5s", 5.0), ("provider-1s", 1.0)):
        # From long starts, whose rounds are many.
        rows = [
            row
            for row in results.of("lag-real", design=design)
            if row["nominal_seconds"] >= 20 and row["describe_calls"] > 2
        ]
        rounds = [row["start_seconds"] / (row["describe_calls"] - 1) - interval for row in rows]
        if rounds:
            texts.append(f"{fmean(rounds):.2f} s at {interval:g} s")
    if not texts:
        return ""
    return f"A round of the Provider framework took {' and '.join(texts)}, beside that interval."


def _worth(row: dict[str, Any]) -> str:
    return f"{1000 * row['worth']:g} ms"


def _curve(results: Results) -> str:
    rows = [
        (
            f"{NAMES[row['design']]}, a look worth {_worth(row)}"
            if row.get("worth")
            else NAMES[row["design"]],
            row["looks"],
            *(row.get(key) for key in ("mean", "p95")),
            "chosen" if row["chosen"] else row["kind"],
        )
        for row in results.of("curve")
    ]
    return table(("design", "DescribeModel calls", "lag, mean", "lag, p95", ""), rows, words=1)


def _starts(results: Results) -> str:
    keys = ("deploys", "looks", "mean", "p95", "max")
    rows = [
        (
            row["name"],
            *(row[key] for key in keys),
            row["looks"] * row["mean"],
            row["least"] if row["name"].startswith(("known", "nothing")) else None,
            row["invocations"],
            row["function_seconds"],
            f"{100 * row['price']['total']:.4f}",
            row["failures"],
        )
        for row in results.of("starts")
    ]
    head = ("last start", "deploys", "looks", "lag, mean", "p95", "max", "looks times lag", "the least")
    return table((*head, "invocations", "function s", "US cents", "failed"), rows)


def _work(results: Results) -> str:
    keys = ("memory", "invocations", "looks", "other_calls", "event_calls", "gb_seconds", "transitions")
    rows = []
    for row in results.of("work"):
        name = NAMES[row["design"]]
        name += " (the default)" if row.get("default") else ""
        rows.append(
            (
                name,
                *(row[key] for key in keys),
                f"{100 * row['price']['total']:.4f}",
                number(row["lag"]) if row["ok"] else "fails",
                row["kind"],
            )
        )
    head = ("design", "MiB", "invocations", "looks", "other calls", "EventBridge calls", "GB-s")
    return table((*head, "transitions", "US cents", "mean lag, s", "how"), rows, words=1)


def _prices(_: Results) -> str:
    rows = [
        (f"{price.dollars:.10f}".rstrip("0").rstrip("."), price.unit, price.page, price.read)
        for price in PRICES.values()
    ]
    return table(("dollars", "for a", "page", "read"), rows, words=3)


def _footprint(results: Results) -> str:
    keys = ("models", "resources", "functions", "roles", "statements", "template_bytes")
    rows = [(NAMES[row["design"]], *(row[key] for key in keys)) for row in results.of("footprint")]
    return table(("design", "models", "resources", "functions", "roles", "IAM statements", "bytes"), rows)


def _asset(results: Results) -> str:
    rows = [
        (
            NAMES[row["design"]],
            row["assets"],
            row["files"],
            row["bytes"],
            row["zipped_bytes"],
        )
        for row in results.of("asset")
    ]
    return table(("design", "assets", "files", "bytes", "bytes of the archives"), rows)


def _synth(results: Results) -> str:
    rows = [
        (
            row["against"],
            row["pairs"],
            fmean(row["seconds"]),
            fmean(row["against_seconds"]),
            row["ratio"],
            row["processor_ratio"],
        )
        for row in results.of("synth")
    ]
    return table(("against", "pairs", "ours, s", "its, s", "ratio", "ratio of processor time"), rows)


def _cold_start(results: Results) -> str:
    rows = [
        (
            row["what"],
            row["runs"],
            fmean(row["seconds"]),
            row["peak_mib"],
            row.get("ratio"),
            row.get("processor_ratio"),
            row.get("against", ""),
        )
        for row in results.of("cold-start")
    ]
    head = ("what", "runs", "mean, s", "peak MiB", "ratio", "ratio of processor time", "to")
    return table(head, rows, words=1)


def by_memory(results: Results) -> list[dict[str, Any]]:
    """Return what each memory size costs: dollars of a 30-minute deploy, and the mean lag of one."""
    rows, work = results.of("cpu-share"), results.of("work", design="hosted-model", default=True)
    if not rows or not work:
        return []
    seconds, whole = work[0]["gb_seconds"] / work[0]["memory"], max(rows, key=lambda row: row["memory"])
    return [
        {
            **row,
            "dollars": cost(
                {"lambda-request": work[0]["invocations"], "lambda-arm64": seconds * row["memory"]}
            )["total"],
            # In virtual time processors are as fast as a whole core.
            "lag": work[0]["lag"] + row["answer"] - whole["answer"],
        }
        for row in rows
    ]


def _cpu_share(results: Results) -> str:
    rows = [
        (
            f"{row['memory']} (the default)" if row["default"] else str(row["memory"]),
            row["share"],
            *(row[key] for key in ("first look", "handover", "answer", "lag")),
            f"{100 * row['dollars']:.4f}",
        )
        for row in by_memory(results)
    ]
    head = (
        "MiB",
        "of a core",
        "first look, s",
        "handover, s",
        "seen to answer, s",
        "mean lag, s",
        "US cents",
    )
    return table(head, rows) if rows else "Not measured: no control group could be made on that machine."


def _growth(results: Results) -> str:
    """Two tables, of the times and of what they cost: one would be too wide for a page."""
    found = results.of("growth")
    found.sort(key=lambda row: (row["start_seconds"], DESIGNS.index(row["design"]), row["models"]))
    which = [(NAMES[row["design"]], number(row["start_seconds"] / 60), row["models"]) for row in found]
    times = ("ideal_seconds", "last_hosted", "last_answered", "ratio", "failures")
    costs = ("invocations", "most_running", "most_rules", "policy_bytes")
    one = ("design", "start, min", "models")
    return "\n".join(
        [
            table(
                (*one, "ideal, s", "last HOSTED, s", "last answered, s", "ratio", "failed"),
                [(*its, *(row[key] for key in times)) for its, row in zip(which, found, strict=True)],
            ),
            table(
                (*one, "calls", "throttled", "invocations", "at once", "rules", "policy bytes"),
                [
                    (
                        *its,
                        *(sum(row[key].values()) for key in ("calls", "throttled")),
                        *(row[k] for k in costs),
                    )
                    for its, row in zip(which, found, strict=True)
                ],
            ),
        ]
    )


def _throttled(results: Results) -> str:
    rows = [
        (
            NAMES[row["design"]],
            number(row["start_seconds"] / 60),
            row["models"],
            ", ".join(f"{name} {count:,}" for name, count in sorted(row["throttled"].items())) or "none",
            ", ".join(f"{name} {count:,}" for name, count in _errors(row["reasons"]).items()) or "none",
        )
        for row in results.of("growth")
        if row["models"] > 1
    ]
    return table(("design", "start, min", "models", "throttled", "failures"), rows, words=2)


def _errors(reasons: dict[str, int]) -> Counter[str]:
    """How often each error failed a deploy: its code where the Reason is a message of botocore's."""
    found: Counter[str] = Counter()
    for reason, count in reasons.items():
        code = re.match(r"An error occurred \((\w+)\)", reason)
        found[code[1] if code else reason] += count
    return found


# --- pictures --------------------------------------------------------------------------------------------


def lag_chart(results: Results) -> Chart:
    """Return the share of deploys that are answered within so many seconds."""
    chart = Chart(
        "Lag after HOSTED, starts of 1 to 55 minutes",
        Axis("seconds after HOSTED", (0.2, 0.5, 1, 2, 5, 10, 20, 60, 120), log=True),
        Axis("share of deploys answered, %", (0, 25, 50, 75, 100)),
    )
    for design in DESIGNS:
        for row in results.of("lag-virtual", design=design, minutes=[1, 55]):
            lags = row["sorted"]
            answered = 100 * (1 - row["failures"] / row["deploys"])
            points = [(lag, answered * n / max(1, len(lags) - 1)) for n, lag in enumerate(lags)]
            chart.line(design, points, dashed=row["kind"] == "modelled")
    return chart


def curve_chart(results: Results) -> Chart:
    """Return lag against looks: our schedule's choices, and each peer's point."""
    chart = Chart(
        "Lag against calls, start of 30 minutes",
        Axis("DescribeModel calls in one start", (10, 20, 50, 100, 200, 500, 1000, 2000, 5000), log=True),
        Axis("mean lag, seconds", (0.2, 0.5, 1, 2, 5, 10, 20, 60, 120), log=True),
    )
    ours = results.of("curve", design="hosted-model")
    if ours:
        chart.line("hosted-model", [(row["looks"], row["mean"]) for row in ours])
    for row in results.of("curve"):
        # Our line's texts are on its other side, and not every one, so that none lies over another.
        design, worth = row["design"], row.get("worth")
        named = worth is None or row["chosen"] or worth in CURVE_TEXTS
        text = SHORT[design] if worth is None else _worth(row)
        chart.mark(
            design,
            (row["looks"], row["mean"]),
            text if named else "",
            strong=row["chosen"],
            place=CURVE_PLACES.get(design, "above"),
        )
    return chart


def growth_chart(results: Results) -> Chart:
    """Return how much later than ideal the last model is up."""
    chart = Chart(
        "Last model HOSTED against the ideal, 5 requests a second",
        Axis("models created at once", (1, 2, 5, 10, 20, 50, 100, 200), log=True),
        Axis("times the ideal", (1, 1.05, 1.1, 1.15, 1.2, 1.25)),
    )
    chart.line("the goal", [(1, 1.2), (200, 1.2)], dashed=True)
    shortest = min((row["start_seconds"] for row in results.of("growth")), default=0)
    for design in ("hosted-model", "crhelper-1min"):
        rows = sorted(results.of("growth", design=design), key=lambda row: row["models"])
        if own := [row for row in rows if row["start_seconds"] == shortest and row["ratio"]]:
            chart.line(design, [(row["models"], row["ratio"]) for row in own])
            last = own[-1]
            chart.mark(
                design, (last["models"], last["ratio"]), "" if design == "hosted-model" else "then it fails"
            )
    return chart


def memory_chart(results: Results) -> Chart:
    """Return lag against price, a point for each memory size."""
    chart = Chart(
        "Lag against price over memory sizes, start of 30 minutes",
        Axis("US cents for one deploy", (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2), log=True),
        Axis("mean lag, seconds", (0, 1, 2, 3, 4, 5, 6)),
    )
    rows = by_memory(results)
    if rows:
        chart.line("hosted-model", [(100 * row["dollars"], row["lag"]) for row in rows])
    for row in rows:
        point = (100 * row["dollars"], row["lag"])
        chart.mark("hosted-model", point, f"{row['memory']} MiB", strong=row["default"])
    return chart


CHARTS: dict[str, Callable[[Results], Chart]] = {
    "lag": lag_chart,
    "curve": curve_chart,
    "growth": growth_chart,
    "memory": memory_chart,
}


# --- the page --------------------------------------------------------------------------------------------


def _how(results: Results) -> str:
    head, machine = results.head, results.head["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in head["versions"].items())
    note = (
        "**This was a quick run: few repetitions, not every size, and means that a repetition changes.** "
        if head["quick"]
        else ""
    )
    missing = (
        f" Measures that ended with an error: {', '.join(head['failed'])}." if head.get("failed") else ""
    )
    return (
        f"{note}`{head['command']}`, begun {head['began']}, {head['seconds'] / 60:.0f} minutes on "
        f"{machine['cores']} cores (load before: {machine['load_before']}), {machine['platform']}, "
        f"Python {machine['python']}, {versions}.{missing}"
    )


def page(results: Results) -> str:
    """Return docs/benchmarks.md."""
    made = {
        "how": _how(results),
        "goals": _goals(results),
        "lag": _lag(results),
        "lag_real": _lag_real(results),
        "round": _round(results),
        "curve": _curve(results),
        "work": _work(results),
        "starts": _starts(results),
        "prices": _prices(results),
        "region": REGION,
        "footprint": _footprint(results),
        "asset": _asset(results),
        "synth": _synth(results),
        "cold_start": _cold_start(results),
        "cpu_share": _cpu_share(results),
        "growth": _growth(results),
        "throttled": _throttled(results),
    }
    text = (Path(__file__).parent / "page.md").read_text()
    for name, content in made.items():
        text = text.replace(f"<<{name}>>", content.rstrip("\n"))
    return text


def write(results: Results, docs: Path = DOCS) -> None:
    """Write the page and its pictures."""
    (docs / "benchmarks.md").write_text(page(results))
    (docs / "images").mkdir(exist_ok=True)
    for name, chart in CHARTS.items():
        (docs / "images" / f"benchmarks-{name}.svg").write_text(chart(results).svg())


def main(arguments: Sequence[str]) -> int:
    source = Path(arguments[0]) if arguments else ROOT / "benchmarks" / "results.json"
    write(Results.read(source))
    print(DOCS / "benchmarks.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
