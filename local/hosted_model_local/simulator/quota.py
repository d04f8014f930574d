"""The quotas of an account: requests a second for each API, inference units, running models."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

# Detection is the traffic that inference units pay for, not a control call: it has no such quota.
EXEMPT = frozenset({"DetectAnomalies", "DetectCustomLabels"})


class RateLimiter:
    """At most so many requests in any one second, for each account, region and operation.

    A sliding window: a request is admitted when fewer than the limit were admitted in the second that ends
    with it. A refused request does not count. A rate below 1 admits one request in 1/rate seconds.
    """

    __slots__ = ("_admitted", "_rate")

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._admitted: dict[tuple[str, ...], deque[float]] = {}

    def admit(self, key: tuple[str, ...], now: float) -> bool:
        """Whether a request may pass at this moment; if so, it counts."""
        if self._rate is None:
            return True
        capacity = max(1, int(self._rate))
        window = self._admitted.get(key)
        if window is None:
            window = self._admitted[key] = deque()
        horizon = now - capacity / self._rate
        # A clock that was set back must not leave requests of the future in the window.
        while window and (window[0] <= horizon or window[0] > now):
            window.popleft()
        if len(window) >= capacity:
            return False
        window.append(now)
        return True


@dataclass(slots=True)
class Limits:
    """Quotas that the control API can change.

    ``max_inference_units`` (Lookout for Vision) holds for all running models of an account together, each at
    the larger of its two numbers; None is no limit. ``max_running_models`` and ``max_units_per_model`` are
    those of Rekognition Custom Labels.
    """

    requests_per_second: float | None = 5
    max_inference_units: int | None = None
    max_inference_units_by_account: dict[str, int | None] = field(default_factory=dict)
    max_running_models: int | None = 2
    max_units_per_model: int | None = 5

    def inference_units(self, account: str) -> int | None:
        """The unit quota of one account."""
        return self.max_inference_units_by_account.get(account, self.max_inference_units)
