"""What the histories of a job leave behind: figures, and what every one of them did."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from support.world import World

#: What was generated, over all histories of a job.
COUNTED: Counter[str] = Counter()
#: A digest of every history's calls and answers, in order.
TRACES: list[str] = []


def clear() -> None:
    """Begin another job."""
    COUNTED.clear()
    TRACES.clear()


def note(world: World, requests: int) -> None:
    """Note a history that is over."""
    COUNTED["kills"] += world.killed
    COUNTED["calls"] += len(world.calls)
    COUNTED["requests"] += requests
    TRACES.append(sha256("\n".join(world.trace).encode()).hexdigest())
