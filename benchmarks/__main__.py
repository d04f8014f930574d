"""``python -m benchmarks [--quick] [--only NAME …] [--out FILE]``: measures, and writes one file of rows."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import ROOT

Measure = Callable[[bool, Callable[[str], None]], list[dict[str, Any]]]
#: In this order: what is timed by the clock comes first, each by itself.
MEASURES = {
    "cold-start": "cold_start:measure",
    "cpu-share": "cpu_share:measure",
    "footprint": "footprint:measure",
    "lag-real": "lag_real:measure",
    "work": "work:measure",
    "starts": "starts:measure",
    "growth": "growth:measure",
    "curve": "virtual:curve",
    "lag-virtual": "virtual:lag",
}
PACKAGES = ("aws-cdk-lib", "ministack", "boto3", "crhelper")


def _measure(name: str) -> Measure:
    module, _, function = MEASURES[name].partition(":")
    found: Measure = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    return found


def _node() -> str:
    try:
        done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return "not found"
    return done.stdout.strip()


def machine() -> dict[str, Any]:
    """Return what matters of this machine; nothing that names it."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        # Two cores that do nothing else: about 0 before the run.
        "load_before": round(os.getloadavg()[0], 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="in under five minutes, with fewer repetitions")
    parser.add_argument("--only", nargs="+", choices=list(MEASURES), metavar="NAME", default=list(MEASURES))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "benchmarks.json")
    given = parser.parse_args()

    began, clock = datetime.now(UTC), time.monotonic()

    def progress(line: str) -> None:
        print(f"{time.monotonic() - clock:6.0f} s  {line}", file=sys.stderr, flush=True)

    found: dict[str, Any] = {
        "command": "python -m benchmarks" + (" --quick" if given.quick else ""),
        "quick": given.quick,
        "began": began.strftime("%Y-%m-%dT%H:%MZ"),
        "seconds": 0,
        "machine": machine(),
        "versions": {**{name: metadata.version(name) for name in PACKAGES}, "node": _node()},
        "seconds_of": {},
        "failed": {},
        "rows": [],
    }
    for name in given.only:
        before = time.monotonic()
        try:
            found["rows"] += _measure(name)(given.quick, progress)
        except Exception as error:
            # The others' figures are worth having; the page says what is missing.
            progress(f"{name} FAILED: {error}")
            found["failed"][name] = type(error).__name__
        found["seconds_of"][name] = round(time.monotonic() - before, 1)
    found["seconds"] = round(time.monotonic() - clock, 1)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in found.pop("rows"))
    head = json.dumps(found, indent=1, ensure_ascii=False)[:-2]
    # A row a line: that is how two runs can be compared.
    given.out.write_text(f'{head},\n "rows": [\n{rows}\n]\n}}\n')
    progress(f"{given.out} is written")
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
