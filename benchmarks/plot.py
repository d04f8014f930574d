"""A small writer of SVG line charts, so that the plots need no library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 46, 56
#: Told apart without colour too: each series is named at its end.
COLOURS = {
    "hosted-model": "#0b6e4f",
    "crhelper-2min": "#b5651d",
    "crhelper-1min": "#d99a2b",
    "provider-5s": "#1f4e9c",
    "provider-1s": "#5b8def",
    "sleeper-5s": "#7a3e9d",
}
#: As short as the legend wants them.
NAMES = {
    "hosted-model": "this project",
    "crhelper-2min": "crhelper, 2 min",
    "crhelper-1min": "crhelper, 1 min",
    "provider-5s": "Provider framework, 5 s",
    "provider-1s": "Provider framework, 1 s",
    "sleeper-5s": "a function that sleeps",
}
GREY = "#666666"
#: Beside its dot a text is above on the right, on the left, or below on the left: x, y, anchor.
PLACES = {"above": (8, -5, "start"), "left": (-8, 2, "end"), "below": (-8, 14, "end")}


@dataclass
class Axis:
    """One axis: its title, its ends, logarithmic or not, and where it has ticks."""

    title: str
    ticks: Sequence[float]
    log: bool = False

    def place(self, value: float) -> float:
        """Return where a value is, from 0 to 1."""
        low, high = self.ticks[0], self.ticks[-1]
        value = min(max(value, low), high)
        if self.log:
            return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
        return (value - low) / (high - low)


@dataclass
class Chart:
    """A chart with two axes; lines and marks are added one by one."""

    title: str
    x: Axis
    y: Axis
    parts: list[str] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return LEFT + self.x.place(x) * width, TOP + (1 - self.y.place(y)) * height

    def line(self, name: str, points: Sequence[tuple[float, float]], dashed: bool = False) -> None:
        """Add a line, named in the legend."""
        colour = COLOURS.get(name, GREY)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self._at(*point) for point in points))
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2"{dash} points="{path}"/>')
        self.names.append((name, colour))

    def mark(
        self,
        design: str,
        point: tuple[float, float],
        text: str,
        *,
        strong: bool = False,
        place: str = "above",
    ) -> None:
        """Add a dot with a text at one of PLACES."""
        x, y = self._at(*point)
        across, down, anchor = PLACES[place]
        colour, weight = COLOURS.get(design, GREY), "bold" if strong else "normal"
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{6 if strong else 4}" fill="{colour}"/>')
        self.parts.append(
            f'<text x="{x + across:.1f}" y="{y + down:.1f}" text-anchor="{anchor}" fill="{colour}" '
            f'font-weight="{weight}">{escape(text)}</text>'
        )

    def svg(self) -> str:
        """Return the picture."""
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
                f'font-family="sans-serif" font-size="12"><title>{escape(self.title)}</title>',
                f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
                f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold">{escape(self.title)}</text>',
                *self._grid(),
                *self.parts,
                *self._legend(),
                "</svg>\n",
            ]
        )

    def _grid(self) -> list[str]:
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        found = []
        for tick in self.x.ticks:
            x, _ = self._at(tick, self.y.ticks[0])
            found.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#e3e3e3"/>')
            found.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{tick:g}</text>')
        for tick in self.y.ticks:
            _, y = self._at(self.x.ticks[0], tick)
            found.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#e3e3e3"/>')
            found.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
        middle = (LEFT + right) / 2
        found.append(
            f'<text x="{middle}" y="{HEIGHT - 14}" text-anchor="middle">{escape(self.x.title)}</text>'
        )
        height = (TOP + bottom) / 2
        found.append(
            f'<text x="18" y="{height}" text-anchor="middle" transform="rotate(-90 18 {height})">'
            f"{escape(self.y.title)}</text>"
        )
        return found

    def _legend(self) -> list[str]:
        left = WIDTH - RIGHT + 16
        return [
            f'<rect x="{left}" y="{TOP + 22 * number}" width="14" height="4" fill="{colour}"/>'
            f'<text x="{left + 20}" y="{TOP + 6 + 22 * number}">{escape(NAMES.get(name, name))}</text>'
            for number, (name, colour) in enumerate(self.names)
        ]
