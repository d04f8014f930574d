"""``make chaos EXAMPLES=n SEED=s``: histories by the thousand, and every kill point; ends with one JSON line.

Every other job plays apps that are edited and deployed, the others play CloudFormation's events over each
service in turn. Exit code 0 when every promise held, 1 when one was broken: then the shrunk history is
printed, and ``make chaos REPLAY=kind:service:seed`` plays its job by itself, to the same history.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

from chaos.jobs import ALL, APPS, EVENTS, EXAMPLES, Found, Job, play
from support.cases import CASES

#: How a lifecycle goes when it is killed everywhere: whether its starts are handed over, and how late all is.
WAYS = ((False, "on time"), (True, "on time"), (False, "tags 10 s"))


def kill_points(job: tuple[str, str, bool, str, bool]) -> Found:
    """Kill one lifecycle everywhere; runs in a process of its own."""
    service, name, handover, late, fenced = job
    from chaos.lifecycles import killed_everywhere
    from support.lateness import KINDS
    from support.world import virtual

    logging.disable(logging.CRITICAL)
    with virtual():
        report = killed_everywhere(CASES[service], name, handover, True, fenced, KINDS[late])
    logging.disable(logging.NOTSET)
    return Found({"kill_points": report.runs - 1}, report.broken)


def renames_killed(job: tuple[str, str, bool]) -> Found:
    """Kill the rename of a construct everywhere; runs in a process of its own."""
    service, name, fenced = job
    from chaos.moving import killed_everywhere
    from support.world import virtual

    logging.disable(logging.CRITICAL)
    with virtual():
        report = killed_everywhere(CASES[service], name, every=True, fenced=fenced)
    logging.disable(logging.NOTSET)
    return Found({"kill_points": report.runs - 1}, report.broken)


def replay(job: Job) -> int:
    """Play one job alone; ends with a digest of all its calls and answers."""
    found = play(job)
    for text in found.broken:
        print(text)
    digest = sha256("".join(found.traces).encode()).hexdigest()
    print(json.dumps({"replay": str(job), "broken": len(found.broken), "digest": digest}))
    return 1 if found.broken else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--examples", type=int, default=1000, help="histories, of both kinds and all services"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--service", choices=sorted(CASES), action="append")
    parser.add_argument("--no-shrink", action="store_true", help="print a broken history as it was found")
    parser.add_argument("--no-kill-points", action="store_true")
    parser.add_argument(
        "--job-size", type=int, default=EXAMPLES, help="histories of a job; another size is another job"
    )
    parser.add_argument("--replay", metavar="KIND:SERVICE:SEED", help="play one job by itself")
    given = parser.parse_args()
    from chaos.lifecycles import LIFECYCLES
    from chaos.moving import STORIES
    from support.apps import prepare
    from support.policy import template

    logging.getLogger().addHandler(logging.NullHandler())
    # Once, before the workers are forked: the CDK's own process does not survive a fork.
    template()
    if given.replay:
        try:
            return replay(Job.parse(given.replay, given.job_size, not given.no_shrink))
        except ValueError as error:
            parser.error(str(error))
    prepare()
    # What is prepared stays, and a world's objects die with it: a fifth of the time would go into collecting.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    services = given.service or sorted(CASES)
    chunks = -(-given.examples // given.job_size)
    jobs: list[tuple[Any, Any]] = []
    for number in range(chunks):
        kind, service = (EVENTS, services[number // 2 % len(services)]) if number % 2 else (APPS, ALL)
        seed = given.seed * 100_000 + number
        jobs.append((play, Job(kind, service, seed, given.job_size, not given.no_shrink)))
    # With a fence and, where nobody knows whether the service has one, without.
    fences = [
        (name, fenced) for name in services for fenced in (True, False) if fenced or not CASES[name].fenced
    ]
    if not given.no_kill_points:
        jobs += [
            (kill_points, (service, name, handover, late, fenced))
            for service, fenced in fences
            for name in LIFECYCLES
            for handover, late in WAYS
        ]
        jobs += [(renames_killed, (service, name, fenced)) for service, fenced in fences for name in STORIES]
    counted: Counter[str] = Counter()
    broken: list[str] = []
    began = time.monotonic()
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        running = [pool.apply_async(function, (job,)) for function, job in jobs]
        for number, result in enumerate(running, 1):
            found = result.get()
            counted.update(found.counted)
            broken += found.broken
            for text in found.broken:
                print(f"\n{text}", flush=True)
            print(
                f"\r{number}/{len(jobs)} jobs, {counted['histories']} histories, "
                f"{counted['app_histories']} of them of apps, "
                f"{counted['kill_points']} kill points, {len(broken)} violations",
                end="",
                file=sys.stderr,
            )
    print(file=sys.stderr)
    summary = {
        "histories": counted["histories"],
        "app_histories": counted["app_histories"],
        "deploys": counted["deploys"],
        "requests": counted["requests"],
        "calls": counted["calls"],
        "faults": counted["faults"],
        "kill_points": counted["kill_points"],
        "crossed_claims": counted["crossed_claims"],
        "rollbacks_continued": counted["rollbacks_continued"],
        "violations": len(broken),
        "seconds": round(time.monotonic() - began),
        "seed": given.seed,
        "examples": given.examples,
        "cores": os.cpu_count(),
    }
    build = Path(__file__).resolve().parents[2] / "build" / "chaos"
    build.mkdir(parents=True, exist_ok=True)
    (build / f"{given.seed}.json").write_text(json.dumps(summary, indent=1))
    print(json.dumps(summary))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
