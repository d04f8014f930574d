#!/usr/bin/env python3
"""Draw docs/images/dashboard.svg from a run of examples/alarms-and-dashboard on a local cloud.

``monitoring.py record`` runs the example (about three minutes) and writes docs/data/monitoring.json;
``monitoring.py`` draws that file. Both are committed.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
DATA, PICTURE = ROOT / "docs/data/monitoring.json", ROOT / "docs/images/dashboard.svg"
PROJECT, VERSION = "circuit-boards", "v1"
IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


class Recording:
    """The example's life on a local cloud, with calls beside it."""

    def __init__(self, cloud: Any, folder: Path) -> None:
        from hosted_model_local import clients

        self.cloud, self.folder = cloud, folder
        self.simulator = clients.Simulator(cloud.simulator_url)
        self.began = time.time()
        self.seen: list[list[Any]] = []
        self.calls: list[list[Any]] = []
        self.marks: list[list[Any]] = []
        self.rate = 0.0
        self._over = threading.Event()

    def seed(self, **members: object) -> None:
        self.simulator.seed(PROJECT, VERSION, service="rekognition", **members)

    def model(self) -> Any:
        return next(one for one in self.simulator.models() if one.service == "rekognition")

    def now(self) -> float:
        return round(time.time() - self.began, 2)

    def watch(self) -> None:
        """Note the model's status and units, once a second."""
        while not self._over.wait(1):
            model = self.model()
            self.seen.append([self.now(), model.status, model.units])
            if model.status == "FAILED":
                # The rollback's start is not to fail, too.
                self.seed(start_outcome="RUNNING", status_message="")

    def call(self) -> None:
        """Send images at ``rate`` a second; note how long each took and what came back."""
        import botocore.session
        from botocore.config import Config
        from botocore.exceptions import ClientError

        client = botocore.session.get_session().create_client(
            "rekognition",
            region_name=self.cloud.region,
            endpoint_url=self.cloud.simulator_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )
        arn = self.model().arn
        while not self._over.is_set():
            if not self.rate:
                time.sleep(0.1)
                continue
            start, code = time.time(), ""
            try:
                client.detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": IMAGE})
            except ClientError as error:
                code = error.response["Error"]["Code"]
            self.calls.append([self.now(), round(1000 * (time.time() - start), 1), code])
            time.sleep(max(0.0, 1 / self.rate - (time.time() - start)))

    def cdk(self, words: str, *arguments: str) -> int:
        from hosted_model_local import processes

        self.marks.append([self.now(), words])
        child = processes.start(
            ["cdk", *arguments, "--ci"],
            environment=self.cloud.process_environment(),
            cwd=self.folder,
            log=self.folder / f"{len(self.marks)}.log",
        )
        return int(child.wait(240))

    def deploy(self, words: str, units: int) -> int:
        return self.cdk(words, "deploy", "--require-approval", "never", "-c", f"units={units}")

    def live(self) -> None:
        """Deploy, use, leave idle, change the units, fail, destroy."""
        expect(self.deploy("deploy", 1) == 0)
        self.rate = 2
        time.sleep(20)
        self.rate = 0
        time.sleep(15)
        self.rate = 4
        time.sleep(5)
        expect(self.deploy("2 units", 2) == 0)
        time.sleep(5)
        fault = {"operation": "DetectCustomLabels", "error": "ProvisionedThroughputExceededException"}
        self.simulator._call("POST", "faults", {**fault, "times": 12})
        time.sleep(10)
        self.seed(start_outcome="FAILED", status_message="No capacity.")
        expect(self.deploy("3 units: no capacity", 3) != 0)
        self.rate = 0
        expect(self.cdk("destroy", "destroy", "--force") == 0)
        time.sleep(3)

    def run(self) -> dict[str, Any]:
        threads = [threading.Thread(target=each, daemon=True) for each in (self.watch, self.call)]
        for each in threads:
            each.start()
        try:
            self.live()
        finally:
            self._over.set()
        return {
            "what": "examples/alarms-and-dashboard on the local cloud; seconds since the first deploy",
            "seconds": self.now(),
            "marks": self.marks,
            "model": self.seen,
            "calls": self.calls,
            "metrics": self.metrics(),
        }

    def metrics(self) -> list[dict[str, Any]]:
        """Every line of embedded metric format that the function's log has, its time made relative."""
        from hosted_model_local import clients

        bundle = self.cloud.environment["SSL_CERT_FILE"]
        logs = clients.aws("logs", endpoint=self.cloud.ministack_url, bundle=bundle, region=self.cloud.region)
        lines = [
            line
            for group in logs.describe_log_groups()["logGroups"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            for event in page["events"]
            for line in event["message"].splitlines()
        ]
        found = [json.loads(line[line.index("{") :]) for line in lines if '"CloudWatchMetrics"' in line]
        for each in found:
            each["seconds"] = round(each.pop("_aws")["Timestamp"] / 1000 - self.began, 2)
        return sorted(found, key=lambda each: float(each["seconds"]))


def expect(met: bool) -> None:
    if not met:
        raise SystemExit("the run did not go as it should: see its logs")


def record() -> None:
    """Run the example and keep what was seen."""
    from hosted_model_local.cloud import LocalCloud

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "app"
        shutil.copytree(ROOT / "examples/alarms-and-dashboard", folder)
        with LocalCloud(Path(temporary) / "state") as cloud:
            recording = Recording(cloud, folder)
            recording.seed(status="TRAINING_COMPLETED", start_seconds=15, stop_seconds=6)
            try:
                found = recording.run()
            except BaseException:
                for log in sorted(folder.glob("*.log")):
                    print(log.read_text()[-3000:], file=sys.stderr)
                raise
    DATA.parent.mkdir(exist_ok=True)
    rows = ",\n".join(f'"{name}": {json.dumps(value)}' for name, value in found.items())
    DATA.write_text("{\n" + rows.replace("}, {", "},\n{") + "\n}\n", encoding="utf-8")


# --- the picture -------------------------------------------------------------------------------------------

#: As wide as a page's text, so that the labels are read at the size in which they are drawn.
COLUMNS, WIDTH, HEIGHT, LEFT = 2, 320, 150, 40
CELL_WIDTH, CELL_HEIGHT, LEGEND = 385, 280, 20
INK, GREY = "#1c2329", "#5c6670"
COLOURS = ("#0b5cad", "#c4501b", "#2f7d4f", "#7a4fb0")
#: Where CloudWatch would have five minutes, the picture of a short run has five seconds.
BIN = 5.0


class Panel:
    """One widget: a title, series over time, and a legend."""

    def __init__(self, place: int, title: str, end: float, unit: str = "") -> None:
        self.x = 20 + CELL_WIDTH * (place % COLUMNS)
        self.y = 66 + CELL_HEIGHT * (place // COLUMNS)
        self.title, self.end, self.unit = title, end, unit
        self.series: list[tuple[str, list[tuple[float, float]], str]] = []

    def add(self, name: str, points: Sequence[tuple[float, float]], kind: str = "line") -> None:
        """Add a series: ``line``, ``bars``, or ``dots`` with their values."""
        self.series.append((name, list(points), kind))

    def svg(self) -> str:
        top = max([1.0, *(value for _, points, _ in self.series for _, value in points)]) * 1.15
        parts = [
            _text(self.x, self.y, self.title, bold=True, colour=INK),
            f'<rect x="{self.x + LEFT}" y="{self.y + 12}" width="{WIDTH}" height="{HEIGHT}" fill="#f7f9fa"/>',
        ]
        for part in (0, 0.5, 1):
            y = self.y + 12 + HEIGHT * (1 - part / 1.15)
            parts.append(f'<path d="M{self.x + LEFT} {y:.1f}h{WIDTH}" stroke="#d5dade"/>')
            label = f"{top / 1.15 * part:.3g}"
            parts.append(_text(self.x + LEFT - 5, int(y + 4), label, anchor="end"))
        for second in range(0, int(self.end) + 1, 60):
            x = self.x + LEFT + WIDTH * second / self.end
            parts.append(_text(int(x), self.y + HEIGHT + 29, f"{second // 60} min", anchor="middle"))
        for number, ((name, points, kind), colour) in enumerate(zip(self.series, COLOURS, strict=False)):
            placed = [
                (self.x + LEFT + WIDTH * at / self.end, self.y + 12 + HEIGHT * (1 - value / top), value)
                for at, value in points
            ]
            parts += _draw(placed, kind, colour, self.y + 12 + HEIGHT, self.x + LEFT + WIDTH)
            x, y = self.x + LEFT, self.y + HEIGHT + 42 + LEGEND * number
            parts.append(f'<rect x="{x}" y="{y}" width="10" height="10" fill="{colour}"/>')
            parts.append(_text(x + 16, y + 10, name))
        return "\n".join(parts)


def _draw(
    placed: list[tuple[float, float, float]], kind: str, colour: str, floor: float, right: float
) -> list[str]:
    if kind == "bars":
        return [
            f'<rect x="{x - 2:.1f}" y="{y:.1f}" width="4" height="{floor - y:.1f}" fill="{colour}"/>'
            for x, y, value in placed
            if value
        ]
    if kind == "dots":
        return [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
            + _text(
                int(x) + (7 if x < right - 20 else -12),
                int(y) - 6,
                f"{value:.3g}",
                anchor="middle",
                colour=colour,
            )
            for x, y, value in placed
        ]
    path = "".join(f"{'L' if number else 'M'}{x:.1f} {y:.1f}" for number, (x, y, _) in enumerate(placed))
    return [f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>'] if path else []


def _text(
    x: int, y: int, words: str, *, anchor: str = "start", bold: bool = False, colour: str = GREY
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(words)}</text>'


def draw(found: dict[str, Any]) -> str:
    """Return the picture: the six widgets of ``dashboard_widgets()``, in their order."""
    end = float(found["seconds"])
    panels = [
        _units(found, end),
        *_calls(found, end),
        _hours(found, end),
        _failures(found, end),
    ]
    width, height = 20 + COLUMNS * CELL_WIDTH, 40 + CELL_HEIGHT * -(-len(panels) // COLUMNS)
    marks = "  ·  ".join(f"{at / 60:.1f} min: {words}" for at, words in found["marks"])
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="14">',
            "<title>The widgets of a hosted model's dashboard, from a run on the local cloud</title>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff" stroke="#d5dade"/>',
            _text(20, 26, marks),
            *(panel.svg() for panel in panels),
            "</svg>",
            "",
        ]
    )


def _units(found: dict[str, Any], end: float) -> Panel:
    panel = Panel(0, "Inference units", end)
    running = [
        (at, float(units or 0) if status == "RUNNING" else 0.0) for at, status, units in found["model"]
    ]
    wanted = [
        (at, float(units or 0) if status in ("RUNNING", "STARTING") else 0.0)
        for at, status, units in found["model"]
    ]
    panel.add("DesiredInferenceUnits", wanted)
    panel.add("InServiceInferenceUnits", running)
    panel.series.reverse()
    return panel


def _calls(found: dict[str, Any], end: float) -> list[Panel]:
    throttled = ("ThrottlingException", "ProvisionedThroughputExceededException")

    def count(keep: Any) -> list[tuple[float, float]]:
        bins = Counter(int(at // BIN) for at, _, code in found["calls"] if keep(code))
        return [(BIN * (number + 0.5), float(bins[number])) for number in range(int(end // BIN) + 1)]

    requests = Panel(1, "Requests and errors (all models)", end)
    requests.add("SuccessfulRequestCount", count(lambda code: not code))
    requests.add("UserErrorCount", count(lambda code: code and code not in throttled))
    throttles = Panel(2, "Throttled requests (all models)", end)
    throttles.add("ThrottledCount", count(lambda code: code in throttled), "bars")
    latency = Panel(3, "Latency, ms (all models)", end)
    bins: dict[int, list[float]] = {}
    for at, milliseconds, code in found["calls"]:
        if not code:
            bins.setdefault(int(at // BIN), []).append(milliseconds)
    points = [(BIN * (number + 0.5), sum(each) / len(each)) for number, each in sorted(bins.items())]
    latency.add("ResponseTime", points, "bars")
    return [requests, throttles, latency]


def _own(found: dict[str, Any], name: str, **labels: str) -> list[tuple[float, float]]:
    return [
        (each["seconds"], float(each[name]))
        for each in found["metrics"]
        if name in each and all(each.get(key) == value for key, value in labels.items())
    ]


def _hours(found: dict[str, Any], end: float) -> Panel:
    panel = Panel(4, "Hosting, and time to hosted: seconds", end)
    panel.add("HostingSeconds", _own(found, "HostingSeconds"), "dots")
    panel.add("TimeToHosted", _own(found, "TimeToHosted"), "dots")
    return panel


def _failures(found: dict[str, Any], end: float) -> Panel:
    panel = Panel(5, "Hosting failures, superseded", end)
    reasons = sorted({each["Reason"] for each in found["metrics"] if "Reason" in each})
    for reason in reasons:
        panel.add(reason, _own(found, "HostingFailures", Reason=reason), "dots")
    panel.add("SupersededRequests", _own(found, "SupersededRequests"), "dots")
    return panel


if __name__ == "__main__":
    if sys.argv[1:] == ["record"]:
        record()
    PICTURE.write_text(draw(json.loads(DATA.read_text(encoding="utf-8"))), encoding="utf-8")
    print(PICTURE.relative_to(ROOT))
