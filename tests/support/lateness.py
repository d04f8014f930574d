"""How late things are in a world: what AWS documents, or does not promise.

- "Amazon EventBridge rules": a ``rate`` rule fires for the first time 60 to 120 s after it is put.
- A status may be read late, too: nothing is promised of it.
- Tags are eventually consistent: a read, and a condition of IAM, may see the tags of a while ago.
- "Changes that I make are not always immediately visible", IAM User Guide: so are policies.
- "Asynchronous invocation", AWS Lambda Developer Guide: an event that finds no free execution waits in a
  queue and is tried again, less and less often, for up to six hours.
"""

from __future__ import annotations

from dataclasses import dataclass

#: After this, Lambda drops an event that found no free execution.
DROPPED_AFTER_SECONDS = 6 * 3600.0
#: The longest wait between two tries to begin a queued event.
LONGEST_QUEUE_SECONDS = 300.0


@dataclass(frozen=True)
class Lateness:
    """Of one world; times are seconds.

    Attributes
    ----------
    tags
        How old the tags are that a read, or a condition of IAM, sees.
    tags_jump
        Whether each read draws its own age, from 0 to ``tags``.
    status, status_jump
        The same of the model that is described.
    policies
        How long a policy takes until it is in force.
    first_tick
        The earliest and the latest first tick of a rule.
    concurrency
        How many executions the account may have at once; None: as many as it likes.
    """

    tags: float = 0.0
    tags_jump: bool = False
    status: float = 0.0
    status_jump: bool = False
    policies: float = 0.0
    first_tick: tuple[float, float] = (60.0, 60.0)
    concurrency: int | None = None


ON_TIME = Lateness()
#: The first tick of a rule as late as EventBridge documents.
_TICK = (60.0, 120.0)
#: What a history draws from.
KINDS = {
    "on time": Lateness(first_tick=_TICK),
    "tags 0.3 s": Lateness(tags=0.3, first_tick=_TICK),
    "tags 10 s": Lateness(tags=10.0, first_tick=_TICK),
    "tags 60 s": Lateness(tags=60.0, first_tick=_TICK),
    "tags jump": Lateness(tags=60.0, tags_jump=True, first_tick=_TICK),
    "status 10 s": Lateness(status=10.0, first_tick=_TICK),
    "status jumps": Lateness(status=10.0, status_jump=True, first_tick=_TICK),
    "all jumps": Lateness(tags=60.0, tags_jump=True, status=10.0, status_jump=True, first_tick=_TICK),
    "policies 118 s": Lateness(policies=118.0, first_tick=_TICK),
    "2 executions": Lateness(concurrency=2, first_tick=_TICK),
    "first tick after 120 s": Lateness(first_tick=(120.0, 120.0)),
}
