"""Write the table of docs/concurrency.md: deploys of many models in accounts with few Lambda executions.

Each deploy is played in the virtual world, from the function's handler to the wire, with Lambda as it is when
it has no execution left: it keeps an asynchronous event and tries again, less and less often, up to every 5
minutes, for at most 6 hours ("How Lambda handles errors and retries with asynchronous invocation", AWS Lambda
Developer Guide). Run it after a change of how the function waits:

    .venv/bin/python scripts/concurrency.py
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from support.cases import CASES  # noqa: E402
from support.cloudformation import Stack, play  # noqa: E402
from support.lateness import Lateness  # noqa: E402
from support.models import seed  # noqa: E402
from support.world import World, virtual  # noqa: E402

PAGE = ROOT / "docs" / "concurrency.md"
BEGIN, END = "<!-- concurrency: written by scripts/concurrency.py -->", "<!-- end of concurrency -->"
#: Executions that an account has, and models that start at once.
MODELS = {10: (5, 10, 20, 30), 100: (50, 100), 1000: (100,)}
#: Starts that take so many minutes; the second one is longer than an invocation.
MINUTES = (10, 25)


def deploy(executions: int, models: int, minutes: float) -> dict[str, Any]:
    """Create so many stacks of one model at once."""
    # It has no quota of models that run at once, which would fail most of them.
    case = CASES["lookoutvision"]
    with virtual():
        lateness = Lateness(concurrency=executions, first_tick=(60.0, 120.0))
        world = World(latency=0.05, seed=models, lateness=lateness)
        stacks = []
        for number in range(1, models + 1):
            seed(world, case, version=str(number), start_seconds=60 * minutes)
            stacks.append(Stack(world, case, name=f"Stack{number}"))
        creates = (stack.create(case.properties(str(n))) for n, stack in enumerate(stacks, 1))
        began = world.now
        play(world, *creates)
        answers = [sent.answers[0].time for stack in stacks for sent in stack.requests[:1] if sent.ok]
        world.discard()
    return {
        "failed": models - len(answers),
        "last": (max(answers) - began) / 60 if answers else float("nan"),
        "most": world.most_running,
        "dropped": len(world.dropped),
    }


def table() -> str:
    """Return the table, of one row for each deploy."""
    lines = [
        "| executions | models at once | a start takes, min | failed | last answer, min | most executions "
        "| events dropped |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for executions, numbers in MODELS.items():
        for minutes in MINUTES:
            for models in numbers:
                found = deploy(executions, models, minutes)
                print(executions, minutes, models, found, file=sys.stderr, flush=True)
                last = "-" if found["last"] != found["last"] else f"{found['last']:.1f}"
                lines.append(
                    f"| {executions:,} | {models} | {minutes} | {found['failed']} | {last} | {found['most']} "
                    f"| {found['dropped']} |"
                )
    return "\n".join(lines)


def main() -> None:
    """Write the page's table anew."""
    logging.disable(logging.CRITICAL)
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}")


if __name__ == "__main__":
    main()
