"""PURE: how long to wait before the next look at a model.

In come how many looks there were, how the last one went and a random number; out come seconds.

The constants are chosen by the curves of the benchmarks page: lag against calls, and many models at once
under the services' quota of 5 requests a second.
"""

from __future__ import annotations

FIRST = 1.0
GROWTH = 1.15
LONGEST = 2.0

#: All models share the account's quota. With each refusal the interval is multiplied, up to WIDEST, and with
#: each look that works it shrinks a little. If it shrank at once, models that are already starting would use
#: up the quota of those that have not started yet.
WIDEST = 20.0
WIDER = 2.0
NARROWER = 0.8
#: How many times more often a request with a step to take looks than one that can only wait.
AHEAD = 8.0


def widened(width: float, calm: bool) -> float:
    """Return the width of the next interval, from 1 to ``WIDEST``.

    Parameters
    ----------
    width
        The width so far; 1 at first.
    calm
        Whether the last look worked: it was neither throttled nor lost.
    """
    return max(1.0, width * NARROWER) if calm else min(WIDEST, width * WIDER)


def interval(
    polls: int, width: float, draw: float, retry_after: float | None = None, waiting: bool = True
) -> float:
    """Return seconds to wait.

    Parameters
    ----------
    polls
        Looks so far.
    width
        What :func:`widened` returned.
    draw
        A random number from 0 to 1, so that many models that started together do not ask together. It takes
        up to a quarter off the interval; of a widened one it takes off, or adds, up to a quarter.
    retry_after
        Seconds that the service asked to wait; the result is never less.
    waiting
        Whether the request can only wait: then it leaves the quota to those with a step to take.
    """
    calm = min(LONGEST, FIRST * GROWTH ** min(polls, 64))
    if width <= 1.0:
        wanted = calm * (1 - draw / 4)
    else:
        wanted = calm * (width if waiting else max(1.0, width / AHEAD)) * (0.75 + draw / 2)
    return max(wanted, retry_after or 0.0)
