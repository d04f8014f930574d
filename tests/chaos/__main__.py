"""``make chaos EXAMPLES=n SEED=s``: histories by the thousand, and every kill point; ends with one JSON line.

Exit code 0 when every promise held, 1 when one was broken: then the shrunk history is printed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

CHUNK = 50


def histories(job: tuple[str, int, int, bool]) -> dict[str, Any]:
    """Play some histories of one service; runs in a process of its own."""
    service, examples, seed, shrink = job
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis import seed as seeded
    from hypothesis.stateful import run_state_machine_as_test

    from chaos.histories import COUNTED, machine
    from support.world import virtual

    COUNTED.clear()
    wanted = settings(
        max_examples=examples,
        stateful_step_count=14,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    output = io.StringIO()
    broken = ""
    with virtual(), contextlib.redirect_stdout(output):
        try:
            run_state_machine_as_test(seeded(seed)(machine(service)), settings=wanted)
        except Exception as error:
            notes = "\n".join(getattr(error, "__notes__", []))
            broken = f"{service}, seed {seed}:\n{error}\n{notes}\n{output.getvalue()}"
            if not isinstance(error, AssertionError):
                broken += traceback.format_exc()
    return {"counted": dict(COUNTED), "broken": [broken] if broken else []}


def kill_points(job: tuple[str, str, bool]) -> dict[str, Any]:
    """Kill one lifecycle everywhere; runs in a process of its own."""
    service, name, handover = job
    from chaos.lifecycles import killed_everywhere
    from support.cases import CASES
    from support.world import virtual

    logging.disable(logging.CRITICAL)
    with virtual():
        report = killed_everywhere(CASES[service], name, handover, every=True)
    logging.disable(logging.NOTSET)
    return {"counted": {"kill_points": report.runs - 1}, "broken": report.broken}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1000, help="histories, over both services")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--service", choices=["lookoutvision", "rekognition"], action="append")
    parser.add_argument("--no-shrink", action="store_true", help="print a broken history as it was found")
    parser.add_argument("--no-kill-points", action="store_true")
    given = parser.parse_args()
    from chaos.lifecycles import LIFECYCLES
    from support.policy import template

    logging.getLogger().addHandler(logging.NullHandler())
    # Once, before the workers are forked: the CDK's own process does not survive a fork.
    template()
    services = given.service or ["lookoutvision", "rekognition"]
    chunks = -(-given.examples // CHUNK)
    jobs: list[tuple[Any, Any]] = [
        (
            histories,
            (services[number % len(services)], CHUNK, given.seed * 100_000 + number, not given.no_shrink),
        )
        for number in range(chunks)
    ]
    if not given.no_kill_points:
        jobs += [
            (kill_points, (service, name, handover))
            for service in services
            for name in LIFECYCLES
            for handover in (False, True)
        ]
    counted: Counter[str] = Counter()
    broken: list[str] = []
    began = time.monotonic()
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        running = [pool.apply_async(function, (job,)) for function, job in jobs]
        for number, result in enumerate(running, 1):
            found = result.get()
            counted.update(found["counted"])
            broken += found["broken"]
            print(
                f"\r{number}/{len(jobs)} jobs, {counted['histories']} histories, "
                f"{counted['kill_points']} kill points, {len(broken)} violations",
                end="",
                file=sys.stderr,
            )
    print(file=sys.stderr)
    for text in broken:
        print(text)
    summary = {
        "histories": counted["histories"],
        "requests": counted["requests"],
        "calls": counted["calls"],
        "faults": counted["faults"],
        "kill_points": counted["kill_points"],
        "violations": len(broken),
        "seconds": round(time.monotonic() - began),
        "seed": given.seed,
        "examples": given.examples,
        "cores": os.cpu_count(),
    }
    build = Path(__file__).resolve().parents[2] / "build"
    build.mkdir(exist_ok=True)
    (build / "chaos.json").write_text(json.dumps(summary, indent=1))
    print(json.dumps(summary))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
