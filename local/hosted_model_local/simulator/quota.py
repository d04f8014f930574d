"""The quotas of an account: requests a second for each API, inference units, running models."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


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

    ``counts`` are those that the services name, with their defaults: ``max_inference_units`` of Lookout for
    Vision, for one, holds for all running models of an account together, each at the larger of its two
    numbers. None is no limit. ``by_account`` holds what was set for one account alone.
    """

    requests_per_second: float | None = 5
    counts: dict[str, int | None] = field(default_factory=dict)
    by_account: dict[str, dict[str, int | None]] = field(default_factory=dict)

    def count(self, name: str, account: str) -> int | None:
        """One quota of one account."""
        return self.by_account.get(account, {}).get(name, self.counts.get(name))

    def view(self) -> dict[str, object]:
        """The quotas as the control API shows them."""
        return {
            "requests_per_second": self.requests_per_second,
            **self.counts,
            "by_account": self.by_account,
        }
