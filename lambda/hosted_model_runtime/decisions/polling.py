"""PURE: how long to wait before the next look at a model.

The constants are chosen by the curves of the benchmarks page: lag against calls, and many models at once
under the services' quota of 5 requests a second.
"""

from __future__ import annotations

FIRST = 1.0
GROWTH = 1.15
LONGEST = 2.0

#: The quota is the account's: the interval widens with each refusal, up to so many times, and shrinks slowly
#: with each look that works. At once, and models that start would crowd out those that have not started yet.
WIDEST = 20.0
WIDER = 2.0
NARROWER = 0.8
#: How much more often a request looks that has a step to take than one that can only wait.
AHEAD = 8.0


def widened(width: float, calm: bool) -> float:
    """Return the width of the next interval, from 1 to ``WIDEST``.

    Parameters
    ----------
    width
        The width so far; 1 at first.
    calm
        Whether the last look came through, neither throttled nor lost.
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
        A number from 0 to 1: up to a quarter of the interval is taken off, so that many models that started
        together do not ask together; of a widened one a quarter is taken off or added.
    retry_after
        Seconds that the service asked for; never undercut.
    waiting
        Whether the request can do nothing but wait: it then leaves the quota to those with a step to take.
    """
    calm = min(LONGEST, FIRST * GROWTH ** min(polls, 64))
    if width <= 1.0:
        wanted = calm * (1 - draw / 4)
    else:
        wanted = calm * (width if waiting else max(1.0, width / AHEAD)) * (0.75 + draw / 2)
    return max(wanted, retry_after or 0.0)
