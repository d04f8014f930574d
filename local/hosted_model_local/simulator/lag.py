"""How late a read is, and tags that it shows late, as eventually consistent services do."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

# What is older is forgotten.
MAX_LAG_SECONDS = 3600.0


@dataclass(slots=True)
class Lag:
    """How far behind a read is.

    Without a seed each read shows the state of ``seconds`` ago. With one, each read draws its own age from 0
    to ``seconds``, so that a later read can show less than an earlier one; the same seed draws the same ages.
    """

    seconds: float
    seed: int | None = None
    _random: random.Random | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.seed is not None:
            self._random = random.Random(self.seed)  # noqa: S311 (no secret)

    def draw(self) -> float:
        """The age of what the next read shows, in seconds."""
        return self.seconds if self._random is None else self._random.uniform(0.0, self.seconds)


class Tags:
    """The tags of one resource, now and as they were."""

    __slots__ = ("_states",)

    def __init__(self) -> None:
        self._states: list[tuple[float, dict[str, str]]] = [(float("-inf"), {})]

    @property
    def current(self) -> dict[str, str]:
        """What was written last."""
        return self._states[-1][1]

    def write(self, tags: dict[str, str], now: float) -> None:
        """Replace all tags at a time."""
        if tags == self.current:
            return
        self._states.append((now, tags))
        while len(self._states) > 1 and self._states[1][0] < now - MAX_LAG_SECONDS:
            del self._states[0]

    def begin_with(self, tags: dict[str, str]) -> None:
        """Make these the tags that the resource always had."""
        self._states = [(float("-inf"), tags)]

    def at(self, when: float) -> dict[str, str]:
        """The tags as they were at a time."""
        return next((tags for since, tags in reversed(self._states) if since <= when), self._states[0][1])
