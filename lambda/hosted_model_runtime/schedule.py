"""PURE: how long to wait before the next look at a model."""

from __future__ import annotations

FIRST = 1.0
GROWTH = 1.15
LONGEST = 2.5
#: Under throttling the interval doubles from poll to poll up to this: the quota is shared by the account.
LONGEST_THROTTLED = 40.0


def interval(polls: int, setbacks: int, draw: float, retry_after: float | None = None) -> float:
    """Return seconds to wait.

    Parameters
    ----------
    polls
        Looks so far.
    setbacks
        Transient errors in a row, now.
    draw
        A number from 0 to 1: up to a quarter of the interval is taken off, so that many models that started
        together do not ask together; after an error up to half is added.
    retry_after
        Seconds that the service asked for; never undercut.
    """
    calm = min(LONGEST, FIRST * GROWTH ** min(polls, 64))
    if not setbacks:
        return calm * (1 - draw / 4)
    backed_off = min(LONGEST_THROTTLED, calm * 2.0 ** min(setbacks, 16)) * (1 + draw / 2)
    return max(backed_off, retry_after or 0.0)
