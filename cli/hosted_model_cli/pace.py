"""Requests at the pace that a service allows, before it has to refuse one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable

#: "Quotas in Amazon Lookout for Vision": 5 requests a second for each API, account and region.
REQUESTS = 5
#: Seconds for these. A second, and a tenth for what the way to the service adds between two requests.
WINDOW = 1.1


class Pacer:
    """At most ``REQUESTS`` in any ``WINDOW`` seconds for each key; safe to use from several threads.

    Parameters
    ----------
    clock
        Seconds, from any beginning.
    sleep
        Waits for so many seconds.
    """

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._turns: dict[Hashable, deque[float]] = {}

    def wait(self, key: Hashable) -> None:
        """Return when a request of this key may be sent, which counts as sent."""
        with self._lock:
            turns = self._turns.setdefault(key, deque(maxlen=REQUESTS))
            now = self._clock()
            turn = max(now, turns[0] + WINDOW) if len(turns) == REQUESTS else now
            turns.append(turn)
        if turn > now:
            self._sleep(turn - now)
