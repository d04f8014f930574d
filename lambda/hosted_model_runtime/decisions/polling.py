"""PURE: how long to wait before the next look at a model.

In come how long a start has taken so far, how long the last one took, how the last look went, how many models
share the quota, and a random number; out come seconds.

When a start will end is not known, but it is not unknown either. To find an event soon with few looks, look
in intervals that are proportional to ``1 / sqrt(hazard)``: the hazard is how likely the event is to come in
the next second, if it has not come yet (the inspection problem: R. E. Barlow and F. Proschan, "Mathematical
Theory of Reliability", 1965). So a request looks rarely before the end is likely, often around it, and
patiently after it. The page of benchmarks derives the least looks and lag that any schedule can have, and
shows how near this one is.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

#: What a step to take waits for, and what a stop or an unknown update does: 1 s at first, then longer.
FIRST = 1.0
GROWTH = 1.15
LONGER = 2.0

#: One look is worth so many seconds of lag: the one number that trades looks against lag.
LOOK_SECONDS = 0.0055
#: No interval is shorter than this, and none longer once the end may come.
LEAST, LONGEST = 0.5, 4.3
#: Before the end may come, the intervals grow with the age of the start, a fifth of it: with a memory to a
#: minute; without one to five seconds, as a start may be shorter than the shortest known.
EARLY_SHARE, EARLY, EARLY_WITHOUT_MEMORY = 0.2, 60.0, 5.0

#: How far a start is from the last one, as a share of it (one sigma): where nothing else is known; and at
#: least. Up to PROVEN, the memory is trusted far from the end, too.
UNPROVEN, SURE, PROVEN = 0.15, 0.05, 0.10
#: A memory may be wrong altogether, the likelier the less sure it is.
WRONG_SHARE = 0.25
#: An unproven memory may be twice too long: from half of it on, no interval is longer than LONGEST.
HALF = 0.48
#: A proven one is looked for from so many sigmas before it on.
NEAR_SIGMAS = 2.5

#: All models share the account's quota. With each refusal the interval is multiplied, up to WIDEST, and with
#: each look that works it shrinks a little. If it shrank at once, models that are already starting would use
#: up the quota of those that have not started yet.
WIDEST = 20.0
WIDER = 2.0
NARROWER = 0.8
#: How many times more often a request with a step to take looks than one that can only wait.
AHEAD = 4.0
#: "5 requests a second" for each API and account (the services' quotas); a stack takes this part of them.
QUOTA = 5.0
SHARE = 0.65
#: The longest that a first look is put off, so that a single update of a large stack does not wait for long.
PUT_OFF = 30.0
#: How often a request asks one API before its Start is noted.
FIRST_READS = 5

_TEXT = re.compile(r"took(\d+)(?:-(\d+))?(?:\+(\d+))?")


@dataclass(frozen=True, slots=True)
class LastStart:
    """What the lease remembers of starts.

    Attributes
    ----------
    seconds
        How long the last one took; 0: none is known.
    spread
        How far it may be from the next one, in percent (one sigma); 0: not known.
    sent
        Seconds from the request to its own Start, while that is under way; None: none is.
    """

    seconds: int = 0
    spread: int = 0
    sent: int | None = None

    def __str__(self) -> str:
        if not self.seconds and self.sent is None:
            return ""
        spread = f"-{self.spread}" if self.spread else ""
        return f"took{self.seconds}{spread}{'' if self.sent is None else f'+{self.sent}'}"

    @staticmethod
    def parse(text: str) -> LastStart | None:
        """Return what :meth:`__str__` wrote; None: the text is something else."""
        if not (found := _TEXT.fullmatch(text)):
            return None
        seconds, spread, sent = found.groups()
        return LastStart(int(seconds), int(spread or 0), None if sent is None else int(sent))

    def took(self, seconds: float) -> LastStart:
        """Return the memory after a start that took so long.

        The spread is how far it was from the one before, or half of the spread before if that is more: trust
        is lost at once, and won by starts that agree.
        """
        now = max(1, round(seconds))
        if not self.seconds:
            return LastStart(now)
        error = 100 * abs(now - self.seconds) / self.seconds
        before = self.spread or 100 * UNPROVEN
        return LastStart(now, min(99, max(math.ceil(error), round(before / 2), round(100 * SURE))))

    @property
    def of_another(self) -> LastStart:
        """Return what it says about another version of the model: as long, but that is not proven."""
        return LastStart(self.seconds)


NOTHING = LastStart()
#: Where nothing is remembered, a start takes from 5 to 30 minutes, in seconds. No service's guide names a
#: figure; this is what teams report (2026-11), the same for all services.
SHORTEST_START, LONGEST_START = 300.0, 1800.0


@dataclass(frozen=True, slots=True)
class Start:
    """A start that is waited for: its age in seconds, and what is remembered of the last one."""

    age: float
    last: LastStart = NOTHING

    @property
    def interval(self) -> float:
        """Seconds to the next look, were this the only model."""
        early = max(FIRST, self.age * EARLY_SHARE)
        if not self.last.seconds:
            return self._without_memory(min(EARLY_WITHOUT_MEMORY, early))
        # From here on, the end may come even if the memory is wrong.
        from_here = self.last.seconds * (1.0 if self._is_proven else HALF)
        wanted = math.sqrt(2 * LOOK_SECONDS / self._hazard())
        return max(LEAST, min(wanted, LONGEST if self.age >= from_here else min(EARLY, early)))

    @property
    def far(self) -> float:
        """Seconds until the end may come; at most 0 where it may come now, or where nothing is known."""
        if not self.last.seconds:
            return 0.0
        near = 1 - NEAR_SIGMAS * self._sigma if self._is_proven else HALF
        return self.last.seconds * near - self.age

    @property
    def _is_proven(self) -> bool:
        return 0 < self.last.spread <= 100 * PROVEN

    @property
    def _sigma(self) -> float:
        return max(SURE, self.last.spread / 100 if self.last.spread else UNPROVEN)

    def _hazard(self) -> float:
        """Return how likely the end is in the next second: near the last start's length, or at any time."""
        last, wrong = float(self.last.seconds), WRONG_SHARE * self._sigma
        sigma = max(2.0, self._sigma * last)
        z = min((self.age - last) / sigma, 30.0)
        near = math.exp(-z * z / 2) / (sigma * math.sqrt(2 * math.pi))
        not_yet = math.erfc(z / math.sqrt(2)) / 2
        any_time = math.exp(-self.age / last)
        return ((1 - wrong) * near + wrong * any_time / last) / ((1 - wrong) * not_yet + wrong * any_time)

    def _without_memory(self, early: float) -> float:
        """Return the interval where any length from the shortest to the longest is as likely as another."""
        if self.age < SHORTEST_START:
            return early
        left = max(0.03 * LONGEST_START, 1.03 * LONGEST_START - self.age)
        late = max(0.0, self.age - LONGEST_START) / 60
        return min(LONGEST, math.sqrt(2 * LOOK_SECONDS * left) + late)


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


