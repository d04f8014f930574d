"""The time, and how much of it Lambda leaves to this invocation."""

from __future__ import annotations

import time
from typing import Any, Protocol


class Clock(Protocol):
    """What the time is asked of; tests bring a clock of their own, and need not wait."""

    def now(self) -> float:
        """Epoch seconds."""

    def remaining(self) -> float:
        """Seconds until Lambda ends this invocation."""

    def sleep(self, seconds: float) -> None: ...


class LambdaClock:
    """The wall clock, and the seconds that Lambda's context says are left."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def now(self) -> float:
        return time.time()

    def remaining(self) -> float:
        return float(self._context.get_remaining_time_in_millis()) / 1000

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
