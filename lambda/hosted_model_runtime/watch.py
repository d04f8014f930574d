"""Time as Lambda gives it."""

from __future__ import annotations

import time
from typing import Any


class LambdaWatch:
    """The wall clock, and what is left of this invocation."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def now(self) -> float:
        return time.time()

    def remaining(self) -> float:
        return float(self._context.get_remaining_time_in_millis()) / 1000

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