def step_interval(polls: int) -> float:
    """Return seconds to wait after so many looks, where no start is waited for."""
    return min(LONGER, FIRST * GROWTH ** min(polls, 64))


def interval(
    wanted: float,
    width: float,
    draw: float,
    retry_after: float | None = None,
    waiting: bool = True,
    models: int = 1,
    calm: bool = True,
) -> float:
    """Return seconds to wait.

    Parameters
    ----------
    wanted
        What :attr:`Start.interval` or :func:`step_interval` returned.
    width
        What :func:`widened` returned. It multiplies ``wanted``, or ``LONGER`` where ``wanted`` is more.
    draw
        A random number from 0 to 1, so that many models that started together do not ask together. It takes
        up to a quarter off the interval; of a widened one it takes off, or adds, up to a quarter.
    retry_after
        Seconds that the service asked to wait; the result is never less.
    waiting
        Whether the request can only wait: then it leaves the quota to those with a step to take.
    models
        How many models the stack declares. Who waits looks as rarely as that all of them share the quota,
        and at even intervals: a look that was refused moves to another time, one that was not keeps its own.
    calm
        Whether the last look worked.
    """
    wider = min(wanted, LONGER) * (width if waiting else max(1.0, width / AHEAD))
    pace = models / (QUOTA * SHARE) if waiting else 0.0
    even = max(pace, wanted)
    if calm and models > 1 and even >= wider:
        wait = even
    elif width <= 1.0 and pace <= wanted:
        wait = wanted * (1 - draw / 4)
    else:
        wait = max(even, wider) * (0.75 + draw / 2)
    return max(wait, retry_after or 0.0)


def first_wait(models: int, draw: float) -> float:
    """Return seconds before the first look: CloudFormation asks for all models of a stack at once."""
    return draw * min(PUT_OFF, max(0.0, FIRST_READS * models - QUOTA) / (QUOTA * SHARE))
